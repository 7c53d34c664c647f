/**
 * Topics, the protocol of `/api/v1/ws` and its HTTP fallback: what clients send and receive, and the
 * ids of events, which are positions in a conversation's stream. docs/protocols/topics.md describes it.
 */
import { z } from "zod";
import { invalid, ParleyError } from "./errors.ts";
import {
  ConversationLabel,
  ConversationStatus,
  Id,
  MessageFile,
  MessageStatus,
  MessageType,
  queryInteger,
  Role,
  Timestamp,
} from "./model.ts";
import type { LoggedEvent, Receipt } from "./native.ts";

/** The one topic that there is; `resourceID` is a conversation's id. */
export const TOPIC = "conversationEvent";

/** Events in one page of the fallback, at most and by default. */
export const MAX_EVENTS = 100;

/** Names of roles in this protocol: a visitor is a contact. */
export const ActorType = z.enum(["agent", "contact", "bot", "system"]);
export type ActorType = z.infer<typeof ActorType>;

export function actorTypeOf(role: Role): ActorType {
  return role === "visitor" ? "contact" : role;
}

export const EventName = z.enum([
  "message",
  "message_updated",
  "message_deleted",
  "conversation_changed",
  "delivered",
  "read",
]);
export type EventName = z.infer<typeof EventName>;

/**
 * Which events a reader wants. The default is messages alone, because the document of the protocol
 * has no other events: its clients read `message.body.text` of everything that they receive.
 */
export type Wanted = ReadonlySet<EventName>;

const ALL_EVENTS: Wanted = new Set(EventName.options);
export const MESSAGES_ONLY: Wanted = new Set(["message"]);

const EventNames = z.array(EventName).min(1).max(EventName.options.length);

function toWanted(value: "all" | EventName[] | undefined): Wanted {
  if (value === undefined) return MESSAGES_ONLY;
  return value === "all" ? ALL_EVENTS : new Set(value);
}

export const ConversationEvent = z.object({
  type: z.literal(TOPIC),
  /** Unique, the same on the socket and over HTTP; also the `after` of a subscription or a page. */
  id: z.string(),
  conversationID: Id,
  event: EventName,
  /** Position in the conversation's log; of a receipt, the position of the event before it. */
  seq: z.number().int(),
  /** Of a receipt: it is about messages of the other side with a `seq` up to this one. */
  upTo: z.number().int().optional(),
  messageID: Id.nullable(),
  message: z.object({
    status: MessageStatus,
    body: z.object({
      type: MessageType,
      text: z.string(),
      files: z.array(MessageFile).optional(),
    }),
  }).nullable(),
  /** True for a note, which only agents see. */
  isPrivate: z.boolean(),
  /** Only the fields of the conversation that changed. */
  conversation: z.object({
    status: ConversationStatus.optional(),
    assigneeID: Id.nullable().optional(),
    /** Only for agents. */
    labels: z.array(ConversationLabel).optional(),
  }).nullable(),
  /** A user's or a contact's id, or "system". */
  actorID: z.string(),
  actorType: ActorType,
  /** When what is shown last changed. */
  updatedAt: Timestamp,
  /** When it happened. */
  createdAt: Timestamp,
});
export type ConversationEvent = z.infer<typeof ConversationEvent>;

export const EventQuery = z.strictObject({
  after: z.string().max(200).optional(),
  limit: queryInteger(1, MAX_EVENTS).optional(),
  /** `all`, or names separated by commas; default: messages alone. */
  events: z.string().max(200).optional(),
  /** As at the socket; the header `Authorization` takes precedence. */
  token: z.string().max(8192).optional(),
  sessionId: z.string().max(256).optional(),
});

/** @throws {ParleyError} `invalid`. */
export function parseEventsQuery(events: string | undefined): Wanted {
  if (events === undefined || events === "all") return toWanted(events);
  const parsed = EventNames.safeParse(events.split(","));
  if (parsed.success) return toWanted(parsed.data);
  throw new ParleyError("invalid", `Cannot choose the events: "${events}" is not known`, {
    fields: [{ path: "events", message: `must be "all" or some of ${EventName.options}` }],
  });
}

export const EventPage = z.object({
  items: z.array(ConversationEvent),
  /** `after` of the next request; never null, because more can happen. */
  nextCursor: z.string(),
  /** Whether there is more already. */
  hasMore: z.boolean(),
  /** True: what came after `after` is not known. Read the conversation again and continue from here. */
  reset: z.boolean(),
});
export type EventPage = z.infer<typeof EventPage>;

/** A frame before its fields are checked. */
export const TopicsFrame = z.looseObject({ type: z.string().min(1).max(64) });

const SubscriptionFields = z.object({
  resourceID: Id,
  after: z.string().max(200).optional(),
  events: z.union([z.literal("all"), EventNames], 'must be "all" or a list of names of events')
    .optional(),
});

export interface Subscription {
  action: "subscribe" | "unsubscribe";
  conversationId: string;
  after: string | undefined;
  /** undefined: the frame does not say. */
  wanted: Wanted | undefined;
}

/** @throws {ParleyError} `invalid`, which names what is wrong. */
export function parseSubscription(frame: Record<string, unknown>): Subscription {
  const { action, topic } = frame;
  if (action !== "subscribe" && action !== "unsubscribe") {
    throw wrong("action", action, 'must be "subscribe" or "unsubscribe"');
  }
  if (topic !== TOPIC) throw wrong("topic", topic, `must be "${TOPIC}"`);
  const fields = SubscriptionFields.safeParse(frame);
  if (!fields.success) throw invalid('"subscription"', fields.error);
  const { resourceID, after, events } = fields.data;
  const wanted = events === undefined ? undefined : toWanted(events);
  return { action, conversationId: resourceID.toLowerCase(), after, wanted };
}

function wrong(path: string, value: unknown, message: string): ParleyError {
  const shown = (JSON.stringify(value) ?? "undefined").slice(0, 100);
  return new ParleyError("invalid", `Cannot accept "subscription": ${path} is ${shown}`, {
    fields: [{ path, message }],
  });
}

/** An event of a conversation's stream: an event of its log, or a receipt between two of them. */
export type StreamEvent = LoggedEvent | ReceiptEvent;

export interface ReceiptEvent {
  type: "receipt";
  timestamp: string;
  data: { conversationId: string; userId: string; role: Role; receipt: Receipt };
}

/**
 * A position in a conversation's stream. Without `number` it is directly after an event of the log,
 * before all receipts that followed that event.
 */
export interface StreamPosition {
  epoch: string;
  seq: number;
  number?: number | undefined;
}

/** `conversation.epoch.seq`, and `.number` after a receipt: unique over all conversations. */
export function formatPosition(
  conversationId: string,
  { epoch, seq, number }: StreamPosition,
): string {
  return `${conversationId}.${epoch}.${seq}${number === undefined ? "" : `.${number}`}`;
}

/** The position before everything that happened. */
export const START = "0";

const POSITION = /^([0-9a-f-]{36})\.([0-9a-z]{1,64})\.(\d{1,15})(?:\.(\d{1,15}))?$/;

/**
 * Reads an event's id, a cursor, or `START`.
 *
 * @throws {ParleyError} `invalid` for anything else, and for positions in another conversation.
 */
export function parsePosition(text: string, conversationId: string, epoch: string): StreamPosition {
  if (text === START) return { epoch, seq: 0, number: 0 };
  const match = POSITION.exec(text);
  if (match === null || match[1] !== conversationId) {
    throw new ParleyError("invalid", `Cannot go on after "${text.slice(0, 100)}"`, {
      fields: [{ path: "after", message: "must be the id of an event of this conversation" }],
    });
  }
  return {
    epoch: match[2]!,
    seq: Number(match[3]),
    ...(match[4] === undefined ? {} : { number: Number(match[4]) }),
  };
}
