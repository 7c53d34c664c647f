import { type Kysely, sql } from "kysely";

/**
 * Canned responses that only their owner uses, folders, and what else one does to a conversation. A
 * node of an older version knows only the unique short_code of those for everybody, so for one's own
 * ones it has a text that is no short code, and the short code is in own_code.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table canned_responses
      add column folder text,
      add column own_code text,
      add column actions jsonb`,
    sql`create unique index canned_responses_own on canned_responses (user_id, own_code)
      where own_code is not null`,
  ];
  for (const statement of statements) await statement.execute(db);
}
