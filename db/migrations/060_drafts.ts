import { type Kysely, sql } from "kysely";

/** Unsent texts of agents: one reply and one note of each agent in each conversation. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    // One sequence for all of them: a draft that is made again has a higher version than before.
    sql`create sequence draft_versions`,
    sql`create table drafts (
      user_id uuid not null references users on delete cascade,
      conversation_id uuid not null references conversations on delete cascade,
      mode text not null check (mode in ('reply', 'note')),
      content text not null,
      version bigint not null,
      updated_at timestamptz not null default now(),
      primary key (user_id, conversation_id, mode)
    )`,
    sql`create index drafts_conversation on drafts (conversation_id)`,
    sql`create index drafts_newest on drafts (user_id, version desc)`,
  ];
  for (const statement of statements) await statement.execute(db);
}
