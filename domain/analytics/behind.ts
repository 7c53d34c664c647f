/** The conversations behind a number, those that weigh most first. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { BehindAnswer, BehindQuery, MetricName } from "../../protocol/analytics.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { DEFINITIONS } from "./registry.ts";

type Query = Omit<BehindQuery, "metric">;

interface Row {
  conversation_id: string;
  contact_name: string;
  status: string;
  value: number | null;
  at: Date;
  comment: string | null;
}

/** @throws {ParleyError} `invalid` for a metric that has none. */
export async function readBehind(db: Db, metric: MetricName, query: Query): Promise<BehindAnswer> {
  const { behind, unit, dimensions } = DEFINITIONS[metric];
  if (behind === undefined || (query.by !== undefined && !dimensions.includes(query.by))) {
    throw new ParleyError(
      "invalid",
      `Cannot list conversations: "${metric}" is not counted by ${query.by ?? "conversation"}`,
    );
  }
  const found = behind === "messages_in" || behind === "messages_out"
    ? ofMessages(behind, query)
    : behind === "ratings"
    ? ofRatings(query)
    : ofFacts(behind, unit === "seconds", query);
  const { rows } = await sql<Row>`
    select f.conversation_id, f.value, f.at, f.comment, contact.name as contact_name, c.status
    from (${found}) f join conversations c on c.id = f.conversation_id
      join contacts contact on contact.id = c.contact_id
    order by f.value desc nulls last, f.at desc, f.conversation_id limit ${query.limit}`
    .execute(db);
  return {
    items: rows.map(({ conversation_id, contact_name, status, value, at, comment }) => ({
      conversationId: conversation_id,
      contactName: contact_name,
      status,
      value,
      at: at.toISOString(),
      comment,
    })),
  };
}

function within(column: string, { from, to }: Query): RawBuilder<unknown> {
  const at = sql.ref(column);
  return sql`${at} >= ${from.toISOString()} and ${at} < ${to.toISOString()}`;
}

function only({ by, key }: Query, columns: { agent: string; channel: string }) {
  return by === undefined ? sql`` : sql`and ${sql.ref(columns[by])}::text = ${key}`;
}

function ofMessages(which: "messages_in" | "messages_out", query: Query) {
  const roles = which === "messages_in"
    ? sql`sender_role = 'visitor'`
    : sql`sender_role in ('agent', 'bot')`;
  return sql`select conversation_id, count(*)::int as value, max(created_at) as at,
      null::text as comment
    from chat_messages where ${within("created_at", query)} and ${roles}
      and type = 'text' and not is_private
      ${only(query, { agent: "sender_id", channel: "platform" })}
    group by conversation_id`;
}

function ofRatings(query: Query) {
  return sql`select conversation_id, avg(rating)::double precision as value,
      max(created_at) as at, (array_agg(comment order by created_at desc))[1] as comment
    from conversation_ratings where ${within("created_at", query)}
      ${only(query, { agent: "agent_id", channel: "channel" })}
    group by conversation_id`;
}

function ofFacts(kind: string, timed: boolean, query: Query) {
  const value = timed ? sql`max(open_seconds)` : sql`null::double precision`;
  return sql`select conversation_id, ${value} as value, max(at) as at, null::text as comment
    from metric_facts where kind = ${kind} and ${within("at", query)}
      and conversation_id is not null
      ${only(query, { agent: "agent_id", channel: "channel" })}
    group by conversation_id`;
}
