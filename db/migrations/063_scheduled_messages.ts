import { type Kysely, sql } from "kysely";

/** Replies that agents have written for a later time. The job of each has its id as its key. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table scheduled_messages (
      id uuid primary key,
      conversation_id uuid not null references conversations on delete cascade,
      user_id uuid not null references users on delete cascade,
      content text not null,
      send_at timestamptz not null,
      -- Why it cannot be sent; then it waits for a person.
      error text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    sql`create index scheduled_messages_conversation on scheduled_messages (conversation_id, send_at)`,
    sql`create index scheduled_messages_user on scheduled_messages (user_id)`,
  ];
  for (const statement of statements) await statement.execute(db);
}
