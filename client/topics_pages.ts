import type { ErrorCode } from "../protocol/errors.ts";
import type { EventPage } from "../protocol/topics.ts";
import { ParleyClientError } from "./errors.ts";
import type { Credentials } from "./types.ts";

const PATH = "/api/v1";

/**
 * "https://host", "wss://host/base" or ".../api/v1/ws" → the addresses of the socket and the pages.
 */
export function topicsUrls(url: string): { socket: string; events(id: string): string } {
  const base = new URL(url, typeof location === "undefined" ? undefined : location.href);
  base.search = base.hash = "";
  base.pathname = base.pathname.replace(/\/+$/, "").replace(/\/api\/v1(\/ws)?$/, "") + PATH;
  base.protocol = base.protocol.replace("ws", "http");
  const http = base.href;
  base.protocol = base.protocol.replace("http", "ws");
  return {
    socket: `${base.href}/ws`,
    events: (id) => `${http}/conversations/${encodeURIComponent(id)}/events`,
  };
}

export interface PageRequest {
  url: string;
  after: string | undefined;
  credentials: Credentials;
  timeoutMs: number;
  /** Ends the request when the client is closed. */
  signal: AbortSignal;
  fetch: typeof fetch;
}

/**
 * Reads one page of events. Throws a ParleyClientError; `disconnected` where there was no answer.
 */
export async function readPage(request: PageRequest): Promise<EventPage> {
  const { credentials, after } = request;
  const bearer = "token" in credentials ? credentials.token : credentials.sessionId;
  const query = `?events=all${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`;
  let status: number;
  let body: EventPage & { code?: ErrorCode; detail?: string; retryAfter?: number };
  try {
    const response = await request.fetch(request.url + query, {
      headers: { authorization: `Bearer ${bearer}` },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]),
    });
    status = response.status;
    body = await response.json();
  } catch (cause) {
    throw new ParleyClientError("disconnected", "Cannot read events: no answer", { cause });
  }
  if (status === 200) return body;
  const { code = "internal", detail = `Cannot read events: status ${status}`, retryAfter } = body;
  throw new ParleyClientError(code, detail, retryAfter === undefined ? {} : { retryAfter });
}
