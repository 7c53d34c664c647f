/** Figures of single conversations over the last day, for dashboards of one context. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";

/** By family; null: nothing was counted. */
export interface ConversationFigures {
  engagement: {
    messages_in: number;
    messages_out: number;
    /** Agents and visitors who wrote. */
    people_writing: number;
    conversations_started: number;
    conversations_resolved: number;
    satisfaction: number | null;
  };
  /** Seconds, in business hours. */
  performance: {
    first_response_median: number | null;
    first_response_p90: number | null;
    response_median: number | null;
    response_p90: number | null;
    resolution_median: number | null;
    resolution_p90: number | null;
  };
}

/** Messages of a conversation that are counted, the newest: it is read once a second. */
const MOST_MESSAGES = 5000;

export const NO_FIGURES: ConversationFigures = {
  engagement: {
    messages_in: 0,
    messages_out: 0,
    people_writing: 0,
    conversations_started: 0,
    conversations_resolved: 0,
    satisfaction: null,
  },
  performance: {
    first_response_median: null,
    first_response_p90: null,
    response_median: null,
    response_p90: null,
    resolution_median: null,
    resolution_p90: null,
  },
};

const quantile = (kind: string, q: number) =>
  sql`percentile_disc(${sql.lit(q)}) within group (order by open_seconds)
    filter (where kind = ${sql.lit(kind)})`;

/** The figures of each of these conversations since then, without unknown ones. */
export async function figuresOfConversations(
  db: Db,
  ids: readonly string[],
  since: Date,
): Promise<Map<string, ConversationFigures>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<
    & { id: string }
    & ConversationFigures["engagement"]
    & ConversationFigures["performance"]
  >`
    select c.id, m.*, f.*, r.*
    from conversations c
    cross join lateral (
      select count(*) filter (where sender_role = 'visitor')::int as messages_in,
        count(*) filter (where sender_role in ('agent', 'bot'))::int as messages_out,
        count(distinct sender_id) filter (where sender_role in ('agent', 'visitor'))::int
          as people_writing
      from (
        select sender_role, sender_id, created_at from chat_messages
        where conversation_id = c.id and type = 'text' and not is_private
        order by seq desc limit ${sql.lit(MOST_MESSAGES)}
      ) newest where created_at > ${since}
    ) m
    cross join lateral (
      select count(*) filter (where kind = 'started')::int as conversations_started,
        count(*) filter (where kind = 'resolution')::int as conversations_resolved,
        ${quantile("first_response", 0.5)} as first_response_median,
        ${quantile("first_response", 0.9)} as first_response_p90,
        ${quantile("response", 0.5)} as response_median,
        ${quantile("response", 0.9)} as response_p90,
        ${quantile("resolution", 0.5)} as resolution_median,
        ${quantile("resolution", 0.9)} as resolution_p90
      from metric_facts
      where kind in ('started', 'first_response', 'response', 'resolution')
        and subject = c.id and at > ${since}
    ) f
    cross join lateral (
      select avg(rating)::float8 as satisfaction from conversation_ratings
      where conversation_id = c.id and created_at > ${since}
    ) r
    where c.id = any(${[...ids]}::uuid[])`.execute(db);
  return new Map(rows.map((row) => [row.id, {
    engagement: pick(row, NO_FIGURES.engagement),
    performance: pick(row, NO_FIGURES.performance),
  }]));
}

function pick<T extends object>(row: T, shape: T): T {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, row[key as keyof T]])) as T;
}
