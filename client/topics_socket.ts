import type { ConversationEvent } from "../protocol/topics.ts";

/** What the server says at `/api/v1/ws`. */
export type TopicsMessage =
  | ConversationEvent
  | { type: "authenticated"; actorID: string; actorType: string; expiresAt: string | null }
  | {
    type: "subscription";
    action: "subscribed" | "unsubscribed";
    topic: string;
    resourceID: string;
    position?: string;
    reset?: boolean;
  }
  | { type: "position"; topic: string; resourceID: string; position: string }
  | { type: "heartbeat"; timestamp: string; positions: Record<string, string> }
  | { type: "reconnect"; retryAfter: number }
  | { type: "pong"; timestamp: string }
  | {
    type: "error";
    code: string;
    message: string;
    topic?: string;
    resourceID?: string;
    retryAfter?: number;
  };

export interface TopicsSocketHandlers {
  open(): void;
  message(message: TopicsMessage): void;
  /** Exactly once. Code 1006 where the peer gave none. */
  closed(code: number, reason: string): void;
  /** A frame that is not a message of the protocol. */
  garbage(length: number): void;
}

export interface TopicsSocket {
  send(message: Record<string, unknown>): void;
  /** Ends it without a word to the handlers. */
  abandon(): void;
}

/** One WebSocket with one JSON message a frame. Throws what the constructor throws. */
export function openTopicsSocket(
  Constructor: typeof WebSocket,
  url: string,
  handlers: TopicsSocketHandlers,
): TopicsSocket {
  const socket = new Constructor(url);
  let over = false;
  socket.onopen = () => over || handlers.open();
  socket.onmessage = ({ data }) => {
    if (over) return;
    let message: TopicsMessage | null = null;
    try {
      message = JSON.parse(String(data));
    } catch {
      // Told below, as everything that has no type.
    }
    if (typeof message?.type === "string") handlers.message(message);
    else handlers.garbage(String(data).length);
  };
  socket.onclose = ({ code, reason }) => {
    if (over) return;
    over = true;
    handlers.closed(code || 1006, reason);
  };
  // A close follows every error; without a handler some runtimes treat the event as unhandled.
  socket.onerror = () => {};
  return {
    send(message) {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    },
    abandon() {
      over = true;
      socket.close(1000);
    },
  };
}
