import { isDataError } from "../db/data_error.ts";
import { isUnavailable } from "../db/database_error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { tracing } from "./tracing.ts";
import { nextTurn } from "./turn.ts";

/** What a transaction did, before anybody is told. */
export interface Attempt<T> {
  /** Left out: it cannot be done this way; see `How`. */
  left: readonly T[];
  /** Announces and answers everything else; called when it is certain that it is stored. */
  settle(): void;
}

/**
 * The ways to store a batch, each for what the one before it has left out:
 * - `optimistic`: relying on what is in memory, as long as the database has the same
 * - `locking`: looking at it under a lock; what somebody else has locked is left out
 * - `waiting`: waiting for such locks; nothing is left out
 */
export type How = "optimistic" | "locking" | "waiting";

/** The connection broke before the answer to the commit: only the database knows how it ended. */
export class CommitUnknown<T> extends Error {
  /** @param isStored asks; throws where it cannot be known yet. */
  constructor(
    readonly attempt: Attempt<T>,
    readonly isStored: () => Promise<boolean>,
    override readonly cause: unknown,
  ) {
    super("Cannot tell whether the transaction was committed");
  }
}

export interface GroupCommitOptions<T> {
  /** What waits, in the words of an error. */
  what: string;
  /** How much may wait for the database. */
  maxPending: number;
  /** How much goes into one transaction; more waits for the next one. */
  maxBatch: number;
  /** Transactions at a time, of different keys. */
  maxRunning: number;
  /**
   * Milliseconds for which a change is tried again while the database is away, or somebody else has
   * locked what it changes; then it is refused as `unavailable`.
   */
  patienceMs: number;
  /** What a change needs for itself alone; those with the same key keep their order. */
  keyOf: (entry: T) => string;
  /**
   * Stores all of them, but those that it leaves, or none.
   *
   * @throws {CommitUnknown}
   */
  commit: (batch: T[], how: How) => Promise<Attempt<T>>;
  /** A transaction begins; `waitedMs` is of its oldest entry. */
  onBatch?: ((size: number, waitedMs: number) => void) | undefined;
  /** A transaction was rolled back. */
  onRolledBack?: (batch: readonly T[]) => void;
}

export interface GroupCommit<T> {
  /** @throws {ParleyError} `overloaded` when too much waits. */
  add(entry: T): void;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
  readonly pending: number;
}

/** Those of one key that wait for somebody else's lock, apart from all others. */
type Lane<T> = T[];

/** Lanes that wait in the database at a time: each takes a connection. */
const MAX_LANES = 3;
/** Milliseconds between two tries, from the first to all that follow. */
const RETRY_MS = [20, 50, 100, 200] as const;
/** How often it is looked who has waited too long, once something has gone wrong. */
const LOOK_MS = 100;
/** How long it is asked how a commit ended, in milliseconds. */
const ASK_MS = 60_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * While a transaction runs, everything that arrives waits, and all of it is the next transaction. One
 * change alone is stored at once; a thousand at the same moment cost a few transactions, not a
 * thousand. Where several may run at a time, none has a key of another one. What somebody else has
 * locked leaves the batch and waits alone, so that nobody waits for it who does not have to.
 */
export function createGroupCommit<T extends { reject(error: unknown): void }>(
  options: GroupCommitOptions<T>,
): GroupCommit<T> {
  const { what, maxPending, maxBatch, maxRunning, patienceMs, keyOf, commit } = options;
  const { onBatch, onRolledBack } = options;
  let waiting: T[] = [];
  const running = new Set<Promise<void>>();
  /** Of what is in a transaction, outside of lanes. */
  const busy = new Set<string>();
  let starting = false;
  const lanes = new Map<string, Lane<T>>();
  const queuedLanes: string[] = [];
  const runningLanes = new Set<Promise<void>>();
  /** When it came, of each that is not answered. */
  const arrivals = new Map<T, number>();
  let looking: ReturnType<typeof setInterval> | undefined;

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
    // Sockets get their turn, and what they bring is in the next batch.
    if (waiting.length > 0) await nextTurn();
  }

  /** What may go now, in its order. */
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

  function begin(batch: T[], how: How): Promise<Attempt<T>> {
    onBatch?.(batch.length, performance.now() - arrivals.get(batch[0]!)!);
    if (tracing === null) return commit(batch, how);
    const attributes = { "parley.what": what, "parley.size": batch.length };
    return tracing.run("batch", attributes, () => commit(batch, how));
  }

  /** @returns what is locked by somebody else */
  async function store(batch: readonly T[], how: How): Promise<readonly T[]> {
    if (how !== "optimistic") return await storeAs(batch, how);
    const left = await storeAs(batch, how);
    return left.length === 0 ? [] : await storeAs(left, "locking");
  }

  /** @returns what cannot be done this way */
  async function storeAs(batch: readonly T[], how: How): Promise<readonly T[]> {
    for (let tries = 0;; tries++) {
      // Who was refused meanwhile sends it again, where it still matters.
      const open = batch.filter((entry) => arrivals.has(entry));
      if (open.length === 0) return [];
      try {
        return finish(open, await begin(open, how));
      } catch (error) {
        if (error instanceof CommitUnknown) {
          const { attempt, cause } = error as CommitUnknown<T>;
          const stored = await find(error.isStored);
          if (stored === true) return finish(open, attempt);
          onRolledBack?.(open);
          if (stored === null) refuse(open, cause);
          continue;
        }
        onRolledBack?.(open);
        if (open.length > 1 && isDataError(error)) return await oneByOne(open, how);
        // Space does not come within the time that a change is tried again.
        if (!isUnavailable(error) || error.kind === "disk") {
          refuse(open, error);
          return [];
        }
        look();
        // Something else than what it looked at is locked: which of them need it is found out apart.
        if (
          how !== "waiting" && (error.kind === "lock_timeout" || (error.isContention && tries > 1))
        ) {
          return open;
        }
        await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
        expire(error);
      }
    }
  }

  /** One change that the database refuses must not take the others with it. */
  async function oneByOne(batch: readonly T[], how: How): Promise<T[]> {
    const locked: T[] = [];
    const keys = new Set<string>();
    for (const entry of batch) {
      // Behind one that is locked the order is kept.
      const found = keys.has(keyOf(entry)) ? [entry] : await storeAs([entry], how);
      for (const one of found) keys.add(keyOf(one));
      locked.push(...found);
    }
    return locked;
  }

  function finish(batch: readonly T[], attempt: Attempt<T>): readonly T[] {
    const left = new Set(attempt.left);
    for (const entry of batch) if (!left.has(entry)) arrivals.delete(entry);
    attempt.settle();
    if (lanes.size === 0) stopLooking();
    return attempt.left;
  }

  function refuse(batch: readonly T[], error: unknown): void {
    for (const entry of batch) {
      if (arrivals.delete(entry)) entry.reject(error);
    }
  }

  /** Whether it is stored; null: it cannot be found out. */
  async function find(isStored: () => Promise<boolean>): Promise<boolean | null> {
    look();
    const deadline = performance.now() + ASK_MS;
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

  /** From now on until all is well who has waited too long is refused. */
  function look(): void {
    looking ??= setInterval(() => {
      if (arrivals.size === 0 || (running.size === 0 && lanes.size === 0)) stopLooking();
      else expire(null);
    }, LOOK_MS);
  }

  function stopLooking(): void {
    clearInterval(looking);
    looking = undefined;
  }

  function expire(error: unknown): void {
    const limit = performance.now() - patienceMs;
    for (const [entry, at] of arrivals) {
      // In the order of arrival.
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

  /** What is locked waits apart, and what comes later of the same waits behind it. */
  function setAside(locked: readonly T[]): void {
    if (locked.length === 0) return;
    look();
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
      stopLooking();
    },
    get pending() {
      return pending();
    },
  };
}
