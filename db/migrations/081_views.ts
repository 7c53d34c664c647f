import { type Kysely, sql } from "kysely";
import { buildIndex } from "../steps.ts";

/** Who was mentioned where, whether they want notifications or not, and saved views. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table mentions (
      user_id uuid not null references users on delete cascade,
      conversation_id uuid not null references conversations on delete cascade,
      message_id uuid not null references chat_messages on delete cascade,
      created_at timestamptz not null,
      primary key (user_id, message_id)
    )`,
    sql`create index mentions_conversation on mentions (conversation_id)`,
    sql`create index mentions_message on mentions (message_id)`,
    sql`insert into mentions (user_id, conversation_id, message_id, created_at)
      select n.user_id, m.conversation_id, m.id, n.created_at
      from notifications n join chat_messages m on m.id = (n.data ->> 'messageId')::uuid
      where n.kind = 'mention' on conflict do nothing`,
    sql`create table saved_views (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      name text not null,
      filter jsonb not null,
      shared_with text not null default 'nobody'
        check (shared_with in ('nobody', 'team', 'everybody')),
      team_id uuid references teams on delete set null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    sql`create index saved_views_user on saved_views (user_id)`,
    sql`create index saved_views_team on saved_views (team_id) where team_id is not null`,
  ];
  for (const statement of statements) await statement.execute(db);
}

/** The conversations of websites, which are nearly all, are not in the index of channels. */
export const steps = [
  buildIndex(
    "conversations_channel",
    "on conversations (platform, last_activity_at desc, id desc) where platform <> 'web'",
  ),
  buildIndex("chat_sessions_widget", "on chat_sessions (widget_id, contact_id)"),
];
