/** Problem details (RFC 9457) for responses outside of the API's routes. */
import { type ErrorCode, ERRORS } from "../protocol/errors.ts";

export interface ProblemOptions {
  code: ErrorCode;
  detail: string;
  /** Milliseconds after which the request may succeed. */
  retryAfter?: number;
}

export function problemResponse({ code, detail, retryAfter }: ProblemOptions): Response {
  const { status } = ERRORS[code];
  return new Response(
    JSON.stringify({
      type: "about:blank",
      title: code,
      status,
      detail,
      code,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    }),
    {
      status,
      headers: {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        ...(retryAfter === undefined
          ? {}
          : { "retry-after": String(Math.ceil(retryAfter / 1000)) }),
      },
    },
  );
}
