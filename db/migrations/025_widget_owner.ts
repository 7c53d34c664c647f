import { type Kysely, sql } from "kysely";

/** Widgets that are nobody's, as the one of the first start was, belong to the first admin. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update widget_configs set user_id = (
      select id from users where role = 'admin'
      order by disabled_at is not null, created_at, id limit 1
    ) where user_id is null`.execute(db);
}
