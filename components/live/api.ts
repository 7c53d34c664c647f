import type { Problem } from "../../protocol/rest.ts";
import type { FieldError } from "../../protocol/errors.ts";
import { waitWords } from "../format/time.ts";
import { noteServerTime } from "./server_time.ts";

/** A failed call of the API. `code` is the server's, or "offline" where it was not reached. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly fields: readonly FieldError[];
  /** Milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered with status ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? (status === 0 ? "offline" : "internal");
    this.fields = problem.fields ?? [];
    this.retryAfter = problem.retryAfter;
  }
}

export interface ApiRequest {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  token?: string;
  signal?: AbortSignal;
  /** The version that the change is based on; the server refuses any other with status 412. */
  ifMatch?: string;
  /** The version that the caller has; the answer is undefined while there is no other. */
  ifNoneMatch?: string;
  /** It is sent even if the page ends now; at most 64 KB. */
  keepalive?: boolean;
}

/**
 * Calls this site's API. Resolves with the parsed answer (undefined for 204 and 304). Throws an ApiError
 * for every other answer, and an AbortError when `signal` ended it.
 */
export async function callApi<T>(path: string, request: ApiRequest = {}): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (request.token !== undefined) headers.set("authorization", `Bearer ${request.token}`);
  if (request.ifMatch !== undefined) headers.set("if-match", request.ifMatch);
  if (request.ifNoneMatch !== undefined) headers.set("if-none-match", request.ifNoneMatch);
  // A POST is always sent as JSON, because a form of another site cannot do that.
  const body = request.body ?? (request.method === "POST" ? {} : undefined);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await fetch(path, {
      method: request.method ?? "GET",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: request.signal,
      keepalive: request.keepalive,
    });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw unreachable();
  }
  noteServerTime(response.headers.get("date"));
  if (response.status === 204 || response.status === 304) return undefined as T;
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, answer ?? {});
  // The connection ended in the middle of the body, for example because the page is left.
  if (answer === undefined) throw unreachable();
  return answer as T;
}

function unreachable(): ApiError {
  return new ApiError(0, { detail: "The server cannot be reached. Check your connection." });
}

/** A sentence for users. Some codes have a better sentence than their detail. */
export function errorText(error: unknown): string {
  const { code, retryAfter, message } = error as {
    code?: string;
    retryAfter?: number;
    message?: string;
  };
  if (code === "rate_limited") {
    return retryAfter === undefined
      ? "Too many requests. Try again in a moment."
      : `Too many requests. Try again in ${waitWords(retryAfter)}.`;
  }
  if (code === "forbidden") return "You are not allowed to do this.";
  if (code === "not_found") return "This does not exist any more. Somebody may have deleted it.";
  if (code === "internal") return "Something went wrong on the server. Try again.";
  if (code === "timeout" || code === "disconnected" || code === "closed") {
    return "There is no connection to the server right now.";
  }
  return message ?? "Something went wrong. Try again.";
}
