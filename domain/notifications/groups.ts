/**
 * Many notifications of a kind within a short time are one with a count. It has its conversations in
 * `data.conversations`, each with the seq up to which it has to be read, and no conversation of its
 * own; it shrinks as they are read or handled, and is read when none is left.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { NotificationKind } from "../../protocol/notifications.ts";
import type { NotificationRow, ReadRow } from "./store.ts";
import { TEAM_KINDS } from "./triggers.ts";

/** Milliseconds after the newest one within which the next belongs to the same group. */
export const GROUP_MS = 60_000;
/** So many of a kind may stand alone; one more, and all of them are a group. */
const MAX_ALONE = 3;
/** Conversations that a group knows; of more it has the number only. */
const MAX_MEMBERS = 200;

const TITLES: Partial<Record<NotificationKind, (count: number) => string>> = {
  new_conversation: (n) => n === 1 ? "1 new conversation" : `${n} new conversations`,
  waiting: (n) => n === 1 ? "1 visitor is waiting" : `${n} visitors are waiting`,
  snooze_ended: (n) => n === 1 ? "1 snooze has ended" : `${n} snoozes have ended`,
  assigned: (n) =>
    n === 1 ? "1 conversation was assigned to you" : `${n} conversations were assigned to you`,
};
const GROUPED = Object.keys(TITLES) as NotificationKind[];

type Members = Record<string, number>;

export interface Changed {
  /** New, or with another content. */
  made: NotificationRow[];
  /** Agents may have seen them, and they are no longer unread. */
  gone: ReadRow[];
}

const membersOf = ({ data }: NotificationRow) => data["conversations"] as Members | undefined;
const keyOf = ({ user_id, kind }: NotificationRow) => `${user_id} ${kind}`;

/** Puts new notifications into groups where there are many of them. */
export async function gather(db: Db, made: NotificationRow[], now: Date): Promise<Changed> {
  const own = made.filter(({ kind }) => GROUPED.includes(kind as NotificationKind));
  if (own.length === 0) return { made, gone: [] };
  const pairs = [...new Map(own.map((row) => [keyOf(row), row])).values()];
  const { rows } = await sql<NotificationRow>`
    select n.* from notifications n
    join jsonb_to_recordset(${JSON.stringify(pairs)}::jsonb) as x(user_id uuid, kind text)
      on x.user_id = n.user_id and x.kind = n.kind
    where n.read_at is null and n.created_at > ${new Date(now.getTime() - GROUP_MS)}
      and (n.conversation_id is not null or n.data ? 'conversations')
    order by n.created_at, n.id`.execute(db);
  const isNew = new Set(own.map(({ id }) => id));
  const groups: NotificationRow[] = [];
  const merged: NotificationRow[] = [];
  for (const recent of Map.groupBy(rows, keyOf).values()) {
    const lead = recent.findLast((row) => membersOf(row) !== undefined) ?? recent.at(-1)!;
    if (membersOf(lead) === undefined && recent.length <= MAX_ALONE) continue;
    if (!recent.some(({ id }) => isNew.has(id))) continue;
    groups.push(withMembers(lead, mergedMembers(recent), moreOf(recent)));
    merged.push(...recent.filter((row) => row !== lead));
  }
  if (groups.length === 0) return { made, gone: [] };
  await store(db, groups);
  await sql`delete from notifications where id = any(${merged.map(({ id }) => id)}::uuid[])`
    .execute(db);
  const touched = new Set([...groups, ...merged].map(({ id }) => id));
  return {
    made: [...made.filter(({ id }) => !touched.has(id)), ...groups],
    gone: merged.filter(({ id }) => !isNew.has(id)).map(({ id, user_id }) => ({ id, user_id })),
  };
}

/** A conversation that waits has no notification any more that it is new. */
export async function replaceStarted(db: Db, made: NotificationRow[], now: Date): Promise<Changed> {
  const left = made.filter(({ kind }) => kind === "waiting").map((row) => ({
    userId: row.user_id,
    conversationId: row.conversation_id!,
    seq: Number.MAX_SAFE_INTEGER,
  }));
  if (left.length === 0) return { made: [], gone: [] };
  const { rows } = await sql<ReadRow>`
    delete from notifications n
    using jsonb_to_recordset(${JSON.stringify(left)}::jsonb)
      as x("userId" uuid, "conversationId" uuid)
    where n.user_id = x."userId" and n.conversation_id = x."conversationId"
      and n.kind = 'new_conversation' and n.read_at is null returning n.id, n.user_id`.execute(db);
  const { made: shrunk, gone } = await leaveGroups(db, left, now, ["new_conversation"]);
  return { made: shrunk, gone: [...rows, ...gone] };
}

/** A conversation that one agent has read, or that nobody has to come for any more. */
export interface Left {
  /** Whose groups it leaves; null: everybody's. */
  userId: string | null;
  conversationId: string;
  seq: number;
  /** It is deleted: it leaves the groups of every kind. */
  isDeleted?: true;
}

/** Takes conversations out of the groups that are not read. */
export async function leaveGroups(
  db: Db,
  left: readonly Left[],
  now: Date,
  kinds: readonly NotificationKind[] = GROUPED,
): Promise<Changed> {
  const ids = left.map(({ conversationId }) => conversationId);
  const { rows } = await sql<NotificationRow>`
    select n.* from notifications n
    where n.read_at is null and n.conversation_id is null and n.kind = any(${kinds}::text[])
      and n.data->'conversations' ?| ${ids}::text[]
    order by n.id for update`.execute(db);
  const changed = rows.flatMap((row) => {
    const members = { ...membersOf(row) };
    for (const { userId, conversationId, seq, isDeleted = false } of left) {
      const isMeant = userId === null ? isDeleted || isTeamKind(row) : userId === row.user_id;
      if (!isMeant) continue;
      if ((members[conversationId] ?? Infinity) <= seq) delete members[conversationId];
    }
    const isSame = Object.keys(members).length === Object.keys(membersOf(row)!).length;
    return isSame ? [] : [withMembers(row, members, moreOf([row]), now)];
  });
  if (changed.length > 0) await store(db, changed);
  return {
    made: changed.filter(({ read_at }) => read_at === null),
    gone: changed.filter(({ read_at }) => read_at !== null),
  };
}

const isTeamKind = ({ kind }: NotificationRow) => TEAM_KINDS.includes(kind as NotificationKind);

function mergedMembers(rows: NotificationRow[]): Members {
  const members: Members = {};
  for (const row of rows) {
    const seq = Number(row.data["seq"] ?? 0);
    Object.assign(members, membersOf(row) ?? { [row.conversation_id!]: seq });
  }
  return members;
}

/** Conversations beyond those that groups know. */
function moreOf(rows: NotificationRow[]): number {
  return rows.reduce((sum, { data }) => sum + Number(data["more"] ?? 0), 0);
}

function withMembers(
  row: NotificationRow,
  all: Members,
  more: number,
  now?: Date,
): NotificationRow {
  const entries = Object.entries(all);
  const known = entries.slice(0, MAX_MEMBERS);
  const rest = more + entries.length - known.length;
  const count = known.length + rest;
  const isOver = now !== undefined && known.length === 0;
  return {
    ...row,
    title: TITLES[row.kind as NotificationKind]!(Math.max(1, count)),
    conversation_id: null,
    data: {
      count,
      conversations: Object.fromEntries(known),
      ...(rest > 0 ? { more: rest } : {}),
    },
    read_at: isOver ? now : row.read_at,
  };
}

async function store(db: Db, groups: NotificationRow[]): Promise<void> {
  const values = groups.map(({ id, title, data, read_at }) => ({ id, title, data, read_at }));
  await sql`
    update notifications n set title = x.title, data = x.data, read_at = x.read_at,
      conversation_id = null
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb)
      as x(id uuid, title text, data jsonb, read_at timestamptz)
    where n.id = x.id`.execute(db);
}
