import { ApiError } from "../live/api.ts";
import type { Direction, FrameKind } from "./frames.ts";

type Tell = (direction: Direction, text: string, kind: FrameKind) => void;

/** A request to this site's API that is told as it passes. Throws an ApiError, as `callApi` does. */
export async function callAloud<T>(
  tell: Tell,
  method: "GET" | "POST",
  path: string,
  request: { token: string; body?: unknown },
): Promise<T> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  tell("out", `${method} ${path}${body === undefined ? "" : `\n${body}`}`, "http");
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
    tell("note", "The request got no answer", "http");
    throw new ApiError(0, { detail: "The server cannot be reached. Check your connection." });
  }
  tell("in", `${response.status} ${response.statusText}\n${text}`.trim(), "http");
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
