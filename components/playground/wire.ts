import { shouldReconnect } from "../../protocol/close_codes.ts";
import { ConnectionLost, endOf } from "./replies.ts";
import type { AdapterHandlers } from "./adapter.ts";
import type { FrameKind } from "./frames.ts";

export interface Wire {
  send(text: string): void;
  close(): void;
  /**
   * Closes the connection and reports the error. An earlier error of the server takes precedence.
   */
  fail(error: unknown): void;
}

export interface WireOptions {
  /** A path of this site. */
  path: string;
  protocols?: string[];
  kind: FrameKind;
  handlers: AdapterHandlers;
  open?(): void;
  frame(text: string): void;
  /** Called before `handlers.ended`, and also when this page closes the socket. */
  closed(): void;
}

/** "ws://host/path" for a path of this site. */
export function socketAddress(path: string): string {
  return location.origin.replace(/^http/, "ws") + path;
}

/** A WebSocket that logs every frame, and reports its end as a sentence. */
export function openWire(options: WireOptions): Wire {
  const { handlers, kind } = options;
  const url = socketAddress(options.path);
  handlers.frame("note", `Opening ${url}${options.protocols ? ` as ${options.protocols[0]}` : ""}`);
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
    handlers.frame("in", text, kind);
    options.frame(text);
  };
  socket.onclose = ({ code, reason }) => {
    if (over) return;
    over = true;
    const why = opened ? closeWords(code, reason) : "The socket could not be opened.";
    handlers.frame("note", `Closed: ${code} ${reason}`.trim());
    options.closed();
    handlers.ended({
      why,
      again: shouldReconnect(code),
      ...(code === 1008 ? { waitMs: 60_000 } : {}),
    });
  };
  function close() {
    if (over) return;
    over = true;
    handlers.frame("note", "Closed by this page");
    options.closed();
    socket.close();
  }

  return {
    close,
    fail(error) {
      if (over || error instanceof ConnectionLost) return;
      close();
      handlers.ended(endOf(error));
    },
    send(text) {
      if (socket.readyState !== WebSocket.OPEN) return;
      handlers.frame("out", text, kind);
      socket.send(text);
    },
  };
}

/** The reason for the end of a connection, as a sentence. */
export function closeWords(code: number, reason: string): string {
  if (code === 1006 || code === 1005) return `The connection was lost (${code}).`;
  if (code === 1008) return `${reason || "A rate was exceeded"}: wait a minute (1008).`;
  return `The server closed the connection: ${reason || "no reason given"} (${code}).`;
}
