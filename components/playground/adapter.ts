/**
 * The interface between the test page and a wire protocol. Each protocol has one `ProtocolAdapter`,
 * which opens a connection, reports events in the same form as all others, and logs every frame as
 * it was sent or received.
 */
import type { Credentials } from "../../client/mod.ts";
import type { Direction, FrameKind } from "./frames.ts";

export type Side = "customer" | "agent";

/** A message of any protocol. */
export interface TestMessage {
  /** Its position in the conversation, equal on both sides. */
  seq: number;
  id: string;
  /** The sender's id for it, where the protocol has one. */
  clientMessageId: string | null;
  content: string;
  from: Side | "other";
  userName: string;
  /** ISO 8601. */
  createdAt: string;
}

/** Another person in the conversation, where the protocol has presence. */
export interface Person {
  userId: string;
  userName: string | null;
  state: "here" | "gone" | "online" | "away" | "offline";
}

export interface Stored {
  seq: number;
  id: string;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** A sentence. */
  why: string;
  /** Whether to try again. */
  again: boolean;
  /** Milliseconds that the server wants this client to stay away. */
  waitMs?: number;
}

/**
 * The known position in the conversation. It survives reconnections and changes of the protocol.
 */
export interface Position {
  /** 0 before anything was received. */
  seq: number;
  /** The epoch of `seq`, in the native protocol. */
  epoch: string | null;
  /** The last event's id in the topics protocol. */
  eventId: string | null;
}

/** The person and conversation of a connection. */
export interface Participant {
  side: Side;
  conversationId: string;
  position: Position;
  credentials(): Promise<Credentials>;
  /** A token of the scoped protocol for this conversation. */
  contextToken(): Promise<string>;
  /** A request over HTTP as this person, which is logged as a frame. Throws an ApiError. */
  http<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T>;
}

/** The events of a connection. None is reported after `ended`. */
export interface AdapterHandlers {
  frame(direction: Direction, text: string, kind?: FrameKind): void;
  /** Authenticated and joined, and all missed messages are reported. */
  ready(): void;
  ended(end: ConnectionEnd): void;
  /** `missed`: it was written while this side was away. */
  message(message: TestMessage, missed: boolean): void;
  typing(userName: string, isTyping: boolean): void;
  /** The other side received or read up to here. */
  pointer(seq: number, status: "delivered" | "read"): void;
  person(person: Person): void;
  /** An error that no promise of `send` carries. */
  error(sentence: string): void;
}

export interface AdapterConnection {
  /**
   * Resolves when the server has stored it. Rejects with `ConnectionLost` where the outcome is
   * unknown, and with another error where the server refused it.
   */
  send(message: { content: string; clientMessageId: string }): Promise<Stored>;
  type?(isTyping: boolean): void;
  read?(seq: number): void;
  /** Ends the connection like a lost network. Nothing is reported any more. */
  close(): void;
}

export type ProtocolAdapter = (
  participant: Participant,
  handlers: AdapterHandlers,
) => AdapterConnection;
