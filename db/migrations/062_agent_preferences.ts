import { type Kysely, sql } from "kysely";

/** How each agent wants the dashboard to behave; what is not there is the default. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table agent_preferences (
    user_id uuid primary key references users on delete cascade,
    preferences jsonb not null default '{}',
    updated_at timestamptz not null default now()
  )`.execute(db);
}
