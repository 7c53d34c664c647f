import { shouldReconnect } from "../../protocol/close_codes.ts";
import { ConnectionLost, endOf } from "./answers.ts";
import type { Ears } from "./dialect.ts";
import type { FrameKind } from "./frames.ts";

export interface Wire {
  send(text: string): void;
  close(): void;
  /** Closes, and tells that it could not begin; what the server has said already comes first. */
  fail(error: unknown): void;
}

export interface WireOptions {
  /** A path of this site; with the address of the server in front it is the socket's. */
  path: string;
  protocols?: string[];
  kind: FrameKind;
  ears: Ears;
  open?(): void;
  frame(text: string): void;
  /** Before `ears.ended`, and also when this page closed it. */
  closed(): void;
}

/** "ws://host/path" for a path of this site. */
export function socketAddress(path: string): string {
  return location.origin.replace(/^http/, "ws") + path;
}

/** A WebSocket that shows every frame, and says in words how it ended. */
export function openWire(options: WireOptions): Wire {
  const { ears, kind } = options;
  const url = socketAddress(options.path);
  ears.frame("note", `Opening ${url}${options.protocols ? ` as ${options.protocols[0]}` : ""}`);
  const socket = new WebSocket(url, options.protocols);
  let over = false;
  let opened = false;
  socket.onopen = () => {
    opened = true;
    if (!over) options.open?.();
  };
  socket.onmessage = ({ data }) => {
    if (over) return;
    const text = typeof data === "string" ? data : "(binary)";
    ears.frame("in", text, kind);
    options.frame(text);
  };
  socket.onclose = ({ code, reason }) => {
    if (over) return;
    over = true;
    const why = opened ? closeWords(code, reason) : "The socket could not be opened.";
    ears.frame("note", `Closed: ${code} ${reason}`.trim());
    options.closed();
    ears.ended({ why, again: shouldReconnect(code), ...(code === 1008 ? { waitMs: 60_000 } : {}) });
  };
  function close() {
    if (over) return;
    over = true;
    ears.frame("note", "Closed by this page");
    options.closed();
    socket.close();
  }

  return {
    close,
    fail(error) {
      if (over || error instanceof ConnectionLost) return;
      close();
      ears.ended(endOf(error));
    },
    send(text) {
      if (socket.readyState !== WebSocket.OPEN) return;
      ears.frame("out", text, kind);
      socket.send(text);
    },
  };
}

/** Why a connection ended, as a sentence. */
export function closeWords(code: number, reason: string): string {
  if (code === 1006 || code === 1005) return `The connection was lost (${code}).`;
  if (code === 1008) return `${reason || "A rate was exceeded"}: wait a minute (1008).`;
  return `The server closed the connection: ${reason || "no reason given"} (${code}).`;
}
