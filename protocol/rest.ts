/** Bodies and answers of the REST API, as zod schemas: the API validates and documents itself with them. */
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
  Timestamp,
  User,
  WidgetAppearance,
  WidgetConfig,
} from "./model.ts";
import { LabelIds } from "./labels.ts";
import { COMMANDS, MAX_HISTORY } from "./native.ts";

export const Password = z.string().min(10, "must have at least 10 characters").max(200);
export const Email = z.string().trim().toLowerCase().max(254).pipe(z.email());
const Name = z.string().trim().min(1).max(100);

export const LoginBody = z.strictObject({
  email: z.string().trim().toLowerCase().min(1).max(254),
  password: z.string().min(1).max(200),
});
/** `token` is an access token for `Authorization: Bearer` and for the socket; `expiresAt` ISO 8601. */
export const LoginResponse = z.object({ token: z.string(), expiresAt: Timestamp, user: User });
export type LoginResponse = z.infer<typeof LoginResponse>;

export const SetupBody = z.strictObject({
  name: Name,
  email: Email,
  password: Password,
  /** What the server printed at its start; needed unless one is on the server's own machine. */
  code: z.string().trim().max(100).optional(),
});

export const SessionBody = z.strictObject({
  widgetKey: z.string().min(1).max(100),
  /** A session that the browser still has: it is continued when it is still good. */
  sessionId: z.string().min(1).max(256).optional(),
  name: Name.optional(),
  email: Email.optional(),
  page: Page.optional(),
  locale: z.string().max(35).optional(),
});
export const PublicWidget = z.object({
  widgetKey: z.string(),
  appearance: WidgetAppearance,
  /** Globs of the pages on which the bot may speak first: there the widget connects by itself. */
  pages: z.array(z.string()),
});
export type PublicWidget = z.infer<typeof PublicWidget>;
export const SessionResponse = z.object({
  /** A secret: who has it is the visitor. */
  sessionId: z.string(),
  expiresAt: Timestamp,
  contact: Contact,
  conversationId: Id.nullable(),
  unread: z.number().int(),
  widget: PublicWidget,
});
export type SessionResponse = z.infer<typeof SessionResponse>;

export const ConversationView = z.enum(["all", "mine", "unassigned"]);
export type ConversationView = z.infer<typeof ConversationView>;
export const ConversationQuery = z.strictObject({
  view: ConversationView.optional(),
  status: ConversationStatus.optional(),
  /** A label's id: only those that have it. */
  label: Id.optional(),
  cursor: Cursor.optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
});
export const ConversationList = z.object({
  items: z.array(Conversation),
  nextCursor: z.string().nullable(),
});
export type ConversationList = z.infer<typeof ConversationList>;

/** An agent names the contact; a visitor sends `{}` and gets their own conversation, opened or found. */
export const OpenConversationBody = z.strictObject({ contactId: Id.optional() });

export const UpdateConversationBody = z.strictObject({
  status: ConversationStatus.optional(),
  /** A user's id, or null for nobody. */
  assigneeId: Id.nullable().optional(),
  /** Ids of all labels that it is to have; none: []. */
  labels: LabelIds.optional(),
  /** Ids of labels that it is to have as well. */
  addLabels: LabelIds.optional(),
  /** Ids of labels that it is not to have any more, whether it has them or not. */
  removeLabels: LabelIds.optional(),
}).refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of status, assigneeId, labels, addLabels and removeLabels is needed",
).refine(({ labels, addLabels, removeLabels }) => !labels || !addLabels && !removeLabels, {
  path: ["labels"],
  message: "are all that it is to have: without addLabels and removeLabels",
}).refine(
  ({ addLabels = [], removeLabels }) => !removeLabels?.some((id) => addLabels.includes(id)),
  {
    path: ["removeLabels"],
    message: "must not name what addLabels names",
  },
);
export type UpdateConversationBody = z.infer<typeof UpdateConversationBody>;

const messageShape = COMMANDS.message.shape;
export const PostMessageBody = z.strictObject({
  content: messageShape.content,
  clientMessageId: messageShape.clientMessageId,
  type: messageShape.type,
  isPrivate: messageShape.isPrivate,
  /** For API keys: as which agent, or under which name as a bot. Default: a bot, the key's name. */
  sender: z.union([
    z.strictObject({ userId: Id }),
    z.strictObject({ userName: Name.overwrite((text) => text.toWellFormed()) }),
  ]).optional(),
});
export const MessageQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  before: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_HISTORY).optional(),
}).refine(
  (query) => query.before === undefined || query.after === undefined,
  "at most one of before and after can be given",
);
/** `nextCursor` is the seq to ask on with (`before=` or `after=`), as a string, or null. */
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
  /** Needed to change one's own password. */
  currentPassword: z.string().min(1).max(200).optional(),
  /** True: they are signed out, and what they have and is not resolved is handed over. */
  disabled: z.boolean().optional(),
  /** With `disabled: true`: another agent who gets their conversations. Default, null: nobody. */
  handOverTo: Id.nullable().optional(),
}).refine(
  ({ disabled, handOverTo }) => disabled === true || handOverTo === undefined,
  { path: ["handOverTo"], message: 'goes only together with "disabled": true' },
);
/** Conversations that changed hands when an agent was disabled. */
export const HandOver = z.object({ assigned: z.number().int(), unassigned: z.number().int() });
export type HandOver = z.infer<typeof HandOver>;
/** The agent; after `disabled: true` with what became of their conversations. */
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
