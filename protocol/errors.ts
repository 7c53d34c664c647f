import { CLOSE, type CloseReason } from "./close_codes.ts";
import { type FieldError, toFieldErrors, type ZodIssue } from "./field_errors.ts";

/**
 * Every error code, with the HTTP status that it has on a REST path and, where the error ends a
 * connection that is not authenticated, the close that follows. The code is the contract; sentences may change.
 */
export const ERRORS = {
  bad_request: { status: 400 },
  bad_json: { status: 400 },
  bad_frame: { status: 400 },
  unknown_type: { status: 400 },
  invalid: { status: 422 },
  request_timeout: { status: 408 },
  too_large: { status: 413 },
  unsupported_type: { status: 415 },
  file_refused: { status: 422 },
  unauthenticated: { status: 401 },
  invalid_token: { status: 401, close: "unauthorized" },
  token_expired: { status: 401 },
  invalid_session: { status: 401, close: "unauthorized" },
  invalid_credentials: { status: 401 },
  auth_timeout: { status: 401, close: "authTimeout" },
  forbidden: { status: 403 },
  blocked: { status: 403 },
  origin_not_allowed: { status: 403 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  conflict: { status: 409 },
  not_joined: { status: 409 },
  already_set_up: { status: 409 },
  read_only: { status: 403 },
  version_ahead: { status: 409 },
  version_gone: { status: 410 },
  out_of_range: { status: 422 },
  precondition_failed: { status: 412 },
  rate_limited: { status: 429 },
  too_many_subscriptions: { status: 429 },
  too_many_connections: { status: 429 },
  draining: { status: 503 },
  overloaded: { status: 503 },
  unavailable: { status: 503 },
  internal: { status: 500 },
} as const satisfies Record<string, { status: number; close?: CloseReason }>;

export type ErrorCode = keyof typeof ERRORS;

export type { FieldError };

export interface ErrorDetails {
  /** Milliseconds after which a repetition may succeed. */
  retryAfter?: number;
  /** The name of the limit that was reached, as in the settings. */
  limit?: string;
  fields?: FieldError[];
  cause?: unknown;
}

/** The error that is thrown on purpose. Clients get its code and sentence, and never its cause. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;
  readonly limit: string | undefined;
  readonly fields: FieldError[] | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ParleyError";
    this.code = code;
    this.retryAfter = details.retryAfter;
    this.limit = details.limit;
    this.fields = details.fields;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** The close that follows this error; undefined where the connection stays open. */
  get close(): (typeof CLOSE)[CloseReason] | undefined {
    const entry: { status: number; close?: CloseReason } = ERRORS[this.code];
    return entry.close === undefined ? undefined : CLOSE[entry.close];
  }
}

const TEMPORARY: ReadonlySet<ErrorCode> = new Set([
  "unavailable",
  "overloaded",
  "draining",
  "internal",
]);

/** Whether the server is the reason, so that the same request may succeed later. */
export function isTemporary(code: ErrorCode): boolean {
  return TEMPORARY.has(code);
}

/** The close of a connection that could not be authenticated for a temporary reason. */
export function closingFor(code: ErrorCode): (typeof CLOSE)[CloseReason] {
  return code === "internal" ? CLOSE.internal : CLOSE.unavailable;
}

/** Converts anything thrown to a ParleyError; other errors become `internal`. */
export function toParleyError(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  return new ParleyError("internal", "Cannot complete the request: internal error", {
    cause: error,
  });
}

/** Whether something is unavailable only for a moment, so that waiting for it makes sense. */
export function isBriefOutage(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "unavailable" &&
    (error.retryAfter ?? Infinity) <= SOON_MS;
}

/** The longest `retryAfter` that is worth waiting for, in milliseconds. */
const SOON_MS = 5000;

interface ZodLikeError {
  issues: readonly ZodIssue[];
}

/** All bad fields of a zod error, in the order in which zod found them. */
export function fieldErrors(error: ZodLikeError): FieldError[] {
  return error.issues.flatMap(toFieldErrors);
}

/** A sentence that names the first bad field, and the whole list in `fields`. */
export function invalid(what: string, error: ZodLikeError): ParleyError {
  const fields = fieldErrors(error);
  const first = fields[0];
  const detail = first === undefined
    ? "value is invalid"
    : first.path === ""
    ? first.message
    : `"${first.path}": ${first.message}`;
  return new ParleyError("invalid", `Cannot accept ${what}: ${detail}`, { fields });
}
