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
