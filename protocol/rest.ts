/** Bodies of requests and responses of the REST API, by which it is validated and documented. */
import { z } from "zod";
import {
  AgentRole,
  Contact,
  Conversation,
  ConversationStatus,
  Cursor,
  Id,
  Message,
  Page,
  Priority,
  queryInteger,
  Timestamp,
  User,
  WidgetAppearance,
  WidgetConfig,
} from "./model.ts";
import { AttributeChanges, Attributes } from "./contacts.ts";
import { Email, EmailText, nameOf } from "./text_fields.ts";
import { COMMANDS, HAS_CONTENT, MAX_HISTORY } from "./native.ts";

export const Password = z.string().min(10, "must have at least 10 characters").max(200);
const Name = nameOf(100);

export const LoginBody = z.strictObject({
  email: EmailText.min(1),
  password: z.string().min(1).max(200),
});
/** `token` is an access token for `Authorization: Bearer` and for the socket; `expiresAt` ISO 8601. */
export const LoginResponse = z.object({ token: z.string(), expiresAt: Timestamp, user: User });
export type LoginResponse = z.infer<typeof LoginResponse>;

export const SetupBody = z.strictObject({
  name: Name,
  email: Email,
  password: Password,
  /** As printed by the server at its start; not needed on the server's own machine. */
  code: z.string().trim().max(100).optional(),
});

export const SessionBody = z.strictObject({
  widgetKey: z.string().min(1).max(100),
  /** A session that the browser has, which is continued if it is still valid. */
  sessionId: z.string().min(1).max(256).optional(),
  name: Name.optional(),
  email: Email.optional(),
  /** More about the visitor, as their page says it; nobody has verified it. */
  attributes: Attributes.optional(),
  page: Page.optional(),
  locale: z.string().max(35).optional(),
});
export const PublicWidget = z.object({
  widgetKey: z.string(),
  appearance: WidgetAppearance,
  /** Globs of pages on which the bot may write first: there the widget connects by itself. */
  pages: z.array(z.string()),
});
export type PublicWidget = z.infer<typeof PublicWidget>;
export const SessionResponse = z.object({
  /** A secret that authenticates the visitor. */
  sessionId: z.string(),
  expiresAt: Timestamp,
  contact: Contact,
  conversationId: Id.nullable(),
  unread: z.number().int(),
  widget: PublicWidget,
});
export type SessionResponse = z.infer<typeof SessionResponse>;

export const ConversationView = z.enum(["all", "mine", "unassigned", "mentions"]);
export type ConversationView = z.infer<typeof ConversationView>;
/**
 * Newest activity first; the longest waiting first, then those that do not wait; or the highest
 * priority first.
 */
export const ConversationSort = z.enum(["newest", "waiting", "priority"]);
export type ConversationSort = z.infer<typeof ConversationSort>;
/** What a list of conversations can be limited to, and its order: all of it has to hold. */
const FILTER = {
  /** "mine" and "mentions" are the caller's. */
  view: ConversationView.optional(),
  status: ConversationStatus.optional(),
  /** A user's id. */
  assignee: Id.optional(),
  /** A team's id. */
  team: Id.optional(),
  /** The id of a label that they have to have. */
  label: Id.optional(),
  priority: Priority.optional(),
  /** A platform, such as "web". */
  channel: z.string().regex(/^[a-z0-9_-]{1,40}$/, "must be a platform such as web").optional(),
  /** The id of a widget that the contact has used. */
  widget: Id.optional(),
  /** Words that the conversation, or one of its 2000 newest messages with them, has. */
  q: z.string().trim().min(1).max(200).overwrite((text) => text.toWellFormed()).optional(),
  /** Default: newest. A cursor belongs to its order. */
  sort: ConversationSort.optional(),
};
/** Minutes, up to 30 days. */
const MAX_WAITING = 43_200;
export const ConversationFilter = z.strictObject({
  ...FILTER,
  /** Only those in which the caller has not read something that concerns them. */
  unread: z.literal(true).optional(),
  /** Only those in which the contact has waited for at least so many minutes. */
  waitingMinutes: z.number().int().min(1).max(MAX_WAITING).optional(),
});
export type ConversationFilter = z.infer<typeof ConversationFilter>;
export const ConversationQuery = z.strictObject({
  ...FILTER,
  unread: z.literal("true").transform((): true => true).optional(),
  waitingMinutes: queryInteger(1, MAX_WAITING).optional(),
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
});
export const ConversationList = z.object({
  items: z.array(Conversation),
  nextCursor: z.string().nullable(),
});
export type ConversationList = z.infer<typeof ConversationList>;

/** An agent gives the contact; a visitor sends `{}` for their own conversation. */
export const OpenConversationBody = z.strictObject({ contactId: Id.optional() });

const messageShape = COMMANDS.message.shape;
export const PostMessageBody = z.strictObject({
  content: messageShape.content,
  clientMessageId: messageShape.clientMessageId,
  type: messageShape.type,
  isPrivate: messageShape.isPrivate,
  /** For API keys: the agent as whom, or the name of a bot. Default: a bot with the key's name. */
  sender: z.union([
    z.strictObject({ userId: Id }),
    z.strictObject({ userName: Name }),
  ]).optional(),
  /** Files that the sender has uploaded and not sent yet. */
  fileIds: messageShape.fileIds,
  replyToId: messageShape.replyToId,
}).refine(...HAS_CONTENT);
export const EditMessageBody = z.strictObject({ content: COMMANDS.edit_message.shape.content });
export const ReactionBody = z.strictObject({
  emoji: COMMANDS.react.shape.emoji,
  /** Removes the reaction. */
  remove: COMMANDS.react.shape.remove,
});
export const MessageQuery = z.strictObject({
  after: queryInteger(0, Number.MAX_SAFE_INTEGER).optional(),
  before: queryInteger(0, Number.MAX_SAFE_INTEGER).optional(),
  limit: queryInteger(1, MAX_HISTORY).optional(),
}).refine(
  (query) => query.before === undefined || query.after === undefined,
  "at most one of before and after can be given",
);
/** `nextCursor` is the seq for `before=` or `after=` of the next request, as a string, or null. */
export const MessageList = z.object({ items: z.array(Message), nextCursor: z.string().nullable() });
export type MessageList = z.infer<typeof MessageList>;

export const ReadBody = z.strictObject({ seq: z.number().int().min(0) });

const Origin = z.string().max(255).refine((value) => {
  if (value === "*") return true;
  try {
    const { protocol, origin, hostname } = new URL(value);
    return origin === value && /^https?:$/.test(protocol) && !hostname.includes("*");
  } catch {
    return false;
  }
}, 'must be an origin such as "https://example.com", or "*"');
export const CreateWidgetBody = z.strictObject({
  name: Name,
  allowedOrigins: z.array(Origin).max(50).optional(),
  enabled: z.boolean().optional(),
  appearance: WidgetAppearance.partial().optional(),
});
export const UpdateWidgetBody = CreateWidgetBody.partial();
export const WidgetList = z.object({ items: z.array(WidgetConfig), nextCursor: z.null() });

export const CreateUserBody = z.strictObject({
  name: Name,
  email: Email,
  password: Password,
  role: AgentRole,
});
export const UpdateUserBody = z.strictObject({
  name: Name.optional(),
  role: AgentRole.optional(),
  password: Password.optional(),
  /** Needed to change the own password. */
  currentPassword: z.string().min(1).max(200).optional(),
  /** True: they are signed out, and their unresolved conversations are handed over. */
  disabled: z.boolean().optional(),
  /** With `disabled: true`: another agent who gets their conversations. Default, null: nobody. */
  handOverTo: Id.nullable().optional(),
}).refine(
  ({ disabled, handOverTo }) => disabled === true || handOverTo === undefined,
  { path: ["handOverTo"], message: 'goes only together with "disabled": true' },
);
/** Conversations that were handed over when an agent was disabled. */
export const HandOver = z.object({ assigned: z.number().int(), unassigned: z.number().int() });
export type HandOver = z.infer<typeof HandOver>;
/** The agent; after `disabled: true` with the number of conversations that were handed over. */
export const UpdatedUser = User.extend({ handOver: HandOver.optional() });
export type UpdatedUser = z.infer<typeof UpdatedUser>;
/** Conversations of one agent that are not resolved. */
export const Workload = z.object({
  open: z.number().int(),
  pending: z.number().int(),
  snoozed: z.number().int(),
});
export type Workload = z.infer<typeof Workload>;
export const UserList = z.object({ items: z.array(User), nextCursor: z.null() });

/** Exactly one: all connections of a user or contact, of one session, or of one token (its `jti`). */
export const DisconnectBody = z.union([
  z.strictObject({ userId: Id }),
  z.strictObject({ sessionId: z.string().min(1).max(256) }),
  z.strictObject({ tokenId: z.string().min(1).max(100) }),
]);

export const UpdateContactBody = z.strictObject({
  name: Name.optional(),
  email: Email.nullable().optional(),
  /** Values to set; null deletes one. Others stay. */
  attributes: AttributeChanges.optional(),
});

/** RFC 9457 problem details; `code` is stable, `fields` lists every bad field. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  retryAfter: z.number().int().optional(),
});
export type Problem = z.infer<typeof Problem>;
