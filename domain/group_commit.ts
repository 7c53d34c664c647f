import { isDataError } from "../db/data_error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { nextTurn } from "./turn.ts";

export interface GroupCommitOptions<T> {
  /** What waits, in the words of an error. */
  what: string;
  /** How much may wait for the database. */
  maxPending: number;
  /** How much goes into one transaction; more waits for the next one. */
  maxBatch: number;
  /** Stores all of them or none, and answers each. */
  commit: (batch: T[]) => Promise<void>;
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

/**
 * While one transaction runs, everything that arrives waits, and all of it is the next transaction.
 * One change alone is stored at once; a thousand at the same moment cost a few transactions, not a
 * thousand.
 */
export function createGroupCommit<T extends { reject(error: unknown): void }>(
  { what, maxPending, maxBatch, commit, onRolledBack }: GroupCommitOptions<T>,
): GroupCommit<T> {
  let waiting: T[] = [];
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    // Everything that arrives in the same turn of the event loop belongs to the first batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      await runBatch(batch);
      // Sockets get their turn, and what they bring is in the next batch.
      if (waiting.length > 0) await nextTurn();
    }
    running = null;
  }

  async function runBatch(batch: T[]): Promise<void> {
    try {
      await commit(batch);
    } catch (error) {
      onRolledBack?.(batch);
      if (batch.length > 1 && isDataError(error)) {
        // One change that the database refuses must not take the others with it; the transaction
        // was rolled back, so each can be tried alone.
        for (const entry of batch) await runBatch([entry]);
      } else {
        for (const entry of batch) entry.reject(error);
      }
    }
  }

  return {
    add(entry) {
      if (waiting.length >= maxPending) {
        throw new ParleyError("overloaded", `Cannot store ${what}: too many are waiting`, {
          retryAfter: 1000,
          limit: "MAX_PENDING_WRITES",
        });
      }
      waiting.push(entry);
      running ??= run();
    },
    async idle() {
      while (running !== null) await running;
    },
    get pending() {
      return waiting.length;
    },
  };
}
