import type { ParleyClientError } from "./errors.ts";

/**
 * - `DISCONNECTED`: not connected, and no attempt is planned
 * - `CONNECTING`: an attempt is under way, up to the answered authentication
 * - `CONNECTED`: messages flow
 * - `RECONNECTING`: the connection was lost, or an attempt failed, and the next one waits
 * - `FAILED`: gave up; `connect` or `send` tries again
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
/** `message` is the message that will not be sent any more, where the error is about one. */
export type ErrorHandler = (error: ParleyClientError, message?: WebSocketMessage) => unknown;
export type DisconnectHandler = (event: { code: number; reason: string }) => unknown;

/**
 * A string, or a function that makes one for each connection, because access tokens expire in
 * minutes.
 */
export type Secret = string | (() => string | Promise<string>);

export interface WebSocketConfig {
  /** "wss://host/ws"; "https://host" is the same. */
  url: string;
  /** An agent's access token. Without it and `sessionId`, send an `auth` message yourself. */
  token?: Secret;
  /** A visitor's session. */
  sessionId?: Secret;
  /** Whether to reconnect after a lost connection. Default true. */
  autoReconnect?: boolean;
  /** Attempts in a row that may fail before the state is `FAILED`. Default 10. */
  maxReconnectAttempts?: number;
  /** Milliseconds before the first new attempt; doubles with each. Default 1,000. */
  reconnectDelay?: number;
  /** Upper bound of every wait in milliseconds, before jitter. Default 30,000. */
  maxReconnectDelay?: number;
  /**
   * Milliseconds of silence before a ping; after as many again the connection is lost. Default
   * 30,000.
   */
  heartbeatIntervalMs?: number;
  /** Milliseconds from the start of an attempt to the answered authentication. Default 10,000. */
  connectionTimeout?: number;
  /**
   * Milliseconds to wait for a chat's echo before the connection counts as lost. Default 10,000.
   */
  ackTimeout?: number;
  /** Messages per second, averaged over a minute: `send` accepts 60 times as many. Default 10. */
  rateLimitPerSecond?: number;
  /** Messages that may wait, for a connection or for their echo. Default 100. */
  maxQueueSize?: number;
  /** Bytes of one message, as the server's MAX_MESSAGE_BYTES. Default 65,536. */
  maxMessageBytes?: number;
  /** Identifies this client in its messages. Default: random. */
  clientId?: string;
  /** Logs events with `console.debug`, never credentials or contents. Default false. */
  debug?: boolean;
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** A number from 0 to 1, for the jitter. Default `Math.random`. */
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
