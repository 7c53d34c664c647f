import { isDataError } from "../db/data_error.ts";
import { isUnavailable } from "../db/database_error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { tracing } from "./tracing.ts";
import { yieldToEventLoop } from "./event_loop.ts";

/** What a transaction did, before it is announced. */
export interface Attempt<T> {
  /** Entries that could not be stored in this mode; the next mode takes them. */
  remaining: readonly T[];
  /** Announces all others and resolves their promises; called once they are certainly stored. */
  complete(): void;
}

/**
 * The ways to store a batch. Each takes what the one before it could not store:
 * - `optimistic`: uses the state in memory, and stores only if the database still has the same
 * - `locking`: reads under row locks; what somebody else has locked remains
 * - `waiting`: waits for such locks; nothing remains
 */
export type LockMode = "optimistic" | "locking" | "waiting";

/** The connection broke before the answer to the commit: only the database knows how it ended. */
export class CommitUnknown<T> extends Error {
  /** @param isStored asks the database; throws while it cannot be known. */
  constructor(
    readonly attempt: Attempt<T>,
    readonly isStored: () => Promise<boolean>,
    override readonly cause: unknown,
  ) {
    super("Cannot tell whether the transaction was committed");
  }
}

export interface GroupCommitOptions<T> {
  /** What is stored, in the words of an error: "the change". */
  what: string;
  /** Entries that may wait, at most. */
  maxPending: number;
  /** Entries in one transaction, at most; more wait for the next one. */
  maxBatch: number;
  /** Transactions at a time; none shares a key with another. */
  maxRunning: number;
  /**
   * Milliseconds for which an entry is tried again while the database is away or somebody else holds
   * a lock that it needs; then it is refused as `unavailable`.
   */
  patienceMs: number;
  /** What an entry changes, such as a conversation; entries with the same key keep their order. */
  keyOf: (entry: T) => string;
  /**
   * Stores all of them except `remaining`, or none.
   *
   * @throws {CommitUnknown}
   */
  commit: (batch: T[], mode: LockMode) => Promise<Attempt<T>>;
  /** Called when a transaction begins; `waitedMs` is of its oldest entry. */
  onBatch?: ((size: number, waitedMs: number) => void) | undefined;
  /** Called when a transaction was rolled back. */
  onRolledBack?: (batch: readonly T[]) => void;
}

export interface GroupCommit<T> {
  /** @throws {ParleyError} `overloaded` when too many entries wait. */
  add(entry: T): void;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
  readonly pending: number;
}

/** Entries of one key that wait for somebody else's lock, apart from all others. */
type Lane<T> = T[];

/** Lanes that wait in the database at a time: each takes a connection. */
const MAX_LANES = 3;
/** Milliseconds between two tries, from the first to all that follow. */
const RETRY_MS = [20, 50, 100, 200] as const;
/** How often overdue entries are looked for, once something has gone wrong. */
const EXPIRY_CHECK_MS = 100;
/** How long to ask how a commit ended, in milliseconds. */
const RESOLVE_MS = 60_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Group commit: while a transaction runs, everything that arrives waits, and all of it is the next
 * transaction. One entry alone is stored at once; a thousand at the same time cost a few
 * transactions. Entries that need a row that somebody else has locked leave the batch and wait
 * apart, so that they do not delay the others.
 */
export function createGroupCommit<T extends { reject(error: unknown): void }>(
  options: GroupCommitOptions<T>,
): GroupCommit<T> {
  const { what, maxPending, maxBatch, maxRunning, patienceMs, keyOf, commit } = options;
  const { onBatch, onRolledBack } = options;
  let waiting: T[] = [];
  const running = new Set<Promise<void>>();
  /** Keys of entries that are in a transaction, outside of lanes. */
  const busy = new Set<string>();
  let starting = false;
  const lanes = new Map<string, Lane<T>>();
  const queuedLanes: string[] = [];
  const runningLanes = new Set<Promise<void>>();
  /** When each entry arrived that is neither stored nor refused. */
  const arrivals = new Map<T, number>();
  let expiryTimer: ReturnType<typeof setInterval> | undefined;

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
      setAside(await store(batch, "optimistic"));
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

  function begin(batch: T[], mode: LockMode): Promise<Attempt<T>> {
    onBatch?.(batch.length, performance.now() - arrivals.get(batch[0]!)!);
    if (tracing === null) return commit(batch, mode);
    const attributes = { "parley.what": what, "parley.size": batch.length };
    return tracing.run("batch", attributes, () => commit(batch, mode));
  }

  /** @returns entries whose rows somebody else has locked */
  async function store(batch: readonly T[], mode: LockMode): Promise<readonly T[]> {
    if (mode !== "optimistic") return await storeAs(batch, mode);
    const remaining = await storeAs(batch, mode);
    return remaining.length === 0 ? [] : await storeAs(remaining, "locking");
  }

  /** @returns entries that cannot be stored in this mode */
  async function storeAs(batch: readonly T[], mode: LockMode): Promise<readonly T[]> {
    for (let tries = 0;; tries++) {
      // Entries that were refused meanwhile are the caller's to send again.
      const open = batch.filter((entry) => arrivals.has(entry));
      if (open.length === 0) return [];
      try {
        return finish(open, await begin(open, mode));
      } catch (error) {
        if (error instanceof CommitUnknown) {
          const { attempt, cause } = error as CommitUnknown<T>;
          const stored = await resolveCommit(error.isStored);
          if (stored === true) return finish(open, attempt);
          onRolledBack?.(open);
          if (stored === null) refuse(open, cause);
          continue;
        }
        onRolledBack?.(open);
        if (open.length > 1 && isDataError(error)) return await oneByOne(open, mode);
        // Disk space does not become free within the time of the retries.
        if (!isUnavailable(error) || error.kind === "disk") {
          refuse(open, error);
          return [];
        }
        startExpiring();
        // A row that the batch did not lock is locked; waiting apart shows which entries need it.
        if (
          mode !== "waiting" && (error.kind === "lock_timeout" || (error.isContention && tries > 1))
        ) {
          return open;
        }
        await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
        expire(error);
      }
    }
  }

  /** One entry that the database refuses must not fail the others. */
  async function oneByOne(batch: readonly T[], mode: LockMode): Promise<T[]> {
    const locked: T[] = [];
    const keys = new Set<string>();
    for (const entry of batch) {
      // Keeps the order behind an entry that waits for a lock.
      const found = keys.has(keyOf(entry)) ? [entry] : await storeAs([entry], mode);
      for (const one of found) keys.add(keyOf(one));
      locked.push(...found);
    }
    return locked;
  }

  function finish(batch: readonly T[], attempt: Attempt<T>): readonly T[] {
    const remaining = new Set(attempt.remaining);
    for (const entry of batch) if (!remaining.has(entry)) arrivals.delete(entry);
    attempt.complete();
    if (lanes.size === 0) stopExpiring();
    return attempt.remaining;
  }

  function refuse(batch: readonly T[], error: unknown): void {
    for (const entry of batch) {
      if (arrivals.delete(entry)) entry.reject(error);
    }
  }

  /** Whether the batch is stored; null: it cannot be known. */
  async function resolveCommit(isStored: () => Promise<boolean>): Promise<boolean | null> {
    startExpiring();
    const deadline = performance.now() + RESOLVE_MS;
    for (let tries = 0; performance.now() < deadline; tries++) {
      try {
        return await isStored();
      } catch (error) {
        if (!isUnavailable(error)) return null;
        await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
      }
    }
    return null;
  }

  /** Refuses overdue entries from now on, until all is stored again. */
  function startExpiring(): void {
    expiryTimer ??= setInterval(() => {
      if (arrivals.size === 0 || (running.size === 0 && lanes.size === 0)) stopExpiring();
      else expire(null);
    }, EXPIRY_CHECK_MS);
  }

  function stopExpiring(): void {
    clearInterval(expiryTimer);
    expiryTimer = undefined;
  }

  function expire(error: unknown): void {
    const limit = performance.now() - patienceMs;
    for (const [entry, at] of arrivals) {
      // Maps keep the order of insertion, which is the order of arrival.
      if (at > limit) break;
      arrivals.delete(entry);
      entry.reject(
        error ?? new ParleyError("unavailable", `Cannot store ${what}: it takes too long`, {
          retryAfter: 1000,
        }),
      );
    }
    if (waiting.some((entry) => !arrivals.has(entry))) {
      waiting = waiting.filter((entry) => arrivals.has(entry));
    }
  }

  /** Moves entries into lanes; later entries with the same key wait behind them. */
  function setAside(locked: readonly T[]): void {
    if (locked.length === 0) return;
    startExpiring();
    for (const [key, entries] of Map.groupBy(locked, keyOf)) {
      lanes.set(key, entries);
      queuedLanes.push(key);
    }
    const rest: T[] = [];
    for (const entry of waiting) (lanes.get(keyOf(entry)) ?? rest).push(entry);
    waiting = rest;
    startLanes();
  }

  function startLanes(): void {
    while (runningLanes.size < MAX_LANES && queuedLanes.length > 0) {
      const work = runLane(queuedLanes.shift()!).finally(() => {
        runningLanes.delete(work);
        startLanes();
      });
      runningLanes.add(work);
    }
  }

  async function runLane(key: string): Promise<void> {
    const lane = lanes.get(key)!;
    while (lane.length > 0) await storeAs(lane.splice(0, maxBatch), "waiting");
    lanes.delete(key);
  }

  function pending(): number {
    let count = waiting.length;
    for (const lane of lanes.values()) count += lane.length;
    return count;
  }

  return {
    add(entry) {
      if (pending() >= maxPending) {
        throw new ParleyError("overloaded", `Cannot store ${what}: too many are waiting`, {
          retryAfter: 1000,
          limit: "MAX_PENDING_WRITES",
        });
      }
      arrivals.set(entry, performance.now());
      const lane = lanes.size === 0 ? undefined : lanes.get(keyOf(entry));
      if (lane !== undefined) return void lane.push(entry);
      waiting.push(entry);
      startSoon();
    },
    async idle() {
      while (starting || running.size > 0 || lanes.size > 0) {
        await Promise.all([...running, ...runningLanes]);
      }
      stopExpiring();
    },
    get pending() {
      return pending();
    },
  };
}
