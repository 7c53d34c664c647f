/** Queries of conversations, one function each. The caller checks rights. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { EventRow, MessageRow } from "../../db/types.ts";
import { QUOTED } from "./replies.ts";
import { LABELS } from "./label_storage.ts";
import type { FullConversationRow } from "./view.ts";

export function selectConversations(db: Db) {
  return selectUnlabelled(db).select(LABELS.as("labels"));
}

/** For the writer, which waits for row locks: labels of the same query would be of before the wait. */
export function selectUnlabelled(db: Db) {
  return db.selectFrom("conversations as c")
    .innerJoin("contacts as contact", "contact.id", "c.contact_id")
    .leftJoin("users as assignee", "assignee.id", "c.assignee_id")
    .selectAll("c")
    .select([
      "contact.name as contact_name",
      "contact.email as contact_email",
      "contact.created_at as contact_created_at",
      "contact.last_seen_at as contact_last_seen_at",
      "assignee.name as assignee_name",
      "assignee.disabled_at as assignee_disabled_at",
    ]);
}

export async function findConversation(db: Db, id: string): Promise<FullConversationRow | null> {
  return await selectConversations(db).where("c.id", "=", id).executeTakeFirst() ?? null;
}

/** In the order of the ids; null where there is none. */
export async function findConversations(
  db: Db,
  ids: string[],
): Promise<(FullConversationRow | null)[]> {
  const rows = await selectConversations(db).where(sql<boolean>`c.id = any(${ids}::uuid[])`)
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** The last seq of each of these conversations, without those that do not exist. */
export async function positionsOf(db: Db, ids: string[]): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; last_seq: number }>`
    select c.id, c.last_seq from conversations c
    where c.id = any(${ids}::uuid[])`.execute(db);
  return new Map(rows.rows.map((row) => [row.id, row.last_seq]));
}

/**
 * The current name of the sender of a message `m` instead of the stored one: visitors often get their
 * name after they have written. Updating the name in all their messages would cost too much.
 */
export const SENDER_NOW = sql<string>`coalesce((
  select who.name from contacts who where m.sender_role = 'visitor' and who.id = case
    when m.sender_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then m.sender_id::uuid end
), m.sender_name)`.as("sender_name");

export interface MessageQuery {
  conversationId: string;
  /** Without private notes and activity lines. */
  publicOnly: boolean;
  before?: number | undefined;
  beforeTime?: Date | undefined;
  after?: number | undefined;
  limit: number;
}

/** Ascending by seq; without `after`, the newest before `before` or `beforeTime`. */
export async function listMessages(db: Db, query: MessageQuery): Promise<MessagePage> {
  const ascending = query.after !== undefined;
  const rows = await db.selectFrom("chat_messages as m").selectAll("m").select([SENDER_NOW, QUOTED])
    .where("conversation_id", "=", query.conversationId)
    .$if(query.publicOnly, (qb) => qb.where("is_private", "=", false))
    .$if(query.before !== undefined, (qb) => qb.where("seq", "<", query.before!))
    .$if(query.beforeTime !== undefined, (qb) => qb.where("created_at", "<", query.beforeTime!))
    .$if(query.after !== undefined, (qb) => qb.where("seq", ">", query.after!))
    .orderBy("seq", ascending ? "asc" : "desc")
    .limit(query.limit + 1).execute();
  const page = rows.slice(0, query.limit);
  return { rows: ascending ? page : page.reverse(), hasMore: rows.length > query.limit };
}

export interface LatestQuery {
  conversationId: string;
  /** Without private notes and activity lines. */
  publicOnly: boolean;
  /** The newest seq of them. */
  upTo: number;
  limit: number;
}

export interface MessagePage {
  rows: MessageRow[];
  hasMore: boolean;
}

/** The newest messages of each of these conversations, ascending by seq. */
export async function latestMessages(db: Db, queries: LatestQuery[]): Promise<MessagePage[]> {
  const wanted = queries.map(({ conversationId, publicOnly, upTo, limit }, i) => ({
    i,
    c: conversationId,
    p: publicOnly,
    u: upTo,
    n: limit + 1,
  }));
  const { rows } = await sql<MessageRow & { i: number }>`
    select k.i, m.*, ${SENDER_NOW}, ${QUOTED} from jsonb_to_recordset(${
    JSON.stringify(wanted)
  }::jsonb)
      as k(i integer, c uuid, p boolean, u bigint, n integer)
    cross join lateral (
      select * from chat_messages m where m.conversation_id = k.c and m.seq <= k.u
        and not (k.p and m.is_private)
      order by m.seq desc limit k.n
    ) m order by k.i, m.seq desc`.execute(db);
  const pages = Map.groupBy(rows, ({ i }) => i);
  return queries.map(({ limit }, i) => {
    const found = pages.get(i) ?? [];
    return { rows: found.slice(0, limit).reverse(), hasMore: found.length > limit };
  });
}

export interface EventWithMessage {
  event: EventRow;
  message: MessageRow | null;
}

/** These entries of the logs, in no order, without those that do not exist. */
export async function entriesAt(
  db: Db,
  positions: { conversationId: string; seq: number }[],
): Promise<EventWithMessage[]> {
  const wanted = positions.map(({ conversationId, seq }) => ({ c: conversationId, s: seq }));
  const { rows: events } = await sql<EventRow>`
    select e.* from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as k(c uuid, s bigint)
    join conversation_events e on e.conversation_id = k.c and e.seq = k.s`.execute(db);
  return await withMessages(db, events);
}

/** The log after a position, at most `limit` entries, in order. */
export async function eventsAfter(
  db: Db,
  conversationId: string,
  seq: number,
  limit: number,
): Promise<EventWithMessage[]> {
  const events = await db.selectFrom("conversation_events").selectAll()
    .where("conversation_id", "=", conversationId).where("seq", ">", seq)
    .orderBy("seq").limit(limit).execute();
  return await withMessages(db, events);
}

export interface LogRange {
  conversationId: string;
  /** after < seq <= upTo. */
  after: number;
  upTo: number;
}

/** These parts of logs, each in order. */
export async function eventsBetween(db: Db, ranges: LogRange[]): Promise<EventWithMessage[][]> {
  const wanted = ranges.map(({ conversationId, after, upTo }, i) => ({
    i,
    c: conversationId,
    a: after,
    u: upTo,
  }));
  const { rows } = await sql<EventRow & { i: number }>`
    select k.i, e.* from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
      as k(i integer, c uuid, a bigint, u bigint)
    join conversation_events e on e.conversation_id = k.c and e.seq > k.a and e.seq <= k.u
    order by k.i, e.seq`.execute(db);
  const entries = await withMessages(db, rows);
  const logs = ranges.map((): EventWithMessage[] => []);
  rows.forEach(({ i }, at) => logs[i]!.push(entries[at]!));
  return logs;
}

async function withMessages(db: Db, events: EventRow[]): Promise<EventWithMessage[]> {
  const ids = [...new Set(events.flatMap((event) => event.message_id ?? []))];
  const messages = ids.length === 0 ? [] : await db.selectFrom("chat_messages as m").selectAll("m")
    .select([SENDER_NOW, QUOTED]).where(sql<boolean>`id = any(${ids}::uuid[])`).execute();
  const byId = new Map(messages.map((message) => [message.id, message]));
  return events.map((event) => ({
    event,
    message: event.message_id === null ? null : byId.get(event.message_id) ?? null,
  }));
}
