import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationStatus } from "../../protocol/model.ts";
import type { ConversationCounts } from "../../protocol/queue.ts";

/** Counting ends here: "99+" needs no more, and the time does not grow with the workspace. */
const MAX = 100;

/** How many conversations the views have, at most 100 each. */
export async function countViews(
  db: Db,
  userId: string,
  status: ConversationStatus | undefined,
): Promise<ConversationCounts> {
  const having = (which: RawBuilder<unknown>) =>
    sql`(select count(*)::int from (
      select from conversations c where ${which}
        ${status === undefined ? sql`` : sql`and c.status = ${status}`} limit ${MAX}
    ) counted)`;
  const { rows: [row] } = await sql<ConversationCounts>`
    select ${having(sql`c.assignee_id = ${userId}::uuid`)} as mine,
      ${having(sql`c.assignee_id is null`)} as unassigned,
      ${having(sql`true`)} as "all"`.execute(db);
  return row!;
}
