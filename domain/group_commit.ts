import { ParleyError } from "../protocol/errors.ts";
import { yieldToEventLoop } from "./event_loop.ts";
import { createLanes, type Lanes } from "./group_commit/lanes.ts";
import { createPendingEntries, type PendingEntries } from "./group_commit/pending_entries.ts";
import { createStoring } from "./group_commit/storing.ts";
import type { GroupCommit, GroupCommitOptions } from "./group_commit/types.ts";

export {
  type Attempt,
  CommitUnknown,
  type GroupCommit,
  type GroupCommitOptions,
  type LockMode,
} from "./group_commit/types.ts";

/**
 * Group commit: while a transaction runs, everything that arrives waits, and all of it is the next
 * transaction. One entry alone is stored at once; a thousand at the same time cost a few
 * transactions. Entries that need a row that somebody else has locked leave the batch and wait
 * apart, so that they do not delay the others.
 */
export function createGroupCommit<T extends { reject(error: unknown): void }>(
  options: GroupCommitOptions<T>,
): GroupCommit<T> {
  const { what, maxPending, maxBatch, maxRunning, patienceMs, keyOf } = options;
  let waiting: T[] = [];
  const running = new Set<Promise<void>>();
  /** Keys of entries that are in a transaction, outside of lanes. */
  const busy = new Set<string>();
  let starting = false;

  const pending: PendingEntries<T> = createPendingEntries<T>({
    what,
    patienceMs,
    isIdle: () => running.size === 0 && lanes.size === 0,
    onExpired() {
      if (waiting.some((entry) => !pending.has(entry))) {
        waiting = waiting.filter((entry) => pending.has(entry));
      }
    },
  });
  const store = createStoring<T>({
    ...options,
    pending,
    onStored() {
      if (lanes.size === 0) pending.unwatch();
    },
  });
  const lanes: Lanes<T> = createLanes<T>({
    keyOf,
    maxBatch,
    store: (batch) => store(batch, "waiting"),
  });

  /** Everything that arrives in the same turn of the event loop belongs to the first batch. */
  function startSoon(): void {
    if (starting || running.size >= maxRunning) return;
    starting = true;
    queueMicrotask(() => {
      starting = false;
      start();
    });
  }

  function start(): void {
    while (running.size < maxRunning) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      const run = runBatch(batch).finally(() => {
        running.delete(run);
        start();
      });
      running.add(run);
    }
  }

  async function runBatch(batch: T[]): Promise<void> {
    const keys = new Set(batch.map(keyOf));
    for (const key of keys) busy.add(key);
    try {
      const remaining = await store(batch, "optimistic");
      if (remaining.length > 0) openLanes(await store(remaining, "locking"));
    } finally {
      for (const key of keys) busy.delete(key);
    }
    // Lets sockets be read first; what they bring is in the next batch.
    if (waiting.length > 0) await yieldToEventLoop();
  }

  /** The entries that can be stored now, in order. */
  function takeBatch(): T[] {
    if (busy.size === 0) return waiting.splice(0, maxBatch);
    const batch: T[] = [];
    const rest: T[] = [];
    for (const entry of waiting) {
      (batch.length < maxBatch && !busy.has(keyOf(entry)) ? batch : rest).push(entry);
    }
    waiting = rest;
    return batch;
  }

  /** Moves locked entries into lanes; waiting entries with the same key follow them. */
  function openLanes(locked: readonly T[]): void {
    if (locked.length === 0) return;
    pending.watch();
    lanes.open(locked);
    waiting = waiting.filter((entry) => !lanes.push(entry));
  }

  const count = () => waiting.length + lanes.pending;

  return {
    add(entry) {
      if (count() >= maxPending) {
        throw new ParleyError("overloaded", `Cannot store ${what}: too many are waiting`, {
          retryAfter: 1000,
          limit: "MAX_PENDING_WRITES",
        });
      }
      pending.add(entry);
      if (lanes.push(entry)) return;
      waiting.push(entry);
      startSoon();
    },
    async idle() {
      while (starting || running.size > 0 || lanes.size > 0) {
        await Promise.all([...running, lanes.running()]);
      }
      pending.unwatch();
    },
    get pending() {
      return count();
    },
  };
}
