import { ApiError } from "../live/api.ts";
import type { Direction, FrameKind } from "./frames.ts";

type Log = (direction: Direction, text: string, kind: FrameKind) => void;

/** Sends a logged request to this site's API. Throws an ApiError, as `callApi` does. */
export async function callLogged<T>(
  log: Log,
  method: "GET" | "POST",
  path: string,
  request: { token: string; body?: unknown },
): Promise<T> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  log("out", `${method} ${path}${body === undefined ? "" : `\n${body}`}`, "http");
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${request.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body,
    });
    text = await response.text();
  } catch {
    log("note", "The request got no answer", "http");
    throw new ApiError(0, { detail: "The server cannot be reached. Check your connection." });
  }
  log("in", `${response.status} ${response.statusText}\n${text}`.trim(), "http");
  const answer = parse(text);
  if (!response.ok) throw new ApiError(response.status, answer ?? {});
  return answer as T;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
