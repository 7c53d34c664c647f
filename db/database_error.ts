import { ParleyError } from "../protocol/errors.ts";

/**
 * Why a statement failed, where the statement itself is not the reason:
 * - `connection`: broken, ended by the server, or not possible
 * - `refused`: the server accepts no more connections, or lacks resources
 * - `read_only`: after a failover, or while its disk is nearly full
 * - `disk`: the disk of the embedded database is nearly full
 * - `connect_timeout`: no connection in time, or none of the pool's became free
 * - `query_timeout`: no answer in time, so the connection was closed
 * - `statement_timeout`: the server ended it, because it took too long
 * - `lock_timeout`: somebody else held a lock for too long
 * - `deadlock`: two transactions waited for each other, and this one was aborted
 * - `idle_transaction`: the transaction was idle for too long, and was aborted
 */
export type Trouble =
  | "connection"
  | "refused"
  | "read_only"
  | "disk"
  | "connect_timeout"
  | "query_timeout"
  | "statement_timeout"
  | "lock_timeout"
  | "deadlock"
  | "idle_transaction";

const SENTENCE: Record<Trouble, string> = {
  connection: "the database is not available",
  refused: "the database has no room",
  read_only: "the database takes no changes",
  disk: "the server's disk is nearly full, so nothing is written until there is space",
  connect_timeout: "the database is not available",
  query_timeout: "the database does not answer",
  statement_timeout: "the database takes too long",
  lock_timeout: "somebody else has locked what it changes",
  deadlock: "others are changing the same",
  idle_transaction: "the database did not wait for this server",
};

/** Default time after which a client may try again, in milliseconds. */
const RETRY_AFTER_MS = 1000;

/** The database could not do it now, and may later: `unavailable` for every client. */
export class DatabaseUnavailable extends ParleyError {
  constructor(readonly kind: Trouble, cause?: unknown) {
    super("unavailable", `Cannot complete the request: ${SENTENCE[kind]}`, {
      retryAfter: RETRY_AFTER_MS,
      cause,
    });
  }

  /** The message of the database or of the network. */
  get reason(): string {
    return this.cause instanceof Error ? this.cause.message : SENTENCE[this.kind];
  }

  /** The transaction was rolled back because of other transactions, and may succeed at once. */
  get isContention(): boolean {
    return this.kind === "lock_timeout" || this.kind === "deadlock";
  }

  /** The answer to a commit may be lost, so it is not known whether it was committed. */
  get isUncertain(): boolean {
    return this.kind === "connection" || this.kind === "query_timeout" ||
      this.kind === "idle_transaction";
  }
}

/** By SQLSTATE; a class has two characters. See the appendix "PostgreSQL Error Codes". */
const BY_STATE: Record<string, Trouble> = {
  "08": "connection",
  "25006": "read_only",
  "25P03": "idle_transaction",
  "25P04": "statement_timeout",
  "28": "refused",
  "3D000": "refused",
  "40001": "deadlock",
  "40P01": "deadlock",
  "53": "refused",
  "55P03": "lock_timeout",
  "57014": "statement_timeout",
  "57P": "connection",
  "58": "refused",
};

/** Error codes of the operating system for connections. */
const BY_SYSTEM = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOTCONN",
]);

/** Errors of pg without a code. */
const BY_MESSAGE: [RegExp, Trouble][] = [
  [
    /^timeout exceeded when trying to connect|due to connection timeout|^timeout expired$/,
    "connect_timeout",
  ],
  [/^Connection terminated|not queryable$|has been discarded$/, "connection"],
];

/** null: the statement itself is the reason, or it is not known. */
export function troubleOf(error: unknown): Trouble | null {
  if (error instanceof DatabaseUnavailable) return error.kind;
  if (!(error instanceof Error)) return null;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string") {
    if (BY_SYSTEM.has(code)) return "connection";
    return BY_STATE[code] ?? BY_STATE[code.slice(0, 3)] ?? BY_STATE[code.slice(0, 2)] ?? null;
  }
  return BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1] ?? null;
}

/** Whether the database is the reason; outages are logged by db/availability.ts. */
export function isUnavailable(error: unknown): error is DatabaseUnavailable {
  return error instanceof DatabaseUnavailable;
}
