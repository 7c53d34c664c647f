import { type Kysely, sql } from "kysely";

/** Figures: facts that happened once, what they add up to, and what visitors say of a conversation. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table metric_facts (
      kind text not null,
      -- A conversation's id, or a session's.
      subject uuid not null,
      -- The event of the conversation's log that it is; 0 for a session.
      seq bigint not null,
      at timestamptz not null,
      conversation_id uuid references conversations on delete cascade,
      agent_id text,
      channel text,
      -- Seconds by the clock, and within business hours.
      seconds double precision,
      open_seconds double precision,
      primary key (kind, subject, seq)
    )`,
    sql`create index metric_facts_at on metric_facts (kind, at)`,
    sql`create index metric_facts_conversation on metric_facts (conversation_id)`,
    sql`create table metric_points (
      metric text not null,
      dimension text not null check (dimension in ('all', 'agent', 'channel')),
      -- Which agent or channel; empty for all.
      key text not null,
      resolution text not null check (resolution in ('minute', 'quarter', 'hour', 'day')),
      -- When it begins, in UTC.
      at timestamptz not null,
      -- Of a histogram: which; 0 for a plain count.
      bucket smallint not null,
      value double precision not null,
      primary key (metric, resolution, dimension, at, key, bucket)
    )`,
    sql`create index metric_points_old on metric_points (resolution, at)`,
    sql`create table conversation_ratings (
      conversation_id uuid not null references conversations on delete cascade,
      -- The event that resolved the conversation: one rating for each time.
      resolved_seq bigint not null,
      rating smallint not null check (rating between 1 and 5),
      comment text not null default '',
      agent_id uuid references users on delete set null,
      channel text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (conversation_id, resolved_seq)
    )`,
    sql`create index conversation_ratings_at on conversation_ratings (created_at)`,
    sql`create index chat_messages_created on chat_messages (created_at)`,
    sql`create index chat_sessions_created on chat_sessions (created_at)`,
    sql`create index conversation_events_changed on conversation_events (conversation_id, seq)
      where type = 'conversation_changed'`,
    sql`create index conversation_events_changed_at on conversation_events (created_at)
      where type = 'conversation_changed'`,
  ];
  for (const statement of statements) await statement.execute(db);
}
