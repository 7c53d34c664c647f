/** Queries that find facts in the raw rows of a range. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";

export interface Range {
  from: string;
  to: string;
}

/** A fact as it is found in the raw rows. */
export interface Found {
  subject: string;
  seq: number;
  at: Date;
  since: Date | null;
  conversation_id: string | null;
  agent_id: string | null;
  channel: string | null;
  /** Of a response: the first one. Of a start: the contact had an earlier conversation. */
  special: boolean;
  messages: number;
}

/** The seq of the last resolution before `of`; 0: none. */
const resolvedBefore = (of: string) => {
  const event = sql.ref(of);
  return sql`cross join lateral (
    select coalesce((
      select e.seq from conversation_events e
      where e.conversation_id = ${event}.conversation_id and e.seq < ${event}.seq
        and e.type = 'conversation_changed' and e.payload ->> 'status' = 'resolved'
      order by e.seq desc limit 1), 0) as seq) r`;
};

/** Responses of agents to what visitors have written since the last message of an agent. */
export async function findResponses(trx: Db, { from, to }: Range): Promise<Found[]> {
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

/** First messages of visitors: ever, or since the conversation was resolved. */
export async function findStarts(trx: Db, { from, to }: Range): Promise<Found[]> {
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

/** Resolutions after a visitor had written since the last one. */
export async function findResolutions(trx: Db, { from, to }: Range): Promise<Found[]> {
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

export async function findSessions(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`select ${SESSION} from chat_sessions s
    where s.created_at >= ${from} and s.created_at < ${to} order by s.id`.execute(trx);
  return rows;
}

/** Sessions in which something was written, counted at the time when they began. */
export async function findWriters(trx: Db, { from, to }: Range): Promise<Found[]> {
  const { rows } = await sql<Found>`select ${SESSION} from chat_sessions s
    where s.session_id in (
      select m.session_id from chat_messages m
      where m.created_at >= ${from} and m.created_at < ${to} and m.session_id is not null)
    order by s.id`.execute(trx);
  return rows;
}
