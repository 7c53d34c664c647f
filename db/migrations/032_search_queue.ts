import { type Kysely, sql } from "kysely";
import { buildIndex, type Step } from "../steps.ts";

/**
 * The words of messages in a table of their own, with the index over them, filled after the commit
 * (domain/search/indexer.ts). Whoever writes leaves the ids of what is to be indexed in a queue, in
 * the same transaction; a trigger does it, so that psql and nodes of an older version do it, too.
 * What is in the queue is compared word by word by every search, so that it is found at once.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string }>`
    select quote_ident(current_schema()) as schema`.execute(db);
  for (const statement of [...TABLES, ...triggers(found!.schema)]) {
    await sql.raw(statement).execute(db);
  }
}

const TABLES = [
  // No reference to the messages: it would be checked for each row, and a trigger does as well.
  `create table message_words (id uuid primary key, words tsvector not null)`,
  `create table search_queue (
    id bigint generated always as identity primary key,
    messages uuid[] not null
  )`,
];

/** Messages in one row of the queue, at most. */
const PART = 500;

function triggers(schema: string): string[] {
  const settings = `security definer set search_path = ${schema}, pg_temp`;
  const queue = (rows: string) =>
    `insert into search_queue (messages)
          select array_agg(part.id) from (
            select r.id, (row_number() over () - 1) / ${PART} as n from ${rows}
          ) part group by part.n;`;
  return [
    `create function queue_messages() returns trigger language plpgsql ${settings}
      as $$ begin
        if tg_op = 'INSERT' then
          ${queue("new_rows r where r.type = 'text' and r.deleted_at is null")}
        elsif tg_op = 'UPDATE' then
          ${
      queue(`new_rows r join old_rows o on o.id = r.id
              where (r.content, r.type, r.deleted_at) is distinct from
                (o.content, o.type, o.deleted_at)`)
    }
        else
          ${queue("old_rows r")}
        end if;
        return null;
      end $$`,
    `create trigger queue_messages_insert after insert on chat_messages
      referencing new table as new_rows for each statement execute function queue_messages()`,
    `create trigger queue_messages_update after update on chat_messages
      referencing old table as old_rows new table as new_rows
      for each statement execute function queue_messages()`,
    `create trigger queue_messages_delete after delete on chat_messages
      referencing old table as old_rows for each statement execute function queue_messages()`,
  ];
}

/** Words of what was there before: in the order of the ids, so it goes on where it was cut. */
async function addWords(db: Kysely<unknown>): Promise<boolean> {
  const limit = 5000;
  const { rows } = await sql<{ count: number }>`
    with next as (
      select m.id, m.content, m.deleted_at is null and m.type = 'text' as searched
      from chat_messages m
      where m.id > coalesce((select w.id from message_words w order by w.id desc limit 1),
        '00000000-0000-0000-0000-000000000000')
      order by m.id limit ${limit}
    ), added as (
      insert into message_words (id, words)
      select id, case when searched then search_document(content) else ''::tsvector end from next
      on conflict (id) do nothing
    )
    select count(*)::int as count from next`.execute(db);
  return rows[0]!.count < limit;
}

/** The new search, and no index any more that every message has to wait for. */
async function change(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string }>`
    select quote_ident(current_schema()) as schema`.execute(db);
  for (const statement of functions(found!.schema)) await sql.raw(statement).execute(db);
  await sql`drop index if exists chat_messages_search`.execute(db);
}

/** As in 010_search.ts: rows that are looked through from the newest on, before the index is asked. */
const NEWEST = { rows: 600, matches: 5, more: 3_000 };
/** Rows among which the index looks first. */
const WINDOW = 20_000;

function functions(schema: string): string[] {
  const indexed = (range: string) =>
    `select w.id from message_words w where w.words @@ wanted and w.id < below ${range}
            and w.id <> all (waiting) offset 0`;
  return [
    // What waits for the index is compared as it is now, and whatever the index says of it is old.
    `create or replace function search_messages(wanted tsquery, below uuid, at_most integer)
      returns setof uuid language plpgsql stable
      rows 20 set search_path = ${schema}, pg_temp set plan_cache_mode = force_custom_plan
      set enable_seqscan = off set work_mem = '16MB' set jit = off
      set max_parallel_workers_per_gather = 0
      as $$
      declare waiting uuid[]; newest uuid[]; found uuid[]; size integer; edge uuid;
      begin
        if wanted is null or numnode(wanted) = 0 then return; end if;
        waiting := array(select unnest(q.messages) from search_queue q);
        newest := array(
          select m.id from chat_messages m where m.id = any (waiting) and m.id < below
            and m.deleted_at is null and m.type = 'text' and search_document(m.content) @@ wanted
          order by m.id desc limit at_most);
        foreach size in array array[${NEWEST.rows}, ${NEWEST.more}] loop
          found := array(
            select w.id from (
              select * from message_words n where n.id < below order by n.id desc limit size
            ) w where w.words @@ wanted and w.id <> all (waiting)
            order by w.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query select f from unnest(found || newest) f order by f desc limit at_most;
            return;
          end if;
          exit when cardinality(found) < ${NEWEST.matches};
        end loop;
        edge := (select w.id from message_words w where w.id < below
          order by w.id desc offset ${WINDOW} limit 1);
        if edge is not null then
          found := array(select i.id from (${indexed("and w.id >= edge")}) i
            order by i.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query select f from unnest(found || newest) f order by f desc limit at_most;
            return;
          end if;
        end if;
        return query select f.id from (
            select i.id from (${indexed("")}) i union all select unnest(newest)
          ) f order by f.id desc limit at_most;
      end $$`,
    // One process at a time, so that what is stored last is the words of the newest text.
    `create function index_messages(at_most integer) returns integer language plpgsql
      set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
      as $$
      declare ids uuid[]; upto bigint;
      begin
        if not pg_try_advisory_xact_lock(${LOCK_KEY}) then return 0; end if;
        with head as (
          select q.id, q.messages from search_queue q order by q.id limit at_most
        ), summed as (
          select h.id, h.messages,
            sum(cardinality(h.messages)) over (order by h.id) - cardinality(h.messages) as before
          from head h
        ), taken as (
          delete from search_queue q using summed s
          where q.id = s.id and s.before < at_most returning s.messages
        )
        select array(select distinct unnest(t.messages) from taken t) into ids;
        if cardinality(ids) = 0 then return 0; end if;
        delete from message_words w using unnest(ids) gone(id)
          where w.id = gone.id and not exists (
            select from chat_messages m
            where m.id = gone.id and m.deleted_at is null and m.type = 'text');
        insert into message_words as w (id, words)
          select m.id, search_document(m.content)
          from unnest(ids) one(id) join chat_messages m on m.id = one.id
          where m.deleted_at is null and m.type = 'text'
          on conflict (id) do update set words = excluded.words;
        return cardinality(ids);
      end $$`,
  ];
}

/** Of the lock under which one process indexes ("srch" in ASCII). */
const LOCK_KEY = 0x73726368;

/** What waits to be put into the index is looked through by every search: it is kept short. */
const INDEX = "on message_words using gin (words) with (gin_pending_list_limit = 64)";

export const steps: Step[] = [addWords, buildIndex("message_words_words", INDEX), change];
