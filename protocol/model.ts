import { z } from "zod";
import { FormattedNode } from "./formatting.ts";
import { nameOf, visibleOrEmpty } from "./text_fields.ts";
import { cleanName } from "./visible_text.ts";

/** Ids are UUIDs (version 7 where Parley makes them). */
export const Id = z.uuid().overwrite((id) => id.toLowerCase());
/** In a list's query: the `nextCursor` of the page before. */
export const Cursor = z.string().max(200);
/** A whole number in a query. Without `coerce`, which reads "", " 5" and "1e1" as numbers, too. */
export const queryInteger = (min: number, max: number) =>
  z.preprocess(
    (text) => typeof text === "string" && /^-?\d{1,16}$/.test(text) ? Number(text) : text,
    z.number().int().min(min).max(max),
  );
export const Timestamp = z.iso.datetime({ offset: true });

export const Role = z.enum(["agent", "visitor", "bot", "system"]);
export type Role = z.infer<typeof Role>;

export const ConversationStatus = z.enum(["open", "pending", "snoozed", "resolved"]);
export type ConversationStatus = z.infer<typeof ConversationStatus>;

/** `activity` lines are written by the server ("Ada resolved the conversation"); clients send `text`. */
export const MessageType = z.enum(["text", "activity"]);
export type MessageType = z.infer<typeof MessageType>;

export const MessageStatus = z.enum(["sent", "delivered", "read"]);
export type MessageStatus = z.infer<typeof MessageStatus>;

export const Sender = z.object({
  userId: z.string(),
  userName: z.string(),
  role: Role,
});
export type Sender = z.infer<typeof Sender>;

/** A file as its message shows it. Its address is requested apart, with `POST /api/files/addresses`. */
export const MessageFile = z.object({
  id: Id,
  name: z.string(),
  /** Found from the first bytes, such as "image/png". */
  mediaType: z.string(),
  /** Bytes. */
  size: z.number().int(),
  /** Pixels of an image, as it is shown; absent where they are not known. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  /** Of a recording, as its sender measured it. */
  durationMs: z.number().int().optional(),
});
export type MessageFile = z.infer<typeof MessageFile>;

/** Who reacted to a message with this emoji, in their order. */
export const Reaction = z.object({ emoji: z.string(), userIds: z.array(z.string()) });
export type Reaction = z.infer<typeof Reaction>;

/** What a reply shows of the message that it replies to. */
export const Quote = z.object({
  seq: z.number().int().positive(),
  sender: Sender,
  /** The beginning of its text in one line, or what it has instead; empty when it was withdrawn. */
  preview: z.string(),
});
export type Quote = z.infer<typeof Quote>;

export const Message = z.object({
  id: Id,
  conversationId: Id,
  /** Position in the conversation's log; gapless over all durable events, not only messages. */
  seq: z.number().int().positive(),
  clientMessageId: z.string().nullable(),
  type: MessageType,
  /** Plain text, at most MAX_CONTENT characters; empty when deleted, and where there are only files. */
  content: z.string(),
  /** The content with its Markdown as elements; absent where it has none, and when deleted. */
  formatted: z.array(FormattedNode).optional(),
  /** In the order of their sender; absent where there are none, and when deleted. */
  files: z.array(MessageFile).optional(),
  /** True for a note, which only agents see. */
  isPrivate: z.boolean(),
  /** The message of the same conversation that it replies to; absent where there is none. */
  replyToId: Id.optional(),
  /** Of that message; absent when it is gone. */
  quote: Quote.optional(),
  /** In the order in which they came; absent where there are none. */
  reactions: z.array(Reaction).optional(),
  sender: Sender,
  platform: z.string(),
  status: MessageStatus,
  createdAt: Timestamp,
  editedAt: Timestamp.nullable(),
  deletedAt: Timestamp.nullable(),
});
export type Message = z.infer<typeof Message>;

export const Contact = z.object({
  id: Id,
  /** Never empty: an unnamed visitor has a generated name such as "Visitor 4f2a". */
  name: z.string(),
  email: z.string().nullable(),
  createdAt: Timestamp,
  lastSeenAt: Timestamp.nullable(),
});
export type Contact = z.infer<typeof Contact>;

export const LastMessage = z.object({
  seq: z.number().int(),
  /** The first 200 characters; of a message without text what it has, such as "Photo". */
  preview: z.string(),
  userId: z.string(),
  userName: z.string(),
  role: Role,
  isPrivate: z.boolean(),
  createdAt: Timestamp,
});
export type LastMessage = z.infer<typeof LastMessage>;

/** How far each side has received and read; both only ever grow. */
export const Pointers = z.object({
  agentDeliveredSeq: z.number().int(),
  agentReadSeq: z.number().int(),
  contactDeliveredSeq: z.number().int(),
  contactReadSeq: z.number().int(),
});
export type Pointers = z.infer<typeof Pointers>;

export const Assignee = z.object({ userId: Id, userName: z.string() });

export const LabelColor = z.enum([
  "gray",
  "red",
  "orange",
  "amber",
  "green",
  "teal",
  "blue",
  "violet",
  "pink",
]);
export type LabelColor = z.infer<typeof LabelColor>;

/** In their order. */
export const PRIORITIES = ["none", "low", "normal", "high", "urgent"] as const;
export const Priority = z.enum(PRIORITIES);
export type Priority = z.infer<typeof Priority>;

/** A label of conversations, which visitors never see. */
export const Label = z.object({
  id: Id,
  /** Unique, case-insensitively. */
  name: z.string(),
  color: LabelColor,
  description: z.string().nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Label = z.infer<typeof Label>;

/** A label as a conversation shows it. */
export const ConversationLabel = Label.pick({ id: true, name: true, color: true });
export type ConversationLabel = z.infer<typeof ConversationLabel>;

export const Conversation = z.object({
  id: Id,
  status: ConversationStatus,
  platform: z.string(),
  /** The website's own name for a conversation of several people; absent for all others. */
  contextId: z.string().optional(),
  contact: Contact,
  assignee: Assignee.nullable(),
  /** Absent for "none", and for visitors. */
  priority: Priority.optional(),
  /** The team whose conversation it is; absent for none, and for visitors. */
  teamId: Id.optional(),
  /** Only while it is snoozed, for agents: until when; null: until the next reply. */
  snoozedUntil: Timestamp.nullable().optional(),
  /** In the order of their creation; absent for visitors. */
  labels: z.array(ConversationLabel).optional(),
  lastMessage: LastMessage.nullable(),
  epoch: z.string(),
  lastSeq: z.number().int(),
  /** Messages from the contact so far, from which a client can compute its unread count. */
  inboundCount: z.number().int(),
  /** Messages that the caller has not read. Absent in broadcasts, which are the same for all. */
  unread: z.number().int().optional(),
  pointers: Pointers,
  /** Since when the contact waits for an answer; null when answered or resolved. */
  waitingSince: Timestamp.nullable(),
  /** What the list is sorted by: the last message, or the creation. */
  lastActivityAt: Timestamp,
  createdAt: Timestamp,
  resolvedAt: Timestamp.nullable(),
});
export type Conversation = z.infer<typeof Conversation>;

export const PresenceStatus = z.enum(["online", "away", "offline"]);

/** A visitor's current page. */
export const Page = z.object({
  url: z.string().max(2048),
  title: z.string().max(300).optional(),
  /** The page of another website that led to it. */
  referrer: z.string().max(2048).optional(),
});
export type Page = z.infer<typeof Page>;

export const Presence = z.object({
  userId: z.string(),
  userName: z.string(),
  role: Role,
  status: PresenceStatus,
  /** When the status changed. */
  since: Timestamp,
  /** Only of visitors, only for agents. */
  page: Page.optional(),
});
export type Presence = z.infer<typeof Presence>;

export const AgentRole = z.enum(["admin", "agent"]);
export type AgentRole = z.infer<typeof AgentRole>;

export const User = z.object({
  id: Id,
  email: z.string(),
  name: z.string(),
  role: AgentRole,
  createdAt: Timestamp,
  /** When the last connection ended; null before the first one did. */
  lastSeenAt: Timestamp.nullable(),
  disabledAt: Timestamp.nullable(),
});
export type User = z.infer<typeof User>;

/** What a website may know of its widget without any secret. */
export const WidgetAppearance = z.object({
  title: nameOf(60),
  greeting: z.string().trim().max(300).refine(...visibleOrEmpty),
  /** CSS hex colour, e.g. "#4f46e5". */
  accent: z.string().regex(/^#[0-9a-fA-F]{6}$/, "must be a hex colour such as #4f46e5"),
  position: z.enum(["right", "left"]),
  launcherLabel: z.string().overwrite(cleanName).max(40).refine(...visibleOrEmpty),
  placeholder: z.string().overwrite(cleanName).max(60).refine(...visibleOrEmpty),
});
export type WidgetAppearance = z.infer<typeof WidgetAppearance>;

export const WidgetConfig = z.object({
  id: Id,
  userId: Id.nullable(),
  name: z.string(),
  widgetKey: z.string(),
  /** Origins ("https://example.com") that may use the widget; empty: this server's own origin only. "*" alone: any. */
  allowedOrigins: z.array(z.string()),
  enabled: z.boolean(),
  appearance: WidgetAppearance,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type WidgetConfig = z.infer<typeof WidgetConfig>;

/** Half of a surrogate pair is replaced: the database cannot store it. */
const RuleText = z.string().trim().overwrite((text) => text.toWellFormed());

/**
 * A condition of a rule, all of which have to hold. New kinds of conditions, such as a tree of them,
 * are new members of this union.
 */
export const RuleCondition = z.discriminatedUnion("kind", [
  /**
   * The visitor's page is one of these; `*` stands for any characters: "https://example.com/shop/*",
   * "example.com/*" or, on any website, "/pricing". See protocol/page_glob.ts.
   */
  z.strictObject({
    kind: z.literal("page_url"),
    globs: z.array(RuleText.min(1).max(500)).min(1).max(50),
  }),
  /** A message of the visitor has one of these words or phrases, ignoring case and accents. */
  z.strictObject({
    kind: z.literal("message"),
    keywords: z.array(RuleText.min(1).max(100)).min(1).max(50),
  }),
]);
export type RuleCondition = z.infer<typeof RuleCondition>;

export const RuleAction = z.discriminatedUnion("kind", [
  /** The bot writes into the visitor's conversation. */
  z.strictObject({
    kind: z.literal("bot_message"),
    content: RuleText.min(1).max(2000).refine(...visibleOrEmpty),
  }),
]);
export type RuleAction = z.infer<typeof RuleAction>;

export const ContextRule = z.object({
  id: Id,
  userId: Id.nullable(),
  name: nameOf(100),
  enabled: z.boolean(),
  /** Rules are tried in this order, the smallest first. */
  position: z.number().int(),
  conditions: z.array(RuleCondition).max(20),
  actions: z.array(RuleAction).min(1).max(10),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ContextRule = z.infer<typeof ContextRule>;

/** Something that a user should notice; only they see it. */
export const Notification = z.object({
  id: Id,
  userId: Id,
  /** What it is about, such as "assigned"; clients show those that they do not know by title and body. */
  kind: z.string().min(1).max(50),
  title: z.string().min(1).max(200),
  body: z.string().max(2000),
  conversationId: Id.nullable(),
  data: z.record(z.string(), z.unknown()),
  readAt: Timestamp.nullable(),
  createdAt: Timestamp,
});
export type Notification = z.infer<typeof Notification>;
