/** Drill-down: the conversations that make up a figure, those with the largest values first. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { DrillDown, DrillDownQuery, MetricName } from "../../protocol/analytics.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { RESOLUTION_MS } from "./calendar.ts";
import { withWorkMem } from "./work_mem.ts";
import { DEFINITIONS, type FactKind } from "./registry.ts";

type Query = Omit<DrillDownQuery, "metric">;

interface Found {
  conversation_id: string;
  value: number | null;
  at: Date;
  comment: string | null;
}

/** @throws {ParleyError} `invalid` for a metric that is not made of conversations. */
export async function readDrillDown(db: Db, metric: MetricName, query: Query): Promise<DrillDown> {
  const { drillDown, unit, dimensions } = DEFINITIONS[metric];
  if (drillDown === undefined || (query.by !== undefined && !dimensions.includes(query.by))) {
    throw new ParleyError(
      "invalid",
      `Cannot list conversations: "${metric}" is not counted by ${query.by ?? "conversation"}`,
    );
  }
  const found = drillDown === "messages_in" || drillDown === "messages_out"
    ? await withWorkMem(db, (trx) => ofMessages(trx, drillDown, query))
    : drillDown === "ratings"
    ? await ofRatings(db, query)
    : await ofFacts(db, drillDown, unit === "seconds", query);
  const people = await peopleOf(db, found.map((one) => one.conversation_id));
  return {
    items: found.flatMap(({ conversation_id, value, at, comment }) => {
      const one = people.get(conversation_id);
      if (one === undefined) return [];
      const { name: contactName, status } = one;
      const conversationId = conversation_id;
      return [{ conversationId, contactName, status, value, at: at.toISOString(), comment }];
    }),
  };
}

async function peopleOf(db: Db, ids: string[]) {
  if (ids.length === 0) return new Map<string, never>();
  const rows = await db.selectFrom("conversations as c")
    .innerJoin("contacts as contact", "contact.id", "c.contact_id")
    .select(["c.id", "c.status", "contact.name"]).where("c.id", "in", ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

const iso = (at: number | Date) => new Date(at).toISOString();

function within(column: string, from: number | Date, to: number | Date): RawBuilder<unknown> {
  const at = sql.ref(column);
  return sql`${at} >= ${iso(from)} and ${at} < ${iso(to)}`;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** @param columns of agent and channel, both text. */
function only({ by, key = "" }: Query, columns: { agent: string; channel: string }) {
  if (by === undefined) return sql``;
  if (by === "agent" || by === "channel") return sql`and ${sql.ref(columns[by])} = ${key}`;
  if (by === "team") {
    const team = key === "" ? sql`is null` : UUID.test(key) ? sql`= ${key}::uuid` : null;
    if (team === null) return sql`and false`;
    return sql`and exists (select from conversations ct
      where ct.id = f.conversation_id and ct.team_id ${team})`;
  }
  if (key === "") {
    return sql`and not exists (
      select from conversation_labels cl where cl.conversation_id = f.conversation_id)`;
  }
  if (!UUID.test(key)) return sql`and false`;
  return sql`and exists (select from conversation_labels cl
    where cl.conversation_id = f.conversation_id and cl.label_id = ${key}::uuid)`;
}

/** Whole days of UTC from their counts, and the rest of the range from the messages. */
async function ofMessages(
  db: Db,
  metric: "messages_in" | "messages_out",
  query: Query,
): Promise<Found[]> {
  const day = RESOLUTION_MS.day;
  const [from, to] = [query.from.getTime(), query.to.getTime()];
  const first = Math.ceil(from / day) * day;
  // The current day is counted up to now.
  const last = Math.max(first, to > Date.now() ? to : Math.floor(to / day) * day);
  const rest = first >= to
    ? within("created_at", from, to)
    : sql`(${within("created_at", from, first)} or ${within("created_at", last, to)})`;
  const roles = metric === "messages_in"
    ? sql`sender_role = 'visitor'`
    : sql`sender_role in ('agent', 'bot')`;
  const { rows } = await sql<Found>`
    select conversation_id, sum(messages)::int as value, max(last_at) as at, null as comment
    from (
      select conversation_id, messages, last_at from metric_conversation_days
      where metric = ${metric} and ${within("day", first, last)}
        ${only(query, { agent: "agent_id", channel: "channel" })}
      union all
      select conversation_id, 1, created_at from chat_messages where ${rest} and ${roles}
        and type = 'text' and not is_private
        ${only(query, { agent: "sender_id", channel: "platform" })}
    ) f group by conversation_id
    order by value desc, at desc, conversation_id limit ${query.limit}`.execute(db);
  return rows;
}

async function ofRatings(db: Db, query: Query): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select conversation_id, avg(rating)::double precision as value, max(created_at) as at,
      (array_agg(comment order by created_at desc))[1] as comment
    from (select *, agent_id::text as agent from conversation_ratings) f
    where ${within("created_at", query.from, query.to)}
      ${only(query, { agent: "agent", channel: "channel" })}
    group by conversation_id
    order by value desc, at desc, conversation_id limit ${query.limit}`.execute(db);
  return rows;
}

/**
 * For a time, the longest one of each conversation; otherwise its latest fact. An index has the facts
 * in this order, so facts are read until there are enough conversations.
 */
async function ofFacts(
  db: Db,
  kind: FactKind,
  timed: boolean,
  query: Query,
): Promise<Found[]> {
  const value = timed ? sql`f.open_seconds` : sql`null::double precision`;
  const order = timed ? sql`f.open_seconds desc, f.at desc` : sql`f.at desc`;
  for (let limit = query.limit * 4;; limit *= 10) {
    const { rows } = await sql<Found>`
      select f.conversation_id, ${value} as value, f.at, null as comment
      from metric_facts f where f.kind = ${kind} and ${within("f.at", query.from, query.to)}
        and f.conversation_id is not null ${timed ? sql`and f.open_seconds is not null` : sql``}
        ${only(query, { agent: "f.agent_id", channel: "f.channel" })}
      order by ${order} limit ${limit}`.execute(db);
    const heaviest = new Map<string, Found>();
    for (const row of rows) {
      if (!heaviest.has(row.conversation_id)) heaviest.set(row.conversation_id, row);
    }
    if (heaviest.size >= query.limit || rows.length < limit) {
      return [...heaviest.values()].slice(0, query.limit);
    }
  }
}
