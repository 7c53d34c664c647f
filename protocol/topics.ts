/**
 * Topics, as at `/api/v1/ws` and in its HTTP fallback: what clients send and receive, and the ids
 * of events, which are places in a conversation. docs/protocols/topics.md describes it.
 */
import { z } from "zod";
import { invalid, ParleyError } from "./errors.ts";
import {
  ConversationLabel,
  ConversationStatus,
  Id,
  MessageStatus,
  MessageType,
  Role,
  Timestamp,
} from "./model.ts";
import type { LoggedEvent, Receipt } from "./native.ts";

/** The one topic that there is; `resourceID` is a conversation's id. */
export const TOPIC = "conversationEvent";

/** Events in one page of the fallback, at most and by default. */
export const MAX_EVENTS = 100;

/** The role's name here: a visitor is the contact whose conversation it is. */
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
 * Which events a reader wants. Without a word messages alone, because the protocol's document knows
 * nothing else: its clients read `message.body.text` of everything that comes.
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
  /** Unique, the same on the socket and over HTTP; `after` of a subscription or a page. */
  id: z.string(),
  conversationID: Id,
  event: EventName,
  /** Position in the conversation's log; of a receipt, that of the event which it comes after. */
  seq: z.number().int(),
  /** Of a receipt: the messages of the other side with a `seq` up to here are meant. */
  upTo: z.number().int().optional(),
  messageID: Id.nullable(),
  message: z.object({
    status: MessageStatus,
    body: z.object({ type: MessageType, text: z.string() }),
  }).nullable(),
  /** A note that only agents see. */
  isPrivate: z.boolean(),
  /** What of the conversation changed, and nothing else. */
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
  limit: z.coerce.number().int().min(1).max(MAX_EVENTS).optional(),
  /** `all`, or names with commas between; without it messages alone. */
  events: z.string().max(200).optional(),
  /** As at the socket; the header `Authorization` goes first. */
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
  /** `after` of the next request; never null, because something may still happen. */
  nextCursor: z.string(),
  /** Whether there is more already. */
  hasMore: z.boolean(),
  /** True: what came after `after` cannot be told. Read the conversation anew and go on from here. */
  reset: z.boolean(),
});
export type EventPage = z.infer<typeof EventPage>;

/** A frame before its fields are looked at. */
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
  /** undefined: nothing was said about it. */
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

/** Something that happened in a conversation: an event of its log, or a receipt between two. */
export type Happening = LoggedEvent | ReceiptEvent;

export interface ReceiptEvent {
  type: "receipt";
  timestamp: string;
  data: { conversationId: string; userId: string; role: Role; receipt: Receipt };
}

/**
 * A place in what happened. Without `number` it is just behind an event of the log, with all
 * receipts that came after that still ahead.
 */
export interface Place {
  epoch: string;
  seq: number;
  number?: number | undefined;
}

/** `conversation.epoch.seq`, and `.number` behind a receipt: unique over all conversations. */
export function formatPlace(conversationId: string, { epoch, seq, number }: Place): string {
  return `${conversationId}.${epoch}.${seq}${number === undefined ? "" : `.${number}`}`;
}

/** What stands for the place before everything that happened. */
export const START = "0";

const PLACE = /^([0-9a-f-]{36})\.([0-9a-z]{1,64})\.(\d{1,15})(?:\.(\d{1,15}))?$/;

/**
 * The place of an event's id, of a cursor, or of `START`.
 *
 * @throws {ParleyError} `invalid` for anything else, and for places in another conversation.
 */
export function parsePlace(text: string, conversationId: string, epoch: string): Place {
  if (text === START) return { epoch, seq: 0, number: 0 };
  const match = PLACE.exec(text);
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
