import { type Kysely, sql } from "kysely";

/**
 * What came in of conversations that are not resolved, to be summed up without their rows: however
 * many have been resolved, counting what is unread takes as long as there is work to do.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index conversations_unresolved on conversations (id)
    include (platform, inbound_count) where status <> 'resolved'`.execute(db);
}
