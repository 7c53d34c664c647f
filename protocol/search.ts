/** Queries and results of the search. */
import { z } from "zod";
import { ConversationStatus, Cursor, Id, queryInteger, Sender, Timestamp } from "./model.ts";

/** Characters of a query. */
export const MAX_QUERY = 200;

export const SearchKind = z.enum(["conversations", "messages", "contacts"]);
export type SearchKind = z.infer<typeof SearchKind>;

export const SearchQuery = z.strictObject({
  q: z.string().trim().min(1).max(MAX_QUERY),
  /** Only this kind; default: the first results of each kind. */
  kind: SearchKind.optional(),
  /** Only messages of this conversation. */
  conversation: Id.optional(),
  /** A `nextCursor` of the same query and kind. */
  cursor: Cursor.optional(),
  /** Of each kind. */
  limit: queryInteger(1, 50).optional(),
}).refine((query) => query.cursor === undefined || query.kind !== undefined, {
  message: "goes with the kind that it is of",
  path: ["cursor"],
}).refine((query) => query.conversation === undefined || query.kind === "messages", {
  message: "goes with the kind messages",
  path: ["conversation"],
});
export type SearchQuery = z.infer<typeof SearchQuery>;

/** A match in a text, from `start` to before `end`, in UTF-16 code units as in JavaScript. */
export const Range = z.object({
  start: z.number().int().nonnegative(),
  end: z.number().int().positive(),
});
export type Range = z.infer<typeof Range>;

/** Plain text and the matches in it, in order and without overlap. */
export const Marked = z.object({ text: z.string(), ranges: z.array(Range) });
export type Marked = z.infer<typeof Marked>;

export const FoundContact = z.object({
  id: Id,
  name: Marked,
  email: Marked.nullable(),
  lastSeenAt: Timestamp.nullable(),
  /** Their conversation with the latest activity; null where there is none. */
  conversationId: Id.nullable(),
});
export type FoundContact = z.infer<typeof FoundContact>;

export const FoundConversation = z.object({
  id: Id,
  status: ConversationStatus,
  /** The website's own name for it; null where it has none. */
  contextId: Marked.nullable(),
  contact: z.object({ id: Id, name: Marked, email: Marked.nullable() }),
  /** The beginning of the last message. */
  preview: z.string().nullable(),
  lastActivityAt: Timestamp,
});
export type FoundConversation = z.infer<typeof FoundConversation>;

export const FoundMessage = z.object({
  id: Id,
  seq: z.number().int().positive(),
  sender: Sender,
  isPrivate: z.boolean(),
  createdAt: Timestamp,
  /** The part of the text around the first match; "…" marks omissions. */
  snippet: Marked,
  conversation: z.object({
    id: Id,
    status: ConversationStatus,
    contextId: z.string().nullable(),
    contact: z.object({ id: Id, name: z.string() }),
  }),
});
export type FoundMessage = z.infer<typeof FoundMessage>;

function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** Each requested kind, the newest first; the others are absent. */
export const SearchResponse = z.object({
  conversations: page(FoundConversation).optional(),
  messages: page(FoundMessage).optional(),
  contacts: page(FoundContact).optional(),
});
export type SearchResponse = z.infer<typeof SearchResponse>;
