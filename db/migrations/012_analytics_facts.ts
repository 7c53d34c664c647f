import { type Kysely, sql } from "kysely";

/**
 * What figures over months are read from without counting everything again: whole histograms in one
 * row, facts that say what they count, and messages of each conversation by day.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    // A row for each bucket were nearly as many rows as there are facts.
    sql`create table metric_histograms (
      metric text not null,
      dimension text not null check (dimension in ('all', 'agent', 'channel')),
      -- Which agent or channel; empty for all.
      key text not null,
      resolution text not null check (resolution in ('minute', 'quarter', 'hour', 'day')),
      -- When it begins, in UTC.
      at timestamptz not null,
      -- Of a histogram: of all its buckets.
      value double precision not null,
      -- How many are in which bucket; null for a plain count.
      histogram jsonb
    )`,
    sql`insert into metric_histograms
      select metric, dimension, key, resolution, at, sum(value),
        case when metric in ('first_response', 'response', 'resolution', 'delivery')
          then jsonb_object_agg(bucket, value) end
      from metric_points group by metric, resolution, dimension, at, key
      order by metric, resolution, dimension, at, key`,
    sql`drop table metric_points`,
    sql`alter table metric_histograms rename to metric_points`,
    sql`alter table metric_points add primary key (metric, resolution, dimension, at, key)`,
    sql`create index metric_points_old on metric_points (resolution, at)`,

    // What a fact adds to the points: see domain/analytics/fold.ts.
    sql`alter table metric_facts
      -- Of a time: the bucket of its histogram, as domain/analytics/histogram.ts says.
      add column bucket smallint,
      -- Of a resolution: public messages. Of a start: 1 where this person was here before.
      add column amount integer`,
    sql`update metric_facts set bucket = case when open_seconds > 0.1
        then least(240, floor(ln(open_seconds / 0.1) / ln(2) * 8) + 1) else 0 end
      where kind in ('first_response', 'response', 'resolution')`,
    sql`update metric_facts f set amount = (r.seq > 0)::int
      from metric_facts g cross join lateral (${resolvedBefore}) r
      where g.kind = 'started' and f.kind = g.kind and f.subject = g.subject and f.seq = g.seq`,
    sql`update metric_facts f set amount = (
        select count(*) from chat_messages x
        where x.conversation_id = g.subject and x.seq > r.seq and x.seq < g.seq
          and x.type = 'text' and not x.is_private)
      from metric_facts g cross join lateral (${resolvedBefore}) r
      where g.kind = 'resolution' and f.kind = g.kind and f.subject = g.subject and f.seq = g.seq`,
    // With what figures by label read of them, so that the rows themselves need not be.
    sql`drop index metric_facts_at`,
    sql`create index metric_facts_at on metric_facts (kind, at)
      include (conversation_id, bucket, amount)`,
    sql`create index metric_facts_longest on metric_facts (kind, open_seconds desc, at desc)
      include (conversation_id, agent_id, channel) where open_seconds is not null`,

    sql`create table metric_conversations (
      conversation_id uuid primary key references conversations on delete cascade,
      -- Messages up to here are in metric_conversation_days.
      counted_seq bigint not null
    )`,
    sql`create table metric_conversation_days (
      -- When it begins, in UTC.
      day timestamptz not null,
      metric text not null check (metric in ('messages_in', 'messages_out')),
      -- Not of the conversation itself, whose row writers hold: counting would wait for them.
      conversation_id uuid not null references metric_conversations on delete cascade,
      -- Who wrote, where it was an agent; otherwise empty.
      agent_id text not null,
      channel text not null,
      messages integer not null,
      last_at timestamptz not null
    )`,
    sql`insert into metric_conversations
      select conversation_id, max(seq) from chat_messages group by conversation_id`,
    sql`insert into metric_conversation_days
      select date_trunc('day', m.created_at, 'UTC'),
        case when m.sender_role = 'visitor' then 'messages_in' else 'messages_out' end,
        m.conversation_id, case when m.sender_role = 'agent' then m.sender_id else '' end,
        m.platform, count(*), max(m.created_at)
      from chat_messages m join metric_conversations c using (conversation_id)
      where m.seq <= c.counted_seq and m.type = 'text' and not m.is_private
        and m.sender_role <> 'system'
      group by 1, 2, 3, 4, 5 order by 2, 1`,
    sql`create unique index metric_conversation_days_key on metric_conversation_days
      (metric, day, conversation_id, agent_id, channel) include (messages, last_at)`,
    sql`create index metric_conversation_days_conversation on metric_conversation_days
      (conversation_id)`,
  ];
  for (const statement of statements) await statement.execute(db);
}

const resolvedBefore = sql`select coalesce((
  select e.seq from conversation_events e
  where e.conversation_id = g.subject and e.seq < g.seq and e.type = 'conversation_changed'
    and e.payload ->> 'status' = 'resolved'
  order by e.seq desc limit 1), 0) as seq`;
