/**
 * What is unread in a team: messages that nobody has dealt with, or of the agent's own conversations.
 * A colleague's conversation is the colleague's; an answer, a resolution and a snooze deal with an
 * unassigned one. An agent can also mark any conversation as unread, for themselves.
 *
 * `read_inbound` of a participant counts the contact's messages that they have read. A mark is stored
 * in it as `-(inbound_count + 1)`, and the next reading, which raises it, ends the mark.
 * `unread_marks` only finds marks: an index on `read_inbound` would make each reading slower. Its rows
 * may be of marks that have ended.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationRow } from "../../db/types.ts";

/** Of one agent. @param readInbound of their participant; null: none */
export function unreadFor(
  row: Pick<ConversationRow, "status" | "assignee_id" | "waiting_since" | "inbound_count">,
  userId: string,
  readInbound: number | null,
): number {
  const read = readInbound ?? 0;
  if (read < 0) return row.inbound_count + read + 2;
  return concerns(row, userId) ? row.inbound_count - read : 0;
}

function concerns(
  row: Pick<ConversationRow, "status" | "assignee_id" | "waiting_since">,
  userId: string,
): boolean {
  if (row.status === "resolved") return false;
  if (row.assignee_id !== null) return row.assignee_id === userId;
  return row.waiting_since !== null && row.status !== "snoozed";
}

/** A conversation `c` that waits for anybody of the team. */
const WAITS = sql`c.assignee_id is null and c.waiting_since is not null
  and c.status in ('open', 'pending')`;

/** `unreadFor` of a conversation `c` with the agent's participant `p`, which may be missing. */
export function unreadSql(userId: string): RawBuilder<number> {
  return sql<number>`case
    when p.read_inbound < 0 then c.inbound_count + p.read_inbound + 2
    when c.status <> 'resolved' and (c.assignee_id = ${userId}::uuid or (${WAITS}))
      then c.inbound_count - coalesce(p.read_inbound, 0)
    else 0 end`;
}

/**
 * Ids of conversations in which this agent may have something unread: their own, those that wait for
 * anybody, and those that they marked.
 */
export function mayBeUnread(userId: string): RawBuilder<unknown> {
  return sql`select c.id from conversations c
      where c.assignee_id = ${userId}::uuid and c.status in ('open', 'pending', 'snoozed')
    union all select c.id from conversations c where ${WAITS}
    union all select p.conversation_id from unread_marks m join participants p
        on p.conversation_id = m.conversation_id and p.user_id = m.user_id
      where m.user_id = ${userId}::uuid and p.read_inbound < 0`;
}

/**
 * Messages that each of these users has not read, by platform. A platform of which all conversations
 * are resolved is left out, unless one is marked.
 */
export async function unreadCounts(
  db: Db,
  userIds: string[],
): Promise<Map<string, Record<string, number>>> {
  const users = sql`${userIds}::uuid[]`;
  // Messages that wait for anybody are counted once for all users.
  const { rows } = await sql<{ user_id: string | null; platform: string; n: number }>`
    with waiting as (select c.id, c.platform, c.inbound_count from conversations c where ${WAITS})
    select null::uuid as user_id, w.platform, sum(w.inbound_count)::int as n
    from waiting w group by w.platform
    union all
    select null, c.platform, 0 from conversations c where c.status <> 'resolved'
    group by c.platform
    union all
    select p.user_id, w.platform, -sum(p.read_inbound)::int
    from waiting w join participants p on p.conversation_id = w.id
    where p.user_id = any(${users}) and p.read_inbound > 0 group by p.user_id, w.platform
    union all
    select p.user_id, w.platform, sum(p.read_inbound + 2)::int
    from waiting w join participants p on p.conversation_id = w.id
    where p.user_id = any(${users}) and p.read_inbound < 0 group by p.user_id, w.platform
    union all
    select c.assignee_id, c.platform, sum(c.inbound_count - coalesce(p.read_inbound, 0))::int
    from conversations c
    left join participants p on p.conversation_id = c.id and p.user_id = c.assignee_id
    where c.assignee_id = any(${users}) and c.status in ('open', 'pending', 'snoozed')
      and coalesce(p.read_inbound, 0) >= 0
    group by c.assignee_id, c.platform
    union all
    select p.user_id, c.platform, sum(c.inbound_count + p.read_inbound + 2)::int
    from unread_marks m
    join participants p on p.conversation_id = m.conversation_id and p.user_id = m.user_id
    join conversations c on c.id = m.conversation_id
    where m.user_id = any(${users}) and p.read_inbound < 0 and not (${WAITS})
    group by p.user_id, c.platform`.execute(db);
  return new Map(userIds.map((userId) => {
    const counts: Record<string, number> = {};
    for (const { user_id, platform, n } of rows) {
      if (user_id === null || user_id === userId) counts[platform] = (counts[platform] ?? 0) + n;
    }
    return [userId, counts];
  }));
}

export async function unreadOf(db: Db, conversationId: string, userId: string): Promise<number> {
  const row = await db.selectFrom("conversations as c")
    .leftJoin(
      "participants as p",
      (join) => join.onRef("p.conversation_id", "=", "c.id").on("p.user_id", "=", userId),
    )
    .select(unreadSql(userId).as("unread"))
    .where("c.id", "=", conversationId).executeTakeFirst();
  return row?.unread ?? 0;
}
