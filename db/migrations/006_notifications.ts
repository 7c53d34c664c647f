import { type Kysely, sql } from "kysely";

/** What makes a notification happen once, how each agent wants to be told, and who waits too long. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    // Why it was made; the same cause makes one for each user, whichever node hears of it.
    sql`alter table notifications add column cause text`,
    sql`create unique index notifications_cause on notifications (user_id, cause)
      where cause is not null`,
    // Messages of one conversation are one notification until it is read.
    sql`create unique index notifications_message on notifications (user_id, conversation_id)
      where kind = 'message' and read_at is null`,
    sql`create index notifications_unread on notifications (user_id) where read_at is null`,
    sql`create index notifications_created on notifications (created_at)`,
    sql`create table notification_preferences (
      user_id uuid primary key references users on delete cascade,
      kinds jsonb not null default '{}',
      updated_at timestamptz not null default now()
    )`,
    sql`create table waiting_alerts (
      conversation_id uuid primary key references conversations on delete cascade,
      waiting_since timestamptz not null
    )`,
    sql`create index conversations_waiting on conversations (waiting_since)
      where waiting_since is not null`,
    // Who waited before there were alerts is not news.
    sql`insert into waiting_alerts (conversation_id, waiting_since)
      select id, waiting_since from conversations where waiting_since is not null`,
  ];
  for (const statement of statements) await statement.execute(db);
}
