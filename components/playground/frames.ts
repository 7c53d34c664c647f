/** The bounded log of all frames between one side and the server. */

/**
 * - `json`: one JSON message per frame
 * - `lines`: several messages, one per line (the native protocol)
 * - `engine`: an Engine.IO packet, usually with a Socket.IO packet inside
 * - `http`: the first line of a request or a response, and its body below
 */
export type FrameKind = "json" | "lines" | "engine" | "http";
/** `note`: an event of the connection itself. */
export type Direction = "in" | "out" | "note";

export interface Frame {
  /** Counts from 1. */
  id: number;
  direction: Direction;
  /** Milliseconds since 1970. */
  at: number;
  kind: FrameKind;
  /** As it was sent or received. */
  text: string;
  /** The type of the message, in the words of the protocol. */
  type: string;
  /** In UTF-8. */
  bytes: number;
  /** A ping, a pong or a heartbeat. */
  isPing: boolean;
}

/** Frames to keep, and UTF-16 code units to keep in all of them together. */
export const MAX_FRAMES = 500;
export const MAX_TEXT = 4_000_000;

export interface FrameFilter {
  direction: "all" | "in" | "out";
  /** A part of the type or of the text, in any case. */
  query: string;
  pings: boolean;
}

export const EVERYTHING: FrameFilter = { direction: "all", query: "", pings: true };

const PINGS = new Set(["ping", "pong", "heartbeat"]);
const encoder = new TextEncoder();

/** Adds a frame at the end, and drops the oldest where there are too many. */
export function withFrame(
  frames: readonly Frame[],
  frame: { direction: Direction; at: number; kind: FrameKind; text: string },
): Frame[] {
  const types = typesOf(frame.kind, frame.text);
  const next = [...frames, {
    ...frame,
    id: (frames.at(-1)?.id ?? 0) + 1,
    type: frame.direction === "note" ? "connection" : types.join(", "),
    bytes: encoder.encode(frame.text).length,
    isPing: frame.direction !== "note" && types.every((type) => PINGS.has(type)),
  }];
  let kept = 0;
  let from = next.length;
  while (from > 0 && next.length - from < MAX_FRAMES) {
    kept += next[from - 1]!.text.length;
    if (kept > MAX_TEXT && from < next.length) break;
    from--;
  }
  return from === 0 ? next : next.slice(from);
}

export function filterFrames(frames: readonly Frame[], filter: FrameFilter): Frame[] {
  const query = filter.query.trim().toLowerCase();
  return frames.filter((frame) =>
    (filter.direction === "all" || frame.direction === filter.direction) &&
    (filter.pings || !frame.isPing) &&
    (query === "" || frame.type.toLowerCase().includes(query) ||
      frame.text.toLowerCase().includes(query))
  );
}

/** The frame with its JSON formatted over several lines. Other text stays as it is. */
export function prettyFrame({ kind, text, direction }: Pick<Frame, "kind" | "text" | "direction">) {
  if (direction === "note") return text;
  if (kind === "json") return prettyJson(text);
  if (kind === "lines") return text.split("\n").map(prettyJson).join("\n");
  if (kind === "http") {
    const at = text.indexOf("\n");
    return at < 0 ? text : `${text.slice(0, at)}\n${prettyJson(text.slice(at + 1))}`;
  }
  const { head, body } = enginePacket(text);
  return body === "" ? head : `${head}\n${prettyJson(body)}`;
}

/** Names of JSON members and of URL parameters that contain a secret. */
const SECRETS = /("(?:token|sessionId|pid)"\s*:\s*")[^"]{9,}"|([?&](?:token|sessionId)=)[^&\s"]+/g;

/** The frames as lines of text for the clipboard, without tokens and session ids. */
export function framesAsText(frames: readonly Frame[]): string {
  const arrows: Record<Direction, string> = { in: "←", out: "→", note: "·" };
  return frames.map(({ at, direction, text }) => {
    const redacted = text.replace(
      SECRETS,
      (_, member?: string, parameter?: string) => member ? `${member}…"` : `${parameter}…`,
    );
    return `${new Date(at).toISOString()} ${arrows[direction]} ${redacted}`;
  }).join("\n");
}

function typesOf(kind: FrameKind, text: string): string[] {
  if (kind === "lines") return text.split("\n").filter((line) => line !== "").map(typeOf);
  if (kind === "http") return [text.split("\n", 1)[0]!];
  if (kind === "engine") return [enginePacket(text).type];
  return [typeOf(text)];
}

function typeOf(text: string): string {
  try {
    const { type } = JSON.parse(text) as { type?: unknown };
    return typeof type === "string" ? type : "message";
  } catch {
    return "not JSON";
  }
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const ENGINE = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
const SOCKET = ["connect", "disconnect", "event", "ack", "connect_error", "event", "ack"];

/** Splits an Engine.IO 4 packet: `42["message_received",{…}]` is "42", then the array. */
function enginePacket(text: string): { type: string; head: string; body: string } {
  const engine = ENGINE[Number(text[0])];
  if (engine !== "message") {
    const body = text.slice(1);
    return { type: engine ?? "binary", head: text.slice(0, 1), body };
  }
  const [, head = text, body = ""] = /^(4\d\d*-?(?:\/[^,]*,)?\d*)([\s\S]*)$/.exec(text) ?? [];
  const socket = SOCKET[Number(text[1])];
  if (socket !== "event") return { type: socket ?? "message", head, body };
  try {
    const name = (JSON.parse(body) as unknown[])[0];
    return { type: typeof name === "string" ? name : socket, head, body };
  } catch {
    return { type: socket, head, body };
  }
}
