import { type Kysely, sql } from "kysely";

/**
 * The message that a message replies to. The writer checks it; no key refers to it, because a message
 * that is gone must not take replies along, nor be searched for in them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table chat_messages add column reply_to_id uuid`.execute(db);
}
