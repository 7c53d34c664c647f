/** The statements of notifications. Their texts are only in the messages, and are read from there. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Notifications } from "../../db/types.ts";
import { Id, type Notification } from "../../protocol/model.ts";
import { cutPage, exactTime, timeOfCursor } from "../cursor.ts";
import { describeFiles } from "../files/preview.ts";
import { type Handled, TEAM_KINDS } from "./triggers.ts";
import type { NewNotification } from "./recipients.ts";

export type NotificationRow = Selectable<Notifications>;

/** As `isolate()`: a name from right to left keeps its direction to itself. */
const isolated = sql`(case when excluded.data->>'contactName' ~ '[\u0590-\u08ff\ufb1d-\ufdff]'
  then '\u2068' || (excluded.data->>'contactName') || '\u2069'
  else excluded.data->>'contactName' end)`;

/** The seq of a notification that Parley made; others may have any data. */
const SEQ =
  sql`(case when jsonb_typeof(n.data->'seq') = 'number' then (n.data->>'seq')::numeric end)`;

/**
 * Stores new notifications, except for agents who have read as far. Messages are added to the unread
 * notification of their conversation.
 *
 * @returns those that are new or have grown.
 */
export async function insertNotifications(
  db: Db,
  rows: readonly NewNotification[],
): Promise<NotificationRow[]> {
  const messages = rows.filter((row) => row.kind === "message");
  const others = rows.filter((row) => row.kind !== "message");
  const values = (some: readonly NewNotification[]) =>
    sql`insert into notifications as n
      (id, user_id, kind, title, conversation_id, data, cause, created_at)
    select x.id, x.user_id, x.kind, x.title, x.conversation_id, x.data, x.cause, x.created_at
    from jsonb_to_recordset(${JSON.stringify(some)}::jsonb) as x(id uuid, user_id uuid, kind text,
      title text, conversation_id uuid, data jsonb, cause text, created_at timestamptz)
    join conversations c on c.id = x.conversation_id
    left join participants p on p.conversation_id = x.conversation_id and p.user_id = x.user_id
    where coalesce(p.read_seq, 0) < (x.data->>'seq')::bigint`;
  const made: NotificationRow[] = [];
  if (others.length > 0) {
    const { rows } = await sql<NotificationRow>`${values(others)}
      on conflict (user_id, cause) where cause is not null do nothing returning n.*`.execute(db);
    made.push(...rows);
  }
  if (messages.length > 0) {
    const { rows } = await sql<NotificationRow>`${values(messages)}
      on conflict (user_id, conversation_id) where kind = 'message' and read_at is null
      do update set created_at = excluded.created_at,
        title = left(((n.data->>'count')::int + (excluded.data->>'count')::int)::text
          || ' new messages in the conversation with ' || ${isolated}, 200),
        data = excluded.data || jsonb_build_object('count',
          (n.data->>'count')::int + (excluded.data->>'count')::int)
      where ${SEQ} < (excluded.data->>'seq')::bigint returning n.*`.execute(db);
    made.push(...rows);
  }
  return made;
}

/** Those of them whose users have read the conversation while they were stored. */
export async function readMeanwhile(db: Db, ids: string[], now: Date): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    update notifications n set read_at = ${now}
    from participants p
    where n.id = any(${ids}::uuid[]) and n.read_at is null
      and p.conversation_id = n.conversation_id and p.user_id = n.user_id
      and p.read_seq >= ${SEQ} returning n.id`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

export interface ReadRow {
  id: string;
  user_id: string;
}

/** Reading a conversation reads its notifications. */
export async function readByPointers(
  db: Db,
  pointers: { userId: string; conversationId: string; seq: number }[],
  now: Date,
): Promise<ReadRow[]> {
  const { rows } = await sql<ReadRow>`
    update notifications n set read_at = ${now}
    from jsonb_to_recordset(${JSON.stringify(pointers)}::jsonb)
      as x("userId" uuid, "conversationId" uuid, seq bigint)
    where n.user_id = x."userId" and n.conversation_id = x."conversationId"
      and n.read_at is null and ${SEQ} <= x.seq returning n.id, n.user_id`.execute(db);
  return rows;
}

/** An agent has come: what asked the team is read for all. */
export async function readHandled(db: Db, handled: Handled[], now: Date): Promise<ReadRow[]> {
  const { rows } = await sql<ReadRow>`
    update notifications n set read_at = ${now}
    from jsonb_to_recordset(${JSON.stringify(handled)}::jsonb)
      as x("conversationId" uuid, seq bigint)
    where n.conversation_id = x."conversationId" and n.kind = any(${TEAM_KINDS}::text[])
      and n.read_at is null and ${SEQ} <= x.seq returning n.id, n.user_id`.execute(db);
  return rows;
}

/** One, or all; null: there is none of theirs with this id. */
export async function readOwn(
  db: Db,
  userId: string,
  id: string | null,
  now: Date,
): Promise<NotificationRow[]> {
  return await db.updateTable("notifications")
    .set({ read_at: sql<Date>`coalesce(read_at, ${now})` })
    .where("user_id", "=", userId)
    .$if(id !== null, (qb) => qb.where("id", "=", id!))
    .$if(id === null, (qb) => qb.where("read_at", "is", null))
    .returningAll().execute();
}

/** How many each of these users has not read; none is 0. */
export async function unreadNotifications(
  db: Db,
  userIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql<{ user_id: string; n: number }>`
    select user_id, count(*)::int as n from notifications
    where user_id = any(${userIds}::uuid[]) and read_at is null group by user_id`.execute(db);
  const counted = new Map(rows.map(({ user_id, n }) => [user_id, n]));
  return new Map(userIds.map((id) => [id, counted.get(id) ?? 0]));
}

export interface NotificationPage {
  items: Notification[];
  nextCursor: string | null;
}

/** Newest first. */
export async function listNotifications(
  db: Db,
  query: { userId: string; unread: boolean; cursor: string | undefined; limit: number },
): Promise<NotificationPage> {
  const below = timeOfCursor(query.cursor);
  const rows = await db.selectFrom("notifications as n").selectAll("n")
    .select(exactTime("n.created_at").as("sort_time"))
    .where("n.user_id", "=", query.userId)
    .$if(query.unread, (qb) => qb.where("n.read_at", "is", null))
    .$if(below !== undefined, (qb) =>
      qb.where(
        sql<boolean>`(n.created_at, n.id) < (${below!.at}::timestamptz, ${below!.id}::uuid)`,
      ))
    .orderBy("n.created_at", "desc").orderBy("n.id", "desc").limit(query.limit + 1).execute();
  const page = cutPage(rows, query.limit, ({ sort_time, id }) => ({ at: sort_time, id }));
  return { items: await toNotifications(db, page.rows), nextCursor: page.nextCursor };
}

const PREVIEW = 200;

/** As their users see them, with the texts as the messages have them now. */
export async function toNotifications(db: Db, rows: NotificationRow[]): Promise<Notification[]> {
  const ids = [...new Set(rows.flatMap((row) => messageIdOf(row) ?? []))];
  const messages = ids.length === 0 ? [] : await db.selectFrom("chat_messages")
    .select(["id", "files", sql<string>`left(content, ${PREVIEW})`.as("content")])
    .where("id", "in", ids).where("deleted_at", "is", null).execute();
  const texts = new Map(
    messages.map(({ id, content, files }) => [
      id,
      content.replace(/\s+/g, " ").trim() || describeFiles(files ?? []),
    ]),
  );
  return rows.map((row) => ({
    id: row.id,
    userId: row.user_id,
    kind: row.kind,
    title: row.title,
    body: row.body || (texts.get(messageIdOf(row) ?? "") ?? ""),
    conversationId: row.conversation_id,
    data: row.data,
    readAt: row.read_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }));
}

function messageIdOf({ data }: NotificationRow): string | undefined {
  const id = Id.safeParse(data["messageId"]);
  return id.success ? id.data : undefined;
}

/** Forgets what is older, read or not, at most `limit` of them. @returns how many. */
export async function forgetNotifications(db: Db, before: Date, limit: number): Promise<number> {
  const { rows } = await sql`delete from notifications where id in (
    select id from notifications where created_at < ${before}
    order by created_at limit ${limit} for update skip locked) returning id`.execute(db);
  return rows.length;
}
