/**
 * The native protocol `parley.v1`: envelope `{type, id?, timestamp, data?, error?}`, one JSON
 * object a line, one or more lines a frame. docs/protocols/native.md describes it.
 */
import { z } from "zod";
import {
  Conversation,
  type ConversationLabel,
  ConversationStatus,
  Id,
  Message,
  type Notification,
  Page,
  Pointers,
  Presence,
  type Priority,
  Role,
  Timestamp,
  type WidgetAppearance,
} from "./model.ts";
import {
  type DocumentCursor,
  type DocumentEdit,
  type DocumentState,
  type EditReceipt,
  NATIVE,
} from "./collaboration.ts";
import type { Draft } from "./drafts.ts";
import type { ErrorCode, FieldError } from "./errors.ts";
import {
  metricsOr,
  type MetricUpdate,
  type SubscribedMetrics,
  SubscribeMetrics,
} from "./analytics.ts";
import { type BulkAnswer, BulkBody, UpdateConversation } from "./conversation_changes.ts";
import {
  type NotificationPreferences,
  ReadConversationsBody,
  type ReadConversationsResponse,
  UnreadConversationsBody,
} from "./notifications.ts";
import { visibleOrEmpty } from "./text_fields.ts";
import { type DatabaseChange, Subscribe, type Subscribed, type TableName } from "./tables.ts";

export const SUBPROTOCOL = "parley.v1";
/** A token may travel as a second subprotocol entry: `parley.token.<jwt>` or `parley.session.<id>`. */
export const TOKEN_ENTRY = "parley.token.";
export const SESSION_ENTRY = "parley.session.";

/** Longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT = 20_000;
export const MAX_HISTORY = 100;
/** Files of one message. */
export const MAX_FILES = 10;
/** People in one response: of a conversation's members, and of all who are online. */
export const MAX_MEMBERS = 100;
export const MAX_PRESENCE = 200;

/** Different emoji that react to one message, and people with the same one. */
export const MAX_REACTIONS = 20;
export const MAX_REACTORS = 200;
/** One emoji of Unicode's recommended set, also with a skin tone or of several parts. */
export const Emoji = z.string().max(64).refine(
  (text) => /^\p{RGI_Emoji}$/v.test(text),
  "must be one emoji",
);

const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const ClientMessageId = z.string().min(1).max(64).regex(
  /^[\x21-\x7e]+$/,
  "must be visible ASCII without spaces",
);
/** Half of a surrogate pair is replaced, as a browser does when it encodes the text. */
export const Content = z.string().max(MAX_CONTENT).refine(
  (text) => text.trim() !== "",
  "must not be empty",
).refine(...visibleOrEmpty).overwrite((text) => text.toWellFormed());

/** The same for a message, whose schema adds `HAS_CONTENT`. */
export const ContentOrFiles = z.string().max(MAX_CONTENT).refine(...visibleOrEmpty)
  .overwrite((text) => text.toWellFormed());
export const FileIds = z.array(Id).min(1).max(MAX_FILES).refine(
  (ids) => new Set(ids).size === ids.length,
  "must not name a file twice",
);
export const HAS_CONTENT: [
  (message: { content: string; fileIds?: string[] | undefined }) => boolean,
  { path: string[]; message: string; when: (payload: { value: unknown }) => boolean },
] = [
  ({ content, fileIds }) => fileIds !== undefined || content.trim() !== "",
  {
    path: ["content"],
    message: "must not be empty",
    // Also where other fields are wrong, so that all of them are listed.
    when: ({ value }) => typeof (value as { content?: unknown } | null)?.content === "string",
  },
];

/** Characters of an access token, and of a session's id. */
export const MAX_TOKEN = 8192;
export const MAX_SESSION_ID = 256;

/** Exactly one of an agent's access token and a visitor's session id. */
export const Credentials = z.strictObject({
  token: z.string().min(1).max(MAX_TOKEN).optional(),
  sessionId: z.string().min(1).max(MAX_SESSION_ID).optional(),
}).refine(
  (data) => (data.token === undefined) !== (data.sessionId === undefined),
  "exactly one of token and sessionId is needed",
);

/** The `data` of every command, by type. */
export const COMMANDS = {
  auth: Credentials,
  refresh: z.strictObject({ token: z.string().min(1).max(8192) }),
  join: z.strictObject({
    conversationId: Id,
    epoch: z.string().max(64).optional(),
    seq: Seq.optional(),
    /** Messages in a snapshot. */
    limit: z.number().int().min(1).max(MAX_HISTORY).optional(),
    /** Whether to get events of single members, of their number, or neither. */
    members: z.enum(["list", "count", "none"]).optional(),
  }),
  members: z.strictObject({
    conversationId: Id,
    cursor: z.string().max(100).optional(),
    limit: z.number().int().min(1).max(MAX_MEMBERS).optional(),
  }),
  presence_list: z.strictObject({
    cursor: z.string().max(100).optional(),
    limit: z.number().int().min(1).max(MAX_PRESENCE).optional(),
    role: z.enum(["agent", "visitor"]).optional(),
  }),
  leave: z.strictObject({ conversationId: Id }),
  message: z.strictObject({
    /** Default for a visitor: their own conversation, which the first message opens. */
    conversationId: Id.optional(),
    /** May be empty where there are files. */
    content: ContentOrFiles,
    clientMessageId: ClientMessageId,
    type: z.literal("text").optional(),
    isPrivate: z.boolean().optional(),
    /** Files that the sender has uploaded and not sent yet. */
    fileIds: FileIds.optional(),
    /** A message of the same conversation. */
    replyToId: Id.optional(),
  }).refine(...HAS_CONTENT),
  edit_message: z.strictObject({ conversationId: Id, messageId: Id, content: Content }),
  delete_message: z.strictObject({ conversationId: Id, messageId: Id }),
  /** Status, assignee, team, priority and labels; agents only, as the three after it. */
  update_conversation: UpdateConversation,
  update_conversations: BulkBody,
  mark_unread: UnreadConversationsBody,
  read_conversations: ReadConversationsBody,
  /** Adds one's own reaction, or removes it. */
  react: z.strictObject({
    conversationId: Id,
    messageId: Id,
    emoji: Emoji,
    remove: z.boolean().optional(),
  }),
  history: z.strictObject({
    conversationId: Id,
    /** The newest messages before a seq or a time, or the first after a seq; at most one of the three. */
    before: Seq.optional(),
    beforeTime: Timestamp.optional(),
    after: Seq.optional(),
    /** Without notes and activity lines, which visitors never get. */
    publicOnly: z.boolean().optional(),
    limit: z.number().int().min(1).max(MAX_HISTORY).optional(),
  }).refine(
    ({ before, beforeTime, after }) =>
      [before, beforeTime, after].filter((value) => value !== undefined).length <= 1,
    "at most one of before, beforeTime and after can be given",
  ),
  typing: z.strictObject({
    conversationId: Id,
    isTyping: z.boolean(),
    /** Typing a note, of which only agents get an event. */
    isPrivate: z.boolean().optional(),
  }),
  read: z.strictObject({ conversationId: Id, seq: Seq }),
  delivered: z.strictObject({ conversationId: Id, seq: Seq }),
  page: z.strictObject(Page.shape),
  /** An agent's own status; without a connection they are offline. */
  presence: z.strictObject({ status: z.enum(["online", "away"]) }),
  /** A table's changes, or metrics. */
  subscribe: metricsOr(SubscribeMetrics, Subscribe),
  unsubscribe: metricsOr(
    SubscribeMetrics,
    z.strictObject({ subscription: z.string().min(1).max(64) }),
  ),
  join_session: NATIVE.join_session,
  leave_session: NATIVE.leave_session,
  edit: NATIVE.edit,
  cursor: NATIVE.cursor,
  ping: z.unknown(),
} as const;

export type CommandType = keyof typeof COMMANDS;
export type CommandData<T extends CommandType> = z.infer<(typeof COMMANDS)[T]>;

/** The form of every line from a client, before its `data` is checked. */
export const Envelope = z.object({
  type: z.string().min(1).max(64),
  id: z.union([z.string().min(1).max(64), z.number().int()]).optional(),
  timestamp: z.string().max(64).optional(),
  data: z.unknown().optional(),
});
export type CommandId = string | number;

export interface Limits {
  messageBytes: number;
  messagesPerMinute: number;
  typingPerMinute: number;
  editsPerMinute: number;
  cursorsPerMinute: number;
  subscriptions: number;
  contentLength: number;
  /** Bytes of a file; 0: this server takes no files. */
  fileBytes: number;
  filesPerMessage: number;
}

export interface Welcome {
  node: string;
  connectionId: string;
  protocol: string;
  /** Milliseconds of silence until the server pings; a client should reconnect after twice as long. */
  heartbeatMs: number;
  /** Milliseconds within which `auth` has to arrive; 0 when the subprotocol has authenticated. */
  authTimeoutMs: number;
  limits: Limits;
  serverTime: string;
}

export const Member = z.object({ userId: z.string(), userName: z.string(), role: Role });
export type Member = z.infer<typeof Member>;

/** `label` is the member's part: a `viewer` may not edit, every other part may. */
export type SessionMember = Member & { label: string };

/** A durable change: has the next seq of its conversation and is replayed on recovery. */
export interface DurableEvents {
  message: Message;
  message_updated: {
    conversationId: string;
    seq: number;
    message: Message;
    /** Present where somebody reacted, or stopped to: the text is the same. */
    reaction?: { emoji: string; isAdded: boolean; actor: Member };
  };
  message_deleted: {
    conversationId: string;
    seq: number;
    messageId: string;
    deletedAt: string;
    /** Who deleted it: the sender, or an admin. Absent where it was not recorded yet. */
    actor?: Member;
  };
  /**
   * Status, assignment, labels. `message` is the activity line, for agents only; a change of labels
   * has none, and is `hidden` from visitors.
   */
  conversation_changed: {
    conversationId: string;
    seq: number;
    status?: ConversationStatus;
    /** With the status "snoozed": until when; null: until the next reply. */
    snoozedUntil?: string | null;
    /** Hidden from visitors. */
    priority?: Priority;
    /** Hidden from visitors; null: none any more. */
    team?: { id: string; name: string } | null;
    /** Of a snooze that has ended: the agent who had snoozed it. Not for visitors. */
    snoozedBy?: string;
    assignee?: { userId: string; userName: string } | null;
    labels?: ConversationLabel[];
    actor: Member;
    message?: Message;
    createdAt: string;
  };
  /** Stands for an event that this reader may not see (an agents' note), so that seq has no gap. */
  hidden: { conversationId: string; seq: number };
}
export type DurableType = keyof DurableEvents;

/** One move of a side's pointer, in order between the events of the log. */
export interface Receipt {
  event: "delivered" | "read";
  /** It is about messages of the other side up to here. */
  seq: number;
  /** Counts the moves of the conversation, 1, 2, 3, … */
  number: number;
  /** The seq of the event that it comes after. */
  at: number;
  createdAt: string;
}

/** Unread messages of one agent over all conversations that are not resolved. */
export interface UnreadCounts {
  totalUnread: number;
  /** By platform; one that has no such conversation is left out. */
  unreadCounts: Record<string, number>;
}

/** `unread`: how many notifications the receiving agent has not read. */
interface UnreadNotificationCount {
  unread: number;
}

export interface EphemeralEvents {
  welcome: Welcome;
  /** A list row as it is now; agents only. */
  conversation: { conversation: Conversation };
  /** To every connection of a visitor: their conversation was opened and can be joined. */
  conversation_opened: { conversationId: string };
  /** The receiving agent's own count of one conversation, and the totals. */
  unread: { conversationId: string; unread: number; readSeq: number } & UnreadCounts;
  /** The totals of the receiving agent after every change; for protocols without requests. */
  unread_counts: UnreadCounts;
  /** Pointers moved. */
  message_status: {
    conversationId: string;
    userId: string;
    role: Role;
    pointers: Pointers;
    /** The pointer that this person moved; absent where their side had moved as far before. */
    receipt?: Receipt;
    /** With `receipt`: the newest message that it is about; null where there is none. */
    messageId?: string | null;
  };
  /** The same for protocols with the status of each message; not part of `parley.v1`. */
  message_statuses: {
    conversationId: string;
    userId: string;
    role: Role;
    status: "delivered" | "read";
    /** Oldest first. */
    messages: { messageId: string; seq: number }[];
  };
  typing: {
    conversationId: string;
    userId: string;
    userName: string;
    role: Role;
    isTyping: boolean;
    /** They are typing a note; only sent to agents. */
    isPrivate?: true;
  };
  presence: Presence;
  /** Every `heartbeatMs`: the last seq of each joined conversation, so that a client finds gaps. */
  heartbeat: {
    serverTime: string;
    positions: Record<string, number>;
    /** To be returned at once as `ping` with `{echo}`, by which the server measures deliveries. */
    echo?: string;
  };
  /** Instead of user_joined and user_left after a join with `members: "count"`; at most once a second. */
  member_count: { conversationId: string; count: number };
  user_joined: { conversationId: string } & Member;
  user_left: { conversationId: string } & Member;
  /** To the members of a shared document. `sessionId` is a context's name for it. */
  session_joined: { documentId: string; sessionId: string | null } & SessionMember;
  session_left: { documentId: string; sessionId: string | null } & SessionMember;
  edit: DocumentEdit;
  cursor: DocumentCursor;
  /** A row of a followed table was changed, by any program. */
  database_change: DatabaseChange & { subscription: string };
  /**
   * To visitors of a widget: its current settings. `enabled` false: this website may no longer show
   * it, and the connection is closed.
   */
  widget_config: { enabled: boolean; appearance: WidgetAppearance };
  /** The current value of a followed metric. */
  metric_update: MetricUpdate;
  /** The subscription has ended; `overloaded`: changes were lost, subscribe and read again. */
  subscription_ended: {
    subscription: string;
    table: TableName;
    code: Extract<ErrorCode, "forbidden" | "invalid_session" | "overloaded">;
    reason: string;
  };
  /** New, or one more message in a conversation that has an unread notification. */
  notification: { notification: Notification } & UnreadNotificationCount;
  /** The receiving agent has read these on any device; `ids` null: all of them. */
  notifications_read: { ids: string[] | null; readAt: string } & UnreadNotificationCount;
  notification_preferences: { preferences: NotificationPreferences };
  /** To agents: the replies of this conversation that are sent later have changed. */
  scheduled_changed: { conversationId: string };
  /** The agent's draft as it is now, from any of their devices; `content` "" : it is deleted. */
  draft: { draft: Draft };
  /** An event of a program, to this user or to everybody here. */
  user_event: { name: string; data: Record<string, unknown> };
  /** The server drains: connect again after `retryAfter` milliseconds. */
  reconnect: { retryAfter: number };
  pong: Record<string, never>;
}

export interface ErrorData {
  code: ErrorCode;
  retryAfter?: number;
  limit?: string;
  fields?: FieldError[];
}

/** The `data` of the `ack` of each command. */
export interface Acks {
  auth: {
    userId: string;
    userName: string;
    role: "agent" | "visitor";
    /** Of a visitor: their own conversation, if there is one. */
    conversationId?: string | null;
    /** Of a visitor with a session: the appearance of their widget. */
    appearance?: WidgetAppearance;
    /** Of an agent: their unread messages over all conversations that are not resolved. */
    totalUnread?: number;
    /** Milliseconds for which people can edit and withdraw their messages; 0: not at all. */
    editWindowMs: number;
    /** For agents: all who are online, agents first. For visitors: agents who are online. */
    presence: Presence[];
    /** The cursor for `presence_list`; null when `presence` is complete. */
    presenceCursor: string | null;
    /** How many are online, by role; visitors see only agents. */
    online: { agents: number; visitors?: number };
    /** When the credentials expire, or null. */
    expiresAt: string | null;
  };
  refresh: { expiresAt: string | null };
  join: JoinResult;
  members: { members: Member[]; memberCount: number; membersCursor: string | null };
  presence_list: { presence: Presence[]; presenceCursor: string | null };
  leave: Record<string, never>;
  message: { message: Message; duplicate: boolean };
  edit_message: { message: Message };
  delete_message: { messageId: string; seq: number };
  update_conversation: { conversation: Conversation };
  update_conversations: BulkAnswer;
  /** How many of them exist. */
  mark_unread: { unread: number };
  read_conversations: z.infer<typeof ReadConversationsResponse>;
  react: { message: Message };
  history: { messages: Message[]; hasMore: boolean };
  typing: Record<string, never>;
  read: { readSeq: number };
  delivered: { deliveredSeq: number };
  page: Record<string, never>;
  presence: Record<string, never>;
  subscribe: Subscribed | SubscribedMetrics;
  unsubscribe: Record<string, never>;
  join_session: DocumentState & {
    documentId: string;
    /** The part of the client. */
    role: string;
    /** The name that edits and cursors of this connection have. */
    clientId: string;
    members: SessionMember[];
    memberCount: number;
  };
  leave_session: Record<string, never>;
  edit: EditReceipt;
  cursor: Record<string, never>;
  ping: Record<string, never>;
}

export type LoggedEvent = {
  [T in DurableType]: { type: T; timestamp: string; data: DurableEvents[T] };
}[DurableType];

export interface JoinResult {
  conversationId: string;
  epoch: string;
  /** The position of this response: events from seq + 1 on follow live. */
  seq: number;
  /** True: `events` are exactly those after the given position. False: `snapshot` replaces all. */
  recovered: boolean;
  events: LoggedEvent[];
  snapshot: { messages: Message[]; hasMore: boolean } | null;
  conversation: Conversation;
  /** The first page, empty unless `members` was "list" (the default). */
  members: Member[];
  memberCount: number;
  /** The cursor for the command `members`; null when `members` is complete. */
  membersCursor: string | null;
}

export type Events = DurableEvents & EphemeralEvents;
export type EventType = keyof Events;

/** One line from the server. */
export type ServerMessage =
  | { [T in EventType]: { type: T; timestamp: string; data: Events[T] } }[EventType]
  | { type: "ack"; id: CommandId; timestamp: string; data: unknown }
  | { type: "error"; id?: CommandId; timestamp: string; error: string; data: ErrorData };
