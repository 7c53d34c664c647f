import type { ErrorCode, ErrorDetails, FieldError } from "../protocol/errors.ts";

/**
 * The server's codes, and those that only a client knows:
 * - `timeout`: no answer within `ackTimeoutMs`, or no connection within `connectTimeoutMs`
 * - `disconnected`: the connection ended before the answer; whether the command was carried out is
 *   unknown
 * - `closed`: the client was closed, or gave up (`failed`)
 * - `credentials`: `credentials()` threw
 * - `too_many_attempts`: `maxAttempts` attempts in a row failed
 * - `outbox_full`: `maxOutbox` messages wait already
 * - `discarded`: a waiting message was withdrawn with `discard`, or an upload was cancelled
 */
export type ClientErrorCode =
  | ErrorCode
  | "timeout"
  | "disconnected"
  | "closed"
  | "credentials"
  | "too_many_attempts"
  | "outbox_full"
  | "discarded";

/**
 * Every rejection and every `error` event of the SDK. Only the code is stable; the sentence may
 * change.
 */
export class ParleyClientError extends Error {
  readonly code: ClientErrorCode;
  /** Milliseconds after which the same may succeed. */
  readonly retryAfter: number | undefined;
  /** The name of the limit that was reached. */
  readonly limit: string | undefined;
  readonly fields: FieldError[] | undefined;

  constructor(code: ClientErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.name = "ParleyClientError";
    this.code = code;
    this.retryAfter = details.retryAfter;
    this.limit = details.limit;
    this.fields = details.fields;
  }
}

/** Faults of the server itself. */
export const FAULTS: string[] = ["internal", "overloaded", "timeout"];
/** Errors that are not about the command: the same command may succeed later. */
export const PASSING = [...FAULTS, "unavailable", "rate_limited", "draining"];

/** Converts any error to a ParleyClientError. */
export function toClientError(
  error: unknown,
  code: ClientErrorCode = "internal",
): ParleyClientError {
  if (error instanceof ParleyClientError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ParleyClientError(code, message, { cause: error });
}
