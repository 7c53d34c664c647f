/** Stores a batch: tries again what may succeed later, and asks how a broken commit ended. */
import { isDataError } from "../../db/data_error.ts";
import { isUnavailable } from "../../db/database_error.ts";
import { tracing } from "../tracing.ts";
import type { PendingEntries } from "./pending_entries.ts";
import { type Attempt, CommitUnknown, type GroupCommitOptions, type LockMode } from "./types.ts";

export interface StoringOptions<T>
  extends Pick<GroupCommitOptions<T>, "what" | "keyOf" | "commit" | "onBatch" | "onRolledBack"> {
  pending: PendingEntries<T>;
  /** Called after a transaction was committed and announced. */
  onStored(): void;
}

/** Milliseconds between two tries, from the first to all that follow. */
const RETRY_MS = [20, 50, 100, 200] as const;
/** How long to ask how a commit ended, in milliseconds. */
const RESOLVE_MS = 60_000;

const pause = (tries: number) =>
  new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!));

/** @returns what stores a batch in one mode, and resolves with the entries that remain. */
export function createStoring<T extends { reject(error: unknown): void }>(
  options: StoringOptions<T>,
): (batch: readonly T[], mode: LockMode) => Promise<readonly T[]> {
  const { what, keyOf, commit, onBatch, onRolledBack, pending, onStored } = options;

  function begin(batch: T[], mode: LockMode): Promise<Attempt<T>> {
    onBatch?.(batch.length, pending.waitedMs(batch[0]!));
    if (tracing === null) return commit(batch, mode);
    const attributes = { "parley.what": what, "parley.size": batch.length };
    return tracing.run("batch", attributes, () => commit(batch, mode));
  }

  async function store(batch: readonly T[], mode: LockMode): Promise<readonly T[]> {
    for (let tries = 0;; tries++) {
      // Entries that were refused meanwhile are the caller's to send again.
      const open = batch.filter((entry) => pending.has(entry));
      if (open.length === 0) return [];
      try {
        return complete(open, await begin(open, mode));
      } catch (error) {
        if (error instanceof CommitUnknown) {
          const { attempt, cause } = error as CommitUnknown<T>;
          const stored = await resolveCommit(error.isStored);
          if (stored === true) return complete(open, attempt);
          onRolledBack?.(open);
          if (stored === null) pending.refuse(open, cause);
          continue;
        }
        onRolledBack?.(open);
        if (open.length > 1 && isDataError(error)) return await storeOneByOne(open, mode);
        // Disk space does not become free within the time of the retries.
        if (!isUnavailable(error) || error.kind === "disk") {
          pending.refuse(open, error);
          return [];
        }
        pending.watch();
        // A row that the batch did not lock is locked; waiting apart shows which entries need it.
        if (
          mode !== "waiting" && (error.kind === "lock_timeout" || (error.isContention && tries > 1))
        ) {
          return open;
        }
        await pause(tries);
        pending.expire(error);
      }
    }
  }

  /** One entry that the database refuses must not fail the others. */
  async function storeOneByOne(batch: readonly T[], mode: LockMode): Promise<T[]> {
    const remaining: T[] = [];
    const keys = new Set<string>();
    for (const entry of batch) {
      // Keeps the order behind an entry that waits for a lock.
      const found = keys.has(keyOf(entry)) ? [entry] : await store([entry], mode);
      for (const one of found) keys.add(keyOf(one));
      remaining.push(...found);
    }
    return remaining;
  }

  function complete(batch: readonly T[], attempt: Attempt<T>): readonly T[] {
    const remaining = new Set(attempt.remaining);
    for (const entry of batch) if (!remaining.has(entry)) pending.remove(entry);
    attempt.complete();
    onStored();
    return attempt.remaining;
  }

  /** Whether the batch is stored; null: it cannot be known. */
  async function resolveCommit(isStored: () => Promise<boolean>): Promise<boolean | null> {
    pending.watch();
    const deadline = performance.now() + RESOLVE_MS;
    for (let tries = 0; performance.now() < deadline; tries++) {
      try {
        return await isStored();
      } catch (error) {
        if (!isUnavailable(error)) return null;
        await pause(tries);
      }
    }
    return null;
  }

  return store;
}
