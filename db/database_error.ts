import { ParleyError } from "../protocol/errors.ts";

/**
 * Why a statement was not carried out, where the statement itself is not to blame:
 * - `connection`: broken, ended by the server, or none could be made
 * - `refused`: the server lets nobody else in, or has no room for what it was asked for
 * - `read_only`: after a failover, or while its disk is nearly full
 * - `disk`: the disk of the embedded database is nearly full
 * - `connect_timeout`: no connection in time, or none of the pool's became free
 * - `query_timeout`: no answer in time, so the connection was given up
 * - `statement_timeout`: the server ended it, because it took too long
 * - `lock_timeout`: what it needs was locked by somebody else for too long
 * - `deadlock`: two transactions waited for each other, and this one was ended
 * - `idle_transaction`: the transaction did nothing for too long, and lost its locks
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

/** Milliseconds after which a client may try again, where nothing better is known. */
const RETRY_AFTER_MS = 1000;

/** The database did not carry it out, and may do so later: `unavailable` for every client. */
export class DatabaseUnavailable extends ParleyError {
  constructor(readonly kind: Trouble, cause?: unknown) {
    super("unavailable", `Cannot complete the request: ${SENTENCE[kind]}`, {
      retryAfter: RETRY_AFTER_MS,
      cause,
    });
  }

  /** What the database or the network said. */
  get reason(): string {
    return this.cause instanceof Error ? this.cause.message : SENTENCE[this.kind];
  }

  /** The transaction was rolled back only because of others, and may succeed at once. */
  get isContention(): boolean {
    return this.kind === "lock_timeout" || this.kind === "deadlock";
  }

  /** The answer to a commit may be lost: whether it was carried out is not known. */
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

/** What the operating system says of a connection. */
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

/** What pg says without a code. */
const BY_MESSAGE: [RegExp, Trouble][] = [
  [
    /^timeout exceeded when trying to connect|due to connection timeout|^timeout expired$/,
    "connect_timeout",
  ],
  [/^Connection terminated|not queryable$|has been discarded$/, "connection"],
];

/** null: the statement itself is to blame, or nobody knows. */
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

/** Whether it is the database that is away, which whoever opened it has said already. */
export function isUnavailable(error: unknown): error is DatabaseUnavailable {
  return error instanceof DatabaseUnavailable;
}
