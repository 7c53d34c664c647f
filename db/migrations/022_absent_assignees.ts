import { type Kysely, sql } from "kysely";

/**
 * Whether a wait was told to the team, or only to its assignee. What was told before, and whoever
 * waits at this moment, is not news.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table waiting_alerts add column to_team boolean not null default true`,
    sql`insert into waiting_alerts (conversation_id, waiting_since)
      select id, waiting_since from conversations where waiting_since is not null
      on conflict (conversation_id) do update set waiting_since = excluded.waiting_since`,
  ];
  for (const statement of statements) await statement.execute(db);
}
