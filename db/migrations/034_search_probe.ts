import { type Kysely, sql } from "kysely";

/**
 * A search asks the index for a bounded number of matches before it looks for the newest 20,000
 * rows: a word that has fewer matches than that is complete. To find where the newest rows begin
 * took longer than everything else of a search for a rare word, on the embedded engine 15 to 30 ms,
 * and twice that where the newest rows were not vacuumed yet.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string }>`
    select quote_ident(current_schema()) as schema`.execute(db);
  for (const statement of functions(found!.schema)) await sql.raw(statement).execute(db);
}

/** Queued messages that one search compares, as in 033_search_bound.ts. */
const MAX_COMPARED = 20_000;
/** As in 032_search_queue.ts. */
const NEWEST = { rows: 600, matches: 5, more: 3_000 };
const WINDOW = 20_000;
/** Matches of the index that are sorted without a window. */
const FEW = 500;

/** What a function of the two does to find its matches. */
interface Finder {
  table: string;
  /** What a row has to fulfil, with the row as `t`. */
  matches: string;
  /** Variables and statements before the search; sets `newest` to matches outside of the index. */
  declare: string;
  begin: string;
}

function functions(schema: string): string[] {
  return [
    finder(schema, "search_messages", {
      table: "message_words",
      // `cut` is a constant when the plan is made.
      matches: `t.words @@ wanted and t.id <> all (waiting) and (not cut or exists (
          select from chat_messages m where m.id = t.id and m.deleted_at is null
            and m.type = 'text' and search_document(m.content) @@ wanted))`,
      declare: "waiting uuid[]; oldest bigint; cut boolean;",
      begin: `
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
          order by m.id desc limit at_most);`,
    }),
    finder(schema, "search_contacts", {
      table: "contacts",
      matches: "contact_document(t.name, t.email, t.phone) @@ wanted",
      declare: "",
      begin: "",
    }),
  ];
}

/**
 * A function that finds the ids of matching rows, the newest first: by comparing the newest rows,
 * then by the index within few matches, within the newest rows, and in all.
 */
function finder(schema: string, name: string, { table, matches, declare, begin }: Finder): string {
  // Without `offset 0` the planner would read the table from its end on, to find few rows in order.
  const indexed = (range: string) =>
    `select t.id from ${table} t where ${matches} and t.id < below ${range} offset 0`;
  const sorted = "select f from unnest(found || newest) f order by f desc limit at_most";
  return `create or replace function ${name}(wanted tsquery, below uuid, at_most integer)
      returns setof uuid language plpgsql stable
      rows 20 set search_path = ${schema}, pg_temp set plan_cache_mode = force_custom_plan
      set enable_seqscan = off set work_mem = '16MB' set jit = off
      set max_parallel_workers_per_gather = 0
      as $$
      declare newest uuid[] := '{}'; found uuid[]; size integer; edge uuid; ${declare}
      begin
        if wanted is null or numnode(wanted) = 0 then return; end if;${begin}
        foreach size in array array[${NEWEST.rows}, ${NEWEST.more}] loop
          found := array(
            select t.id from (
              select * from ${table} n where n.id < below order by n.id desc limit size
            ) t where ${matches} order by t.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query ${sorted};
            return;
          end if;
          exit when cardinality(found) < ${NEWEST.matches};
        end loop;
        found := array(select i.id from (${indexed("")}) i limit ${FEW + 1});
        if cardinality(found) <= ${FEW} then
          return query ${sorted};
          return;
        end if;
        edge := (select t.id from ${table} t where t.id < below
          order by t.id desc offset ${WINDOW} limit 1);
        if edge is not null then
          found := array(select i.id from (${indexed("and t.id >= edge")}) i
            order by i.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query ${sorted};
            return;
          end if;
        end if;
        found := array(select i.id from (${indexed("")}) i order by i.id desc limit at_most);
        return query ${sorted};
      end $$`;
}
