import type { ServerMessage } from "../protocol/native.ts";

/** The same string as in protocol/native.ts, which is not imported because it would bring zod. */
export const SUBPROTOCOL = "parley.v1";

export interface SocketHandlers {
  message(message: ServerMessage): void;
  /** Exactly once. Code 1006 where the peer gave none. */
  closed(code: number, reason: string): void;
  /** A line that is not a message of the protocol. */
  garbage(line: string): void;
}

export interface Socket {
  send(text: string): void;
  /** Ends it without a word to the handlers: a dead peer would keep a browser waiting for minutes. */
  abandon(): void;
}

/** "https://host", "wss://host", "https://host/base" or ".../realtime" → the socket's address. */
export function socketUrl(url: string): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  const parsed = new URL(url, base);
  parsed.protocol = parsed.protocol.replace("http", "ws");
  parsed.hash = "";
  if (!/\/realtime$/.test(parsed.pathname)) {
    parsed.pathname = parsed.pathname.replace(/\/$/, "") + "/realtime";
  }
  return parsed.href;
}

/** One WebSocket, its frames cut into lines and parsed. Throws what the constructor throws. */
export function openSocket(
  Constructor: typeof WebSocket,
  url: string,
  handlers: SocketHandlers,
): Socket {
  const socket = new Constructor(url, [SUBPROTOCOL]);
  let over = false;
  socket.onmessage = ({ data }) => {
    if (over || typeof data !== "string") return;
    for (const line of data.split("\n")) {
      if (over || line === "") continue;
      let message: ServerMessage;
      try {
        message = JSON.parse(line);
      } catch {
        handlers.garbage(line);
        continue;
      }
      handlers.message(message);
    }
  };
  socket.onclose = (event) => {
    if (over) return;
    over = true;
    handlers.closed(event.code || 1006, event.reason);
  };
  // A close follows every error; without a handler some runtimes treat the event as unhandled.
  socket.onerror = () => {};
  return {
    send(text) {
      if (socket.readyState === 1) socket.send(text);
    },
    abandon() {
      over = true;
      socket.close(1000);
    },
  };
}
