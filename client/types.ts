import type { Conversation, Message, MessageFile, Pointers } from "../protocol/model.ts";
import type { Acks, Events, EventType, Member } from "../protocol/native.ts";
import type { ParleyClientError } from "./errors.ts";
import type { Typist } from "./typing.ts";

/**
 * - `idle`: `connect` was not called yet
 * - `connecting`: the first connection is being made
 * - `connected`: authenticated; commands and events flow
 * - `reconnecting`: the connection was lost, or the first attempt failed, and it is being made
 *   again
 * - `offline`: as `reconnecting`, and the device says that it has no network
 * - `failed`: gave up, see `client.error`; `connect` or `reconnectNow` tries again
 * - `closed`: `close` was called, or the server ended the connection with 1000
 */
export type ConnectionState =
  | "idle"
  | "connecting"
  | "connected"
  | "reconnecting"
  | "offline"
  | "failed"
  | "closed";

/** An agent's access token, or a visitor's session. */
export type Credentials = { token: string } | { sessionId: string };

/**
 * The part of the Web Storage interface that is used. With `length` and `key`, tabs can share one.
 */
export interface ClientStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  readonly length?: number;
  key?(index: number): string | null;
}

export interface ClientOptions {
  /** "https://host", "wss://host", or the full ".../realtime". */
  url: string;
  /**
   * Called for each connection. A throw is a failed attempt, which is repeated with backoff; a
   * thrown object with `final: true` leads to the state `failed`.
   */
  credentials: () => Credentials | Promise<Credentials>;
  /** Where waiting messages survive a reload, e.g. `localStorage`. Default: memory only. */
  storage?: ClientStorage;
  /**
   * Prefix of the keys in `storage`; different for each person who may use it. Default "parley".
   */
  storageKey?: string;
  /** Messages that may wait at once. Default 200. */
  maxOutbox?: number;
  /** Milliseconds from the start of an attempt to the answered `auth`. Default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds of the first wait before a new attempt. Default 1,000. */
  minDelayMs?: number;
  /** Upper bound of every wait, in milliseconds. Default 30,000. */
  maxDelayMs?: number;
  /** Failed attempts in a row before the state is `failed`. Default Infinity. */
  maxAttempts?: number;
  /**
   * Milliseconds a connection has to last before the backoff starts again at its minimum. Default
   * 5,000.
   */
  minUptimeMs?: number;
  /** Milliseconds to wait for the answer to a command. Default 10,000. */
  ackTimeoutMs?: number;
  /** Receives one line for each event. Never contains credentials or content. */
  debug?: (line: string) => void;
  /** The constructor to use. Default: the global one. */
  WebSocket?: typeof WebSocket;
}

/** The options with their defaults. */
export type Settings =
  & ClientOptions
  & Required<
    Pick<
      ClientOptions,
      | "storageKey"
      | "maxOutbox"
      | "connectTimeoutMs"
      | "minDelayMs"
      | "maxDelayMs"
      | "maxAttempts"
      | "minUptimeMs"
      | "ackTimeoutMs"
    >
  >;

/** One event of the server with its type, and when it was sent by the server's clock (ISO 8601). */
export type ServerEvent = {
  [T in EventType]: { type: T; timestamp?: string; data: Events[T] };
}[EventType];

/** The events of `client.on` besides the server's. */
export interface ClientEvents {
  /** Each event of the server, before the handlers of its type are called. */
  event: ServerEvent;
  state: ConnectionState;
  /** After each `auth`, and when a visitor's first message opened their conversation. */
  identity: Acks["auth"];
  /** Errors that no promise carries: connection failures, errors without a command. */
  error: ParleyClientError;
  /** A message of the outbox was acknowledged and is removed from it. */
  sent: Message;
  /** The list of waiting messages changed, see `client.pending()`. */
  outbox: undefined;
}
export type AllEvents = Events & ClientEvents;

export interface OutgoingMessage {
  /** A visitor omits it: it is their own conversation, which the first message opens. */
  conversationId?: string;
  content: string;
  /** Visible ASCII, at most 64 characters, unique. Default: generated. */
  clientMessageId?: string;
  isPrivate?: boolean;
  /** What was uploaded with `uploadFile` (files.ts); with files `content` may be empty. */
  files?: MessageFile[];
  /** A message of the same conversation. */
  replyToId?: string;
}

/** A message that the server has not acknowledged yet. */
export interface PendingMessage {
  clientMessageId: string;
  conversationId?: string;
  content: string;
  isPrivate: boolean;
  files?: MessageFile[];
  replyToId?: string;
  /** ISO 8601, by this device's clock. */
  createdAt: string;
  /** `sending` covers waiting for a connection; `failed` waits for `retry` or `discard`. */
  state: "sending" | "failed";
  /** A sentence, where the state is `failed`. */
  error?: string;
}

/** One line of a thread. Exactly one of `message` and `pending` is set. */
export interface ThreadItem {
  /** Stays the same when a pending message is stored. */
  key: string;
  message: Message | null;
  pending: PendingMessage | null;
}

export interface ConversationSnapshot {
  status: "loading" | "ready" | "error";
  error?: { code: string; message: string };
  conversation: Conversation | null;
  /** Stored messages by `seq`, then the pending ones in the order of sending. */
  items: ThreadItem[];
  hasOlder: boolean;
  loadingOlder: boolean;
  /** Other people who are typing now; entries expire automatically. */
  typing: Typist[];
  /** Who has it open: all of them up to 100, then the first 100 and those who joined later. */
  members: Member[];
  /** How many have it open, including those that `members` lacks. */
  memberCount: number;
  pointers: Pointers;
}
