/**
 * What the test page asks of a wire protocol. Each protocol is one `Dialect`: it opens a connection,
 * reports what it hears in the same words as all the others, and shows every frame as it passed.
 */
import type { Credentials } from "../../client/mod.ts";
import type { Direction, FrameKind } from "./frames.ts";

export type Side = "customer" | "agent";

/** A message, whichever protocol brought it. */
export interface TestMessage {
  /** Its place in the conversation, the same for both sides. */
  seq: number;
  id: string;
  /** The sender's own name for it, where the protocol tells it. */
  clientMessageId: string | null;
  content: string;
  from: Side | "other";
  userName: string;
  /** ISO 8601. */
  createdAt: string;
}

/** Someone else who is there, where the protocol has presence. */
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
export interface End {
  /** A sentence. */
  why: string;
  /** Whether it is worth another try. */
  again: boolean;
  /** Milliseconds that the server wants to be left alone. */
  waitMs?: number;
}

/** Up to where the conversation is known; it outlives connections and changes of the protocol. */
export interface Position {
  /** 0 before anything was received. */
  seq: number;
  /** Which log the native protocol counted it in. */
  epoch: string | null;
  /** The last event's id in the topics protocol. */
  eventId: string | null;
}

/** Who connects, and to what. */
export interface Party {
  side: Side;
  conversationId: string;
  position: Position;
  credentials(): Promise<Credentials>;
  /** A token of the scoped protocol that admits to this conversation. */
  contextToken(): Promise<string>;
  /** A request over HTTP as this party; it stands in the frame log too. Throws an ApiError. */
  http<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T>;
}

/** What a connection reports. After `ended` nothing of it is heard any more. */
export interface Ears {
  frame(direction: Direction, text: string, kind?: FrameKind): void;
  /** Authenticated, joined, and everything that was missed has been told. */
  ready(): void;
  ended(end: End): void;
  /** `missed`: it was written while this side was away, and is told now. */
  message(message: TestMessage, missed: boolean): void;
  typing(userName: string, isTyping: boolean): void;
  /** The other side received or read up to here. */
  pointer(seq: number, status: "delivered" | "read"): void;
  person(person: Person): void;
  /** Something was refused that no promise of `send` tells. */
  error(sentence: string): void;
}

export interface Session {
  /**
   * Resolves when the server has stored it. Rejects with `ConnectionLost` where that is not known,
   * and with another error where the server refused it.
   */
  send(message: { content: string; clientMessageId: string }): Promise<Stored>;
  type?(isTyping: boolean): void;
  read?(seq: number): void;
  /** Ends the connection as a network that vanishes does; nothing is reported any more. */
  close(): void;
}

export type Dialect = (party: Party, ears: Ears) => Session;
