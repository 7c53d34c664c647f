import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationStatus } from "../../protocol/model.ts";
import type { ConversationCounts } from "../../protocol/queue.ts";
import type { ConversationFilter } from "../../protocol/rest.ts";
import { filterConditions, needsParticipant } from "./filter.ts";

/** Counting ends here: "99+" needs no more, and the time does not grow with the workspace. */
const MAX = 100;

function countOf(
  userId: string,
  filter: ConversationFilter,
  conditions: RawBuilder<boolean>[],
): RawBuilder<number> {
  const participant = needsParticipant(filter)
    ? sql`left join participants p on p.conversation_id = c.id and p.user_id = ${userId}::uuid`
    : sql``;
  const which = sql.join([sql<boolean>`true`, ...conditions], sql` and `);
  return sql<number>`(select count(*)::int from (
    select from conversations c ${participant} where ${which} limit ${MAX}) counted)`;
}

/** How many conversations the views have, at most 100 each. */
export async function countViews(
  db: Db,
  userId: string,
  status: ConversationStatus | undefined,
): Promise<ConversationCounts> {
  const having = async (view: "mine" | "unassigned" | "mentions" | "all") => {
    const filter = { view, ...(status === undefined ? {} : { status }) };
    return countOf(userId, filter, await filterConditions(db, userId, filter));
  };
  const { rows: [row] } = await sql<ConversationCounts>`
    select ${await having("mine")} as mine, ${await having("unassigned")} as unassigned,
      ${await having("mentions")} as mentions, ${await having("all")} as "all"`.execute(db);
  return row!;
}

/** How many conversations fit a filter, at most 100. */
export async function countFiltered(
  db: Db,
  userId: string,
  filter: ConversationFilter,
): Promise<number> {
  const conditions = await filterConditions(db, userId, filter);
  const { rows: [row] } = await sql<{ n: number }>`
    select ${countOf(userId, filter, conditions)} as n`.execute(db);
  return row!.n;
}
