/** Full-text search for agents: conversations by their contact, messages by text, and contacts. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type {
  FoundContact,
  FoundConversation,
  FoundMessage,
  SearchKind,
  SearchQuery,
  SearchResponse,
} from "../../protocol/search.ts";
import {
  cutPage,
  exactTime,
  idOfCursor,
  LAST_ID,
  timeOfCursor,
  type TimePosition,
} from "../cursor.ts";
import { SENDER_NOW } from "../conversations/queries.ts";
import type { FullConversationRow } from "../conversations/view.ts";
import { type Caller, needScope } from "../principal.ts";
import { highlight, snippet, termsOf } from "./highlights.ts";

/** Default number of results of each kind. */
const LIMIT = 20;

interface SearchContext {
  db: Db;
  /** What was typed. */
  q: string;
  /** The same for the highlights. */
  terms: string[];
  /** Only messages of this conversation. */
  inside: string | undefined;
  cursor: string | undefined;
  limit: number;
}

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/**
 * The newest of each kind that have all words of `q`; a word matches by any part of it, without regard
 * to case, accents, vowel marks, apostrophes and hyphens. Deleted messages are not found.
 *
 * @throws {ParleyError} `forbidden` for visitors, and for programs that may not read conversations;
 * `invalid` for a bad cursor.
 */
export async function search(
  db: Db,
  caller: Caller,
  { q, kind, conversation, cursor, limit = LIMIT }: SearchQuery,
): Promise<SearchResponse> {
  if (caller.kind === "visitor") {
    throw new ParleyError("forbidden", "Cannot search: only agents may");
  }
  needScope(caller, "conversations:read");
  const context = { db, q, terms: termsOf(q), inside: conversation, cursor, limit };
  const wanted = (one: SearchKind) => kind === undefined || kind === one;
  const [conversations, messages, contacts] = await Promise.all([
    wanted("conversations") ? findConversations(context) : undefined,
    wanted("messages") ? findMessages(context) : undefined,
    wanted("contacts") ? findContacts(context) : undefined,
  ]);
  return {
    ...(conversations === undefined ? {} : { conversations }),
    ...(messages === undefined ? {} : { messages }),
    ...(contacts === undefined ? {} : { contacts }),
  };
}

type MessageFound = MessageRow & Pick<FullConversationRow, "contact_id" | "contact_name"> & {
  conversation_status: FullConversationRow["status"];
  context_id: string | null;
};

async function findMessages(context: SearchContext): Promise<Page<FoundMessage>> {
  const below = idOfCursor(context.cursor) ?? LAST_ID;
  const { q, inside } = context;
  const atMost = sql`${below}::uuid, ${context.limit + 1}::integer`;
  const found = inside === undefined
    ? sql`find_messages(${q}, ${atMost})`
    : sql`find_in_conversation(${q}, ${inside}::uuid, ${atMost})`;
  const { rows } = await sql<MessageFound>`
    select m.*, c.status as conversation_status, c.context_id, c.contact_id,
      k.name as contact_name, ${SENDER_NOW}
    from ${found} as found(id)
    join chat_messages m on m.id = found.id
    join conversations c on c.id = m.conversation_id
    join contacts k on k.id = c.contact_id
    order by m.id desc`.execute(context.db);
  return page(rows, context.limit, (row) => row.id, (row) => ({
    id: row.id,
    seq: row.seq,
    sender: { userId: row.sender_id, userName: row.sender_name, role: row.sender_role },
    isPrivate: row.is_private,
    createdAt: row.created_at.toISOString(),
    snippet: snippet(row.content, context.terms),
    conversation: {
      id: row.conversation_id,
      status: row.conversation_status,
      contextId: row.context_id,
      contact: { id: row.contact_id, name: row.contact_name },
    },
  }));
}

interface ContactFound {
  id: string;
  name: string;
  email: string | null;
  last_seen_at: Date | null;
  conversation_id: string | null;
}

async function findContacts(context: SearchContext): Promise<Page<FoundContact>> {
  const below = idOfCursor(context.cursor) ?? LAST_ID;
  const { rows } = await sql<ContactFound>`
    select k.id, k.name, k.email, k.last_seen_at, (
        select c.id from conversations c where c.contact_id = k.id
        order by c.last_activity_at desc limit 1
      ) as conversation_id
    from find_contacts(${context.q}, ${below}::uuid, ${context.limit + 1}::integer) as found(id)
    join contacts k on k.id = found.id
    order by k.id desc`.execute(context.db);
  return page(rows, context.limit, (row) => row.id, (row) => ({
    id: row.id,
    name: highlight(row.name, context.terms),
    email: row.email === null ? null : highlight(row.email, context.terms),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    conversationId: row.conversation_id,
  }));
}

type ConversationFound =
  & Pick<FullConversationRow, "id" | "status" | "context_id" | "contact_id" | "contact_name">
  & Pick<FullConversationRow, "contact_email" | "last_message_preview" | "last_activity_at">
  & { sort_time: string };

async function findConversations(context: SearchContext): Promise<Page<FoundConversation>> {
  const { at, id } = timeOfCursor(context.cursor) ?? { at: "infinity", id: LAST_ID };
  const { rows } = await sql<ConversationFound>`
    select c.id, c.status, c.context_id, c.contact_id, c.last_message_preview, c.last_activity_at,
      ${
    exactTime("c.last_activity_at")
  } as sort_time, k.name as contact_name, k.email as contact_email
    from find_conversations(${context.q}, ${at}::timestamptz, ${id}::uuid,
      ${context.limit + 1}) as found(id)
    join conversations c on c.id = found.id
    join contacts k on k.id = c.contact_id
    order by c.last_activity_at desc, c.id desc`.execute(context.db);
  return page(rows, context.limit, ({ sort_time, id }) => ({ at: sort_time, id }), (row) => ({
    id: row.id,
    status: row.status,
    contextId: row.context_id === null ? null : highlight(row.context_id, context.terms),
    contact: {
      id: row.contact_id,
      name: highlight(row.contact_name, context.terms),
      email: row.contact_email === null ? null : highlight(row.contact_email, context.terms),
    },
    preview: row.last_message_preview,
    lastActivityAt: row.last_activity_at.toISOString(),
  }));
}

function page<R, T>(
  rows: R[],
  limit: number,
  positionOf: (row: R) => string | TimePosition,
  toItem: (row: R) => T,
): Page<T> {
  const { rows: shown, nextCursor } = cutPage(rows, limit, positionOf);
  return { items: shown.map(toItem), nextCursor };
}
