import type { ParleyClientError } from "./errors.ts";

/**
 * - `DISCONNECTED`: not connected, and nothing is done about it
 * - `CONNECTING`: an attempt is under way, up to the answered authentication
 * - `CONNECTED`: messages flow
 * - `RECONNECTING`: the connection was lost, or an attempt failed, and the next one waits
 * - `FAILED`: given up; `connect` or `send` tries again
 */
export const ConnectionState = {
  CONNECTING: "CONNECTING",
  CONNECTED: "CONNECTED",
  RECONNECTING: "RECONNECTING",
  DISCONNECTED: "DISCONNECTED",
  FAILED: "FAILED",
} as const;
export type ConnectionState = keyof typeof ConnectionState;

/** The types of the protocol's own messages. */
export const MessageType = {
  SYSTEM: "system",
  PING: "ping",
  PONG: "pong",
  AUTH: "auth",
  AUTH_RESPONSE: "auth_response",
  CHAT: "chat",
  ACK: "ack",
  ERROR: "error",
  DATABASE_CHANGE: "database_change",
} as const;

/** One message of the protocol, in either direction, see docs/protocols/chat-json.md. */
export interface WebSocketMessage {
  type: string;
  payload?: Record<string, unknown>;
  clientId?: string;
  /** ISO 8601 */
  timestamp?: string;
  [field: string]: unknown;
}

export type MessageHandler = (message: WebSocketMessage) => unknown;
/** `message` is the one that the error is about, where it is about one and it is given up. */
export type ErrorHandler = (error: ParleyClientError, message?: WebSocketMessage) => unknown;
export type DisconnectHandler = (event: { code: number; reason: string }) => unknown;

/** A string, or what makes one for each connection: access tokens live for minutes. */
export type Secret = string | (() => string | Promise<string>);

export interface WebSocketConfig {
  /** "wss://host/ws"; "https://host" is the same. */
  url: string;
  /** An agent's access token. Without it and `sessionId`, send an `auth` message yourself. */
  token?: Secret;
  /** A visitor's session. */
  sessionId?: Secret;
  /** Whether a lost connection is made again. Default true. */
  autoReconnect?: boolean;
  /** Attempts in a row that may fail before the state is `FAILED`. Default 10. */
  maxReconnectAttempts?: number;
  /** Milliseconds before the first new attempt; doubles with each. Default 1,000. */
  reconnectDelay?: number;
  /** Milliseconds that no wait exceeds, before jitter. Default 30,000. */
  maxReconnectDelay?: number;
  /** Milliseconds of silence after which a ping is sent; after as many again it is dead. Default 30,000. */
  heartbeatIntervalMs?: number;
  /** Milliseconds from the start of an attempt to the answered authentication. Default 10,000. */
  connectionTimeout?: number;
  /** Milliseconds that a chat may go without its echo before the connection counts as dead. Default 10,000. */
  ackTimeout?: number;
  /** Messages a second, on average over a minute: `send` takes 60 times as many in one. Default 10. */
  rateLimitPerSecond?: number;
  /** Messages that may wait, for a connection or for their echo. Default 100. */
  maxQueueSize?: number;
  /** Bytes of one message, as the server's MAX_MESSAGE_BYTES. Default 65,536. */
  maxMessageBytes?: number;
  /** Names this client in its messages. Default: random. */
  clientId?: string;
  /** Prints what happens with `console.debug`, never credentials and never contents. Default false. */
  debug?: boolean;
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** From 0 to 1, for the jitter. Default `Math.random`. */
  random?: () => number;
  /** The constructor to use. Default: the global one. */
  WebSocket?: typeof WebSocket;
}

export const CHAT_JSON_DEFAULTS = {
  autoReconnect: true,
  maxReconnectAttempts: 10,
  reconnectDelay: 1_000,
  maxReconnectDelay: 30_000,
  heartbeatIntervalMs: 30_000,
  connectionTimeout: 10_000,
  ackTimeout: 10_000,
  rateLimitPerSecond: 10,
  maxQueueSize: 100,
  maxMessageBytes: 65_536,
  debug: false,
};

export type WebSocketSettings = WebSocketConfig & typeof CHAT_JSON_DEFAULTS;
