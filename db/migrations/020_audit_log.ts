import { type Kysely, sql } from "kysely";

/** Who did it in words that stay true when they are gone, from where, and with what result. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table audit_log
      add column actor_kind text not null default 'user',
      add column actor_name text,
      add column subject_name text,
      add column user_agent text,
      add column result text not null default 'done'`,
    sql`update audit_log set actor_name = users.name from users where users.id = actor_id`,
    sql`update audit_log set subject_name = data->>'name' where action like 'api_key.%'`,
    sql`create index audit_log_actor on audit_log (actor_id, id)`,
    sql`create index audit_log_action on audit_log (action, id)`,
    sql`create index audit_log_created on audit_log (created_at)`,
  ];
  for (const statement of statements) await statement.execute(db);
}
