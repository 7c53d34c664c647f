/** Counts of messages, by minute and by conversation. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Range } from "./find_facts.ts";
import type { Count } from "./points.ts";
import type { PointMetric } from "./registry.ts";

/** Messages of the minutes of the range, minus what was counted before. */
export async function countMessages(trx: Db, { from, to }: Range): Promise<Count[]> {
  const { rows } = await sql<
    { metric: "messages_in" | "messages_out"; at: Date; agent: string; channel: string; n: number }
  >`
    select case when sender_role = 'visitor' then 'messages_in' else 'messages_out' end as metric,
      date_trunc('minute', created_at) as at, platform as channel,
      case when sender_role = 'agent' then sender_id else '' end as agent, count(*) as n
    from chat_messages
    where created_at >= ${from} and created_at < ${to} and type = 'text' and not is_private
      and sender_role <> 'system'
    group by 1, 2, 3, 4`.execute(trx);
  const counted = await sql<
    { metric: string; at: Date; dimension: string; key: string; value: number }
  >`
    select metric, at, dimension, key, value from metric_points
    where metric in ('messages_in', 'messages_out') and resolution = 'minute'
      and at >= ${from} and at < ${to}`.execute(trx);
  const missing = new Map<string, Count>();
  const add = (
    metric: PointMetric,
    at: Date,
    dimension: "all" | "agent" | "channel",
    key: string,
    value: number,
  ) => {
    const name = `${metric} ${at.getTime()} ${dimension} ${key}`;
    const entry = missing.get(name);
    if (entry !== undefined) entry.value += value;
    else missing.set(name, { metric, at: at.getTime(), value, only: { dimension, key } });
  };
  for (const { metric, at, agent, channel, n } of rows) {
    add(metric, at, "all", "", n);
    add(metric, at, "channel", channel, n);
    if (agent !== "") add(metric, at, "agent", agent, n);
  }
  for (const { metric, at, dimension, key, value } of counted.rows) {
    add(metric as PointMetric, at, dimension as "all", key, -value);
  }
  return [...missing.values()].filter(({ value }) => value !== 0);
}

/**
 * Counts messages of the range by conversation and day. Within a conversation commits are in the order
 * of `seq`, so all messages after the last counted one are missing.
 */
export async function countConversations(trx: Db, { from, to }: Range): Promise<void> {
  await sql`
    with fresh as materialized (
      select m.conversation_id, m.seq, m.created_at, m.sender_role, m.sender_id, m.platform,
        m.type = 'text' and not m.is_private and m.sender_role <> 'system' as counts
      from (select distinct conversation_id from chat_messages
        where created_at >= ${from} and created_at < ${to}) touched
      left join metric_conversations known using (conversation_id)
      join chat_messages m on m.conversation_id = touched.conversation_id
        and m.seq > coalesce(known.counted_seq, 0)
    ), counted as (
      insert into metric_conversations
      select conversation_id, max(seq) from fresh group by conversation_id
      on conflict (conversation_id) do update set counted_seq = excluded.counted_seq
    )
    insert into metric_conversation_days as d
    select date_trunc('day', created_at, 'UTC'),
      case when sender_role = 'visitor' then 'messages_in' else 'messages_out' end,
      conversation_id, case when sender_role = 'agent' then sender_id else '' end, platform,
      count(*), max(created_at)
    from fresh where counts group by 1, 2, 3, 4, 5
    on conflict (metric, day, conversation_id, agent_id, channel) do update set
      messages = d.messages + excluded.messages,
      last_at = greatest(d.last_at, excluded.last_at)`.execute(trx);
}
