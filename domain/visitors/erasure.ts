/**
 * Erases a person: a contact, and those merged with it, with everything of theirs, as data protection law may demand. Their own
 * conversations are deleted. In conversations of several people their messages are emptied and their
 * name is replaced, so that what others wrote keeps its order.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { type Actor, audit } from "../audit.ts";
import { leaveGroups } from "../notifications/groups.ts";
import { visitorName } from "./contacts.ts";
import { lockGroup } from "./groups.ts";

export interface Erased {
  /** Their own conversations. */
  conversations: number;
  /** Their messages, and all others in their own conversations. */
  messages: number;
  /** The contact, and those that were merged with it. */
  contactIds: string[];
}

/** Key of the lock of the search indexer (db/migrations/032_search_queue.ts). */
const INDEXER_LOCK = 0x73726368;

interface Touched {
  contactId: string;
  /** What they are called from now on. */
  name: string;
  /** Their own conversations, which are deleted. */
  own: string[];
  /** Conversations of others in which they took part. */
  others: string[];
  messages: string[];
  notifications: string[];
}

/**
 * In one transaction: all of it, or nothing.
 *
 * @param jobs for what may take longer than a request
 * @throws {ParleyError} `not_found`.
 */
export async function eraseContact(jobs: Db, actor: Actor, contactId: string): Promise<Erased> {
  return await jobs.transaction().execute(async (trx) => {
    // What the indexer read before this would be stored after it.
    await sql`select pg_advisory_xact_lock(${sql.lit(INDEXER_LOCK)})`.execute(trx);
    const members = await lockGroup(trx, contactId);
    const erased: Erased = { conversations: 0, messages: 0, contactIds: [] };
    for (const { id } of members) {
      const touched = await eraseOne(trx, id);
      erased.conversations += touched.own.length;
      erased.messages += touched.messages.length;
      erased.contactIds.push(id);
    }
    const { contactIds: _, ...counts } = erased;
    await audit(trx, actor, {
      action: "contact.erased",
      subject: { id: members[0]!.id },
      data: counts,
    });
    return erased;
  });
}

async function eraseOne(trx: Db, contactId: string): Promise<Touched> {
  const touched = await lock(trx, contactId);
  touched.messages = await findMessages(trx, touched);
  await sql`delete from message_words where id = any(${touched.messages}::uuid[])`.execute(trx);
  await deleteContextDocuments(trx, touched);
  touched.notifications = await deleteNotifications(trx, touched);
  await deleteFiles(trx, touched);
  await emptyMessages(trx, touched);
  await replaceName(trx, touched);
  // Sessions, identities and conversations, with messages, notes and drafts, go by their references.
  await trx.deleteFrom("contacts").where("id", "=", contactId).execute();
  await redactChanges(trx, touched);
  return touched;
}

/** Conversations are locked in the order of their ids, as the writer does it. */
async function lock(trx: Db, contactId: string): Promise<Touched> {
  const { rows } = await sql<{ id: string; isOwn: boolean }>`
    select id, contact_id = ${contactId} as "isOwn" from conversations
    where contact_id = ${contactId}
      or id in (select conversation_id from participants where user_id = ${contactId})
    order by id for update`.execute(trx);
  return {
    contactId,
    name: visitorName(contactId),
    own: rows.filter(({ isOwn }) => isOwn).map(({ id }) => id),
    others: rows.filter(({ isOwn }) => !isOwn).map(({ id }) => id),
    messages: [],
    notifications: [],
  };
}

/** Also lines of the history that name them, such as "Ada reopened the conversation". */
async function findMessages(trx: Db, { contactId, own, others }: Touched): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from chat_messages where conversation_id = any(${own}::uuid[])
    union
    select id from chat_messages
    where conversation_id = any(${others}::uuid[]) and sender_id = ${contactId}
    union
    select message_id from conversation_events
    where conversation_id = any(${others}::uuid[]) and message_id is not null
      and payload->'actor'->>'userId' = ${contactId}`.execute(trx);
  return rows.map(({ id }) => id);
}

/** Documents of a conversation or a contact go by their references; these have none. */
async function deleteContextDocuments(trx: Db, { own }: Touched): Promise<void> {
  await sql`delete from collaboration_documents d using conversations c
    where c.id = any(${own}::uuid[]) and c.context_id is not null
      and d.kind = 'context' and d.subject_id::jsonb->>0 = c.context_id`.execute(trx);
}

/** Of messages in conversations of others: their titles have the name of who wrote. */
async function deleteNotifications(trx: Db, { own, messages }: Touched): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    delete from notifications where conversation_id = any(${own}::uuid[])
      or data->>'messageId' = any(${messages}::text[]) returning id`.execute(trx);
  const left = own.map((conversationId) => ({
    userId: null,
    conversationId,
    seq: Number.MAX_SAFE_INTEGER,
    isDeleted: true as const,
  }));
  if (left.length > 0) await leaveGroups(trx, left, new Date());
  return rows.map(({ id }) => id);
}

/** What they uploaded, sent or not; files of their own conversations go with the messages. */
async function deleteFiles(trx: Db, { contactId }: Touched): Promise<void> {
  await sql`delete from files where uploader_kind = 'visitor' and uploader_id = ${contactId}`
    .execute(trx);
}

async function emptyMessages(trx: Db, { contactId, name, others }: Touched): Promise<void> {
  await sql`update chat_messages set content = '', formatted = null, reactions = null, files = null, sender_name = ${name}, session_id = null,
      deleted_at = coalesce(deleted_at, now())
    where conversation_id = any(${others}::uuid[]) and sender_id = ${contactId}`.execute(trx);
  await sql`update chat_messages m set reactions = (
      select jsonb_agg(left_over order by nth) from (
        select jsonb_set(one, '{userIds}', (one->'userIds') - ${contactId}::text) as left_over, nth
        from jsonb_array_elements(m.reactions) with ordinality as r(one, nth)
      ) l where left_over->'userIds' <> '[]')
    where conversation_id = any(${others}::uuid[]) and reactions is not null`.execute(trx);
  await sql`update conversations set last_message_preview = '', last_message_sender_name = ${name}
    where id = any(${others}::uuid[]) and last_message_sender_id = ${contactId}`.execute(trx);
}

async function replaceName(trx: Db, { contactId, name, others }: Touched): Promise<void> {
  await sql`update chat_messages m
    set content = ${name}::text || substr(m.content, length(e.payload->'actor'->>'userName') + 1)
    from conversation_events e
    where e.conversation_id = any(${others}::uuid[]) and e.message_id = m.id
      and e.payload->'actor'->>'userId' = ${contactId} and m.type = 'activity'
      and starts_with(m.content, e.payload->'actor'->>'userName')`.execute(trx);
  // A line with a rating has the comment, too.
  await sql`update chat_messages m set content = ${`${name} rated the conversation`}
    from conversation_events e
    where e.conversation_id = any(${others}::uuid[]) and e.message_id = m.id
      and e.payload->'actor'->>'userId' = ${contactId} and e.payload ? 'rated'`.execute(trx);
  await sql`update conversation_events
    set payload = jsonb_set(payload, '{actor,userName}', to_jsonb(${name}::text))
    where conversation_id = any(${others}::uuid[])
      and payload->'actor'->>'userId' = ${contactId}`.execute(trx);
  await sql`update collaboration_operations set author_name = ${name}
    where author_id = ${contactId}`.execute(trx);
  await sql`delete from participants where user_id = ${contactId}`.execute(trx);
  await sql`update contact_merges set moved = (
      select coalesce(jsonb_agg(one), '[]') from jsonb_array_elements(moved) one
      where one->>'id' <> ${contactId})
    where moved @> ${JSON.stringify([{ id: contactId }])}::jsonb`.execute(trx);
  await sql`update audit_log set subject_name = null where subject = ${contactId}`.execute(trx);
}

/** Columns of recorded changes by which clients and rights know a row; other texts are emptied. */
const KEPT = [
  "id",
  "assignee_id",
  "channel_id",
  "contact_id",
  "conversation_id",
  "kind",
  "last_message_role",
  "last_message_sender_id",
  "platform",
  "sender_id",
  "sender_role",
  "status",
  "type",
  "user_id",
  "widget_id",
];

/** The change feed keeps rows as they were, those too that this transaction has deleted. */
async function redactChanges(trx: Db, touched: Touched): Promise<void> {
  const { contactId, own, messages, notifications } = touched;
  const redacted = (row: string) =>
    sql`(select jsonb_object_agg(key, case
        when key = any(${KEPT}::text[]) or key ~ '_at$|_since$|_until$' then value
        when jsonb_typeof(value) = 'string' then '""'
        when jsonb_typeof(value) = 'object' then '{}'
        when jsonb_typeof(value) = 'array' then '[]'
        else value end)
      from jsonb_each(${sql.ref(row)}))`;
  const either = (row: string) =>
    sql`case table_name
      when 'conversations' then ${sql.ref(row)}->>'id' = any(${own}::text[])
        or ${sql.ref(row)}->>'last_message_sender_id' = ${contactId}
      when 'chat_messages' then ${sql.ref(row)}->>'id' = any(${messages}::text[])
        or ${sql.ref(row)}->>'conversation_id' = any(${own}::text[])
      when 'chat_sessions' then ${sql.ref(row)}->>'contact_id' = ${contactId}
      when 'notifications' then ${sql.ref(row)}->>'id' = any(${notifications}::text[])
        or ${sql.ref(row)}->>'conversation_id' = any(${own}::text[])
      else false end`;
  await sql`update changes set old_row = ${redacted("old_row")}, new_row = ${redacted("new_row")}
    where (${either("old_row")}) or (${either("new_row")})`.execute(trx);
}
