/**
 * Turns what the database knows into facts and points, a stretch of time after the other. A fact is
 * inserted once and counted in the same transaction; messages are counted by the difference to what
 * was counted before. So a stretch can be folded again, and by any node, and nothing counts twice.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { BusinessHours } from "../../protocol/analytics.ts";
import { openSeconds, readBusinessHours } from "./business_hours.ts";
import { bucketOf } from "./histogram.ts";
import { addPoints, type Count, type Retention } from "./points.ts";
import type { FactKind, PointMetric } from "./registry.ts";

const MINUTE_MS = 60_000;
/** How long a change may take from its time to its commit and still be counted. */
const OPEN_MS = 30_000;
/** What is folded in one transaction. */
const STRETCH_MS = 86_400_000;
/** Rows of one statement. */
const CHUNK = 5000;
/** Only one node folds at a time ("pafo" in ASCII). */
const LOCK_KEY = 0x7061666f;
const CURSOR = "analytics_folded";

interface Fact {
  kind: FactKind;
  subject: string;
  seq: number;
  at: Date;
  conversation_id: string | null;
  agent_id: string | null;
  channel: string | null;
  seconds: number | null;
  open_seconds: number | null;
  bucket: number | null;
  amount: number | null;
}

/** A fact as it is found, with what is counted of it. */
interface Found {
  subject: string;
  seq: number;
  at: Date;
  since: Date | null;
  conversation_id: string | null;
  agent_id: string | null;
  channel: string | null;
  /** Of an answer: the first one; of a start: not the first of this person. */
  special: boolean;
  messages: number;
}

/**
 * Folds up to now what is not folded yet.
 *
 * @param options.again how many milliseconds of what was folded are looked at once more
 * @returns false while another node does it.
 */
export async function fold(
  db: Db,
  options: { now: number; retention: Retention; again?: number },
): Promise<boolean> {
  const { now, retention } = options;
  let again = options.again ?? 0;
  const end = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (;;) {
    const done = await db.transaction().execute(async (trx) => {
      const { rows: [lock] } = await sql<{ taken: boolean }>`
        select pg_try_advisory_xact_lock(${sql.lit(LOCK_KEY)}) as taken`.execute(trx);
      if (lock?.taken !== true) return null;
      const start = await startOf(trx);
      if (start === null) return end;
      const from = start - again;
      const to = Math.min(end, Math.floor((start + STRETCH_MS) / MINUTE_MS) * MINUTE_MS);
      await foldStretch(trx, from, to, retention, now);
      // What is not committed yet is looked for again.
      const cursor = String(Math.max(start, Math.min(to, now - OPEN_MS)));
      await sql`insert into server_meta (key, value) values (${CURSOR}, ${cursor})
        on conflict (key) do update set value = excluded.value`.execute(trx);
      return to;
    });
    if (done === null) return false;
    if (done >= end) return true;
    again = 0;
  }
}

/** Where the next stretch begins; null where there is nothing to count. */
async function startOf(trx: Db): Promise<number | null> {
  const cursor = await trx.selectFrom("server_meta").select("value").where("key", "=", CURSOR)
    .executeTakeFirst();
  if (cursor !== undefined) return Number(cursor.value);
  const { rows: [first] } = await sql<{ at: Date | null }>`select least(
    (select min(created_at) from chat_messages), (select min(created_at) from chat_sessions),
    (select min(created_at) from conversation_events where type = 'conversation_changed')) as at`
    .execute(trx);
  return first?.at?.getTime() ?? null;
}

async function foldStretch(
  trx: Db,
  from: number,
  to: number,
  retention: Retention,
  now: number,
): Promise<void> {
  const hours = await readBusinessHours(trx);
  const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const minute = new Date(Math.floor(from / MINUTE_MS) * MINUTE_MS).toISOString();
  const counts: Count[] = await messageCounts(trx, { from: minute, to: range.to });
  for (const { kind, found, of } of await findAll(trx, range)) {
    const facts = found.map((one) => toFact(kind, one, hours));
    const isNew = await insertFacts(trx, facts);
    for (const fact of facts) {
      if (isNew.has(`${fact.subject} ${fact.seq}`)) counts.push(...of(fact));
    }
  }
  await addPoints(trx, counts, retention, now);
  await countConversations(trx, range);
}

function toFact(kind: FactKind, found: Found, hours: BusinessHours): Fact {
  const { since, special, messages, ...rest } = found;
  const at = found.at.getTime();
  const seconds = since === null ? null : (at - since.getTime()) / 1000;
  const open_seconds = since === null ? null : openSeconds(since.getTime(), at, hours);
  const bucket = open_seconds === null ? null : bucketOf(open_seconds);
  const amount = kind === "resolution" ? messages : kind === "started" ? Number(special) : null;
  return { kind, ...rest, seconds, open_seconds, bucket, amount };
}

interface Finding {
  kind: FactKind;
  found: Found[];
  /** What is counted of one that is new. */
  of: (fact: Fact) => Count[];
}

async function findAll(trx: Db, range: Range): Promise<Finding[]> {
  const count = (metric: PointMetric, fact: Fact, value = 1): Count => ({
    metric,
    at: fact.at.getTime(),
    value,
    agent: fact.agent_id,
    channel: fact.channel,
  });
  const time = (metric: PointMetric, fact: Fact): Count => ({
    ...count(metric, fact),
    bucket: fact.bucket ?? 0,
  });
  const responses = await findResponses(trx, range);
  return [
    {
      kind: "session",
      found: await findSessions(trx, range),
      of: (fact) => [count("sessions", fact)],
    },
    { kind: "wrote", found: await findWriters(trx, range), of: (fact) => [count("wrote", fact)] },
    {
      kind: "started",
      found: await findStarts(trx, range),
      of: (fact) => [count("started", fact), count("returning", fact, fact.amount ?? 0)],
    },
    { kind: "response", found: responses, of: (fact) => [time("response", fact)] },
    {
      kind: "first_response",
      found: responses.filter(({ special }) => special),
      of: (fact) => [time("first_response", fact)],
    },
    {
      kind: "resolution",
      found: await findResolutions(trx, range),
      of: (fact) => [
        time("resolution", fact),
        count("resolved", fact),
        count("resolved_messages", fact, fact.amount ?? 0),
      ],
    },
  ];
}

/** @returns those that were not known, as "subject seq". */
async function insertFacts(trx: Db, facts: readonly Fact[]): Promise<Set<string>> {
  const inserted = new Set<string>();
  for (let start = 0; start < facts.length; start += CHUNK) {
    const json = JSON.stringify(facts.slice(start, start + CHUNK));
    const { rows } = await sql<{ subject: string; seq: number }>`
      insert into metric_facts
      select * from jsonb_populate_recordset(null::metric_facts, ${json}::jsonb)
      on conflict do nothing returning subject, seq`.execute(trx);
    for (const { subject, seq } of rows) inserted.add(`${subject} ${seq}`);
  }
  return inserted;
}

interface Range {
  from: string;
  to: string;
}

/** How far the minutes of the range are from what was counted of them. */
async function messageCounts(trx: Db, { from, to }: Range): Promise<Count[]> {
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
    const known = missing.get(name);
    if (known !== undefined) known.value += value;
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
 * Counts what was written in the conversations of the range, by day. Within a conversation commits
 * come in the order of `seq`, so what is behind the last one counted is all that is missing.
 */
async function countConversations(trx: Db, { from, to }: Range): Promise<void> {
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

/** The last event before `of` that resolved the conversation, 0 where none did. */
const resolvedBefore = (of: string) => {
  const event = sql.ref(of);
  return sql`cross join lateral (
    select coalesce((
      select e.seq from conversation_events e
      where e.conversation_id = ${event}.conversation_id and e.seq < ${event}.seq
        and e.type = 'conversation_changed' and e.payload ->> 'status' = 'resolved'
      order by e.seq desc limit 1), 0) as seq) r`;
};

/** Answers of agents to what visitors wrote since an agent wrote last. */
async function findResponses(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select m.conversation_id as subject, m.seq, m.created_at as at, w.created_at as since,
      m.conversation_id, m.sender_id as agent_id, m.platform as channel,
      p.seq is null as special, 0 as messages
    from chat_messages m ${resolvedBefore("m")}
    left join lateral (
      select x.seq from chat_messages x
      where x.conversation_id = m.conversation_id and x.seq < m.seq and x.seq > r.seq
        and x.sender_role = 'agent' and x.type = 'text' and not x.is_private
      order by x.seq desc limit 1) p on true
    cross join lateral (
      select x.created_at from chat_messages x
      where x.conversation_id = m.conversation_id and x.seq < m.seq
        and x.seq > greatest(r.seq, coalesce(p.seq, 0))
        and x.sender_role = 'visitor' and x.type = 'text'
      order by x.seq limit 1) w
    where m.created_at >= ${from} and m.created_at < ${to} and m.sender_role = 'agent'
      and m.type = 'text' and not m.is_private
    order by m.conversation_id, m.seq`.execute(trx);
  return rows;
}

/** Messages of visitors before which there is none since the conversation was resolved, or ever. */
async function findStarts(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select m.conversation_id as subject, m.seq, m.created_at as at, null as since,
      m.conversation_id, null as agent_id, m.platform as channel,
      r.seq > 0 as special, 0 as messages
    from chat_messages m ${resolvedBefore("m")}
    where m.created_at >= ${from} and m.created_at < ${to} and m.sender_role = 'visitor'
      and m.type = 'text' and not exists (
        select 1 from chat_messages x
        where x.conversation_id = m.conversation_id and x.seq > r.seq and x.seq < m.seq
          and x.sender_role = 'visitor' and x.type = 'text')
    order by m.conversation_id, m.seq`.execute(trx);
  return rows;
}

/** Resolved after a visitor had written since the last time. */
async function findResolutions(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select m.conversation_id as subject, m.seq, m.created_at as at, w.created_at as since,
      m.conversation_id, c.platform as channel, false as special,
      case when m.payload -> 'actor' ->> 'role' = 'agent'
        then m.payload -> 'actor' ->> 'userId' end as agent_id,
      (select count(*) from chat_messages x
        where x.conversation_id = m.conversation_id and x.seq > r.seq and x.seq < m.seq
          and x.type = 'text' and not x.is_private) as messages
    from conversation_events m join conversations c on c.id = m.conversation_id
    ${resolvedBefore("m")}
    cross join lateral (
      select x.created_at from chat_messages x
      where x.conversation_id = m.conversation_id and x.seq > r.seq and x.seq < m.seq
        and x.sender_role = 'visitor' and x.type = 'text'
      order by x.seq limit 1) w
    where m.created_at >= ${from} and m.created_at < ${to} and m.type = 'conversation_changed'
      and m.payload ->> 'status' = 'resolved'
    order by m.conversation_id, m.seq`.execute(trx);
  return rows;
}

const SESSION = sql`s.id as subject, 0 as seq, s.created_at as at, null as since,
  null as conversation_id, null as agent_id, 'web' as channel, false as special, 0 as messages`;

async function findSessions(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`select ${SESSION} from chat_sessions s
    where s.created_at >= ${from} and s.created_at < ${to} order by s.id`.execute(trx);
  return rows;
}

/** Sessions in which something was written now, counted when they began. */
async function findWriters(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`select ${SESSION} from chat_sessions s
    where s.session_id in (
      select m.session_id from chat_messages m
      where m.created_at >= ${from} and m.created_at < ${to} and m.session_id is not null)
    order by s.id`.execute(trx);
  return rows;
}
