/** Scopes of API keys, and bodies of requests and responses of the server-side API. */
import { z } from "zod";
import { Id, Timestamp } from "./model.ts";
import { EventName } from "./notifications.ts";
import { nameOf } from "./text_fields.ts";

/** The rights of an API key, which are given when it is created. */
export const SCOPES = {
  "conversations:read": "Read conversations and their messages",
  "conversations:write": "Open conversations, change status and assignment",
  "messages:write": "Send messages as a bot or as an agent",
  "users:notify": "Send events to single users and visitors",
  "broadcast:write": "Send events to all agents or into a conversation",
  "events:emit": "Send events under the names of the server's own",
  "connections:read": "See who is connected, and how often",
  "connections:write": "End connections",
} as const;
export const Scope = z.enum(Object.keys(SCOPES) as [keyof typeof SCOPES]);
export type Scope = z.infer<typeof Scope>;

export const ApiKey = z.object({
  id: Id,
  name: z.string(),
  /** The key's first characters, to identify it. */
  prefix: z.string(),
  scopes: z.array(Scope),
  createdBy: Id.nullable(),
  createdAt: Timestamp,
  /** Within a minute. */
  lastUsedAt: Timestamp.nullable(),
  expiresAt: Timestamp.nullable(),
  revokedAt: Timestamp.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

export const ApiKeyList = z.object({ items: z.array(ApiKey), nextCursor: z.null() });

export const CreateApiKeyBody = z.strictObject({
  name: nameOf(100),
  scopes: z.array(Scope).min(1).max(Object.keys(SCOPES).length).overwrite((scopes) => [
    ...new Set(scopes),
  ]),
  /** Must be in the future. Default: null, it does not expire. */
  expiresAt: Timestamp.nullable().optional(),
});
export type CreateApiKeyBody = z.infer<typeof CreateApiKeyBody>;

/** `key` is shown this once. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

const event = {
  event: EventName,
  /** Default: `{}`. */
  data: z.record(z.string(), z.unknown()).optional(),
};

export const UserEventBody = z.strictObject(event);
/** Exactly one of `room` and `conversationId`. */
export const BroadcastBody = z.strictObject({
  room: z.literal("agents").optional(),
  conversationId: Id.optional(),
  ...event,
}).refine(
  ({ room, conversationId }) => (room === undefined) !== (conversationId === undefined),
  "exactly one of room and conversationId is needed",
);

/** `connections`: how many there were at that moment, on all nodes. */
export const UserEventResponse = z.object({ connections: z.number().int() });
export const UserConnections = z.object({ connected: z.boolean(), count: z.number().int() });
export const ConnectionStats = z.object({
  totalConnections: z.number().int(),
  /** Agents and visitors, each once, however many connections they have. */
  authenticatedUsers: z.number().int(),
  averageConnectionsPerUser: z.number(),
});
export type ConnectionStats = z.infer<typeof ConnectionStats>;
