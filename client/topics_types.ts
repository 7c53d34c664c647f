import type { ConversationEvent } from "../protocol/topics.ts";
import type { ParleyClientError } from "./errors.ts";
import type { Credentials } from "./types.ts";

/**
 * - `idle`: `connect` was not called yet
 * - `connecting`: the first connection is being made
 * - `live`: events come over the socket
 * - `polling`: there is no socket; events are read every `pollMs`, and a socket is tried again
 * - `failed`: gave up, because the credentials are invalid or the server said so; see `connect`
 * - `closed`: `disconnect` was called, or the server ended the connection with 1000
 */
export type TopicsState = "idle" | "connecting" | "live" | "polling" | "failed" | "closed";

export interface TopicsOptions {
  /** "https://host" or "wss://host", with or without "/api/v1/ws". */
  url: string;
  /**
   * Called for each connection, and before a token expires. A throw is a failed attempt, which is
   * repeated with backoff; a thrown object with `final: true` leads to the state `failed`.
   */
  credentials: () => Credentials | Promise<Credentials>;
  /** Milliseconds between two polls while there is no socket. Default 3,000. */
  pollMs?: number;
  /** Milliseconds for an attempt to connect, and for a poll. Default 10,000. */
  timeoutMs?: number;
  /** Milliseconds of the first wait before a new attempt. Default 1,000. */
  minDelayMs?: number;
  /** Upper bound of every wait, in milliseconds. Default 30,000. */
  maxDelayMs?: number;
  /** Milliseconds of silence before the server is pinged. Default 30,000. */
  silenceMs?: number;
  /** Receives one line for each event. Never contains credentials or content. */
  debug?: (line: string) => void;
  /** The constructor to use. Default: the global one. */
  WebSocket?: typeof WebSocket;
  /** The function to use. Default: the global one. */
  fetch?: typeof fetch;
}

/** The options with their defaults. */
export type TopicsSettings =
  & TopicsOptions
  & Required<
    Pick<TopicsOptions, "pollMs" | "timeoutMs" | "minDelayMs" | "maxDelayMs" | "silenceMs">
  >;

/** The events of `TopicsClient.on`. */
export interface TopicsEvents {
  state: TopicsState;
  /** Errors that no promise carries. With `conversationID`: its subscription has ended. */
  error: { error: ParleyClientError; conversationID?: string };
  /** Missed events cannot be replayed: read the conversation again. Events continue from now. */
  reset: { conversationID: string };
}

/** A message of the server at `/api/v1/ws`. */
export type TopicsMessage =
  | ConversationEvent
  | {
    type: "authenticated";
    actorID: string;
    actorType: string;
    expiresAt: string | null;
    timestamp: string;
  }
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
