import type { Problem } from "../../protocol/rest.ts";
import type { FieldError } from "../../protocol/errors.ts";
import { waitWords } from "../lib/time.ts";

/** What a call to the API failed with; `code` is the server's, or "offline" when it was not reached. */
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
  /** The version that the change is about: another one is refused with status 412. */
  ifMatch?: string;
}

/**
 * One call to this site's API. Resolves with the parsed answer (undefined for 204); throws an
 * ApiError for every answer that is none, and an AbortError when `signal` ended it.
 */
export async function callApi<T>(path: string, request: ApiRequest = {}): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (request.token !== undefined) headers.set("authorization", `Bearer ${request.token}`);
  if (request.ifMatch !== undefined) headers.set("if-match", request.ifMatch);
  // A POST says it is JSON even where it says nothing else: forms of other sites cannot.
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
    });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ApiError(0, { detail: "The server cannot be reached. Check your connection." });
  }
  if (response.status === 204) return undefined as T;
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer ?? {});
  return answer as T;
}

/** A sentence for people. Codes that say more than their detail get words of their own. */
export function errorText(error: unknown): string {
  const { code, retryAfter, message } = error as {
    code?: string;
    retryAfter?: number;
    message?: string;
  };
  if (code === "rate_limited") {
    return retryAfter === undefined
      ? "That was too often. Try again in a moment."
      : `That was too often. Try again in ${waitWords(retryAfter)}.`;
  }
  if (code === "forbidden") return "You do not have the right to do this.";
  if (code === "internal") return "Something went wrong on the server. Try again.";
  if (code === "timeout" || code === "disconnected" || code === "closed") {
    return "There is no connection to the server right now.";
  }
  return message ?? "Something went wrong. Try again.";
}
