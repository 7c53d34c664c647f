import { type Kysely, sql } from "kysely";

/**
 * A search compares a bounded number of the messages that wait for the index, the newest changes
 * first: after an import of a million messages it would compare all of them. While more are waiting,
 * the index may be out of date about the others, so each of its matches is checked against the
 * message. Those that are new are found when they are indexed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string }>`
    select quote_ident(current_schema()) as schema`.execute(db);
  await sql.raw(searchMessages(found!.schema)).execute(db);
}

/** Queued messages that one search compares. */
const MAX_COMPARED = 20_000;
/** As in 032_search_queue.ts. */
const NEWEST = { rows: 600, matches: 5, more: 3_000 };
const WINDOW = 20_000;

/** A match of the index that counts; `cut` is a constant when the plan is made. */
const CURRENT = `w.id <> all (waiting) and (not cut or exists (
    select from chat_messages m where m.id = w.id and m.deleted_at is null and m.type = 'text'
      and search_document(m.content) @@ wanted))`;

function searchMessages(schema: string): string {
  const indexed = (range: string) =>
    `select w.id from message_words w where w.words @@ wanted and w.id < below ${range}
            and ${CURRENT} offset 0`;
  return `create or replace function search_messages(wanted tsquery, below uuid, at_most integer)
      returns setof uuid language plpgsql stable
      rows 20 set search_path = ${schema}, pg_temp set plan_cache_mode = force_custom_plan
      set enable_seqscan = off set work_mem = '16MB' set jit = off
      set max_parallel_workers_per_gather = 0
      as $$
      declare waiting uuid[]; newest uuid[]; found uuid[]; size integer; edge uuid;
        oldest bigint; cut boolean;
      begin
        if wanted is null or numnode(wanted) = 0 then return; end if;
        select min(n.id), coalesce(array_agg(m.id) filter (where m.id is not null), '{}')
          into oldest, waiting
          from (
            select q.id, q.messages,
              sum(cardinality(q.messages)) over (order by q.id desc)
                - cardinality(q.messages) as before
            from (select * from search_queue order by id desc limit ${MAX_COMPARED}) q
          ) n left join lateral unnest(n.messages) m(id) on true
          where n.before < ${MAX_COMPARED};
        cut := exists (select from search_queue q where q.id < oldest);
        newest := array(
          select m.id from chat_messages m where m.id = any (waiting) and m.id < below
            and m.deleted_at is null and m.type = 'text' and search_document(m.content) @@ wanted
          order by m.id desc limit at_most);
        foreach size in array array[${NEWEST.rows}, ${NEWEST.more}] loop
          found := array(
            select w.id from (
              select * from message_words n where n.id < below order by n.id desc limit size
            ) w where w.words @@ wanted and ${CURRENT}
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
      end $$`;
}
