import { type Kysely, sql } from "kysely";

/**
 * Search: text as words without case and accents, the indexes over them, and the functions that
 * look for the newest matches.
 *
 * Everything is an expression index, so that the tables, the writer's statements and the change
 * feed know nothing of it. No extension is needed: who may create tables may run this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = await sql<{ name: string }>`select quote_ident(current_schema()) as name`
    .execute(db);
  const { name } = schema.rows[0]!;
  const collation = await findCollation(db);
  for (const statement of [...words(name, collation), ...INDEXES, ...finders(name)]) {
    await sql.raw(statement).execute(db);
  }
}

/**
 * A collation that knows the letters of all languages: with that of the database, which may be
 * "C", only those of English would have a lower case.
 */
async function findCollation(db: Kysely<unknown>): Promise<string> {
  const known = ["pg_c_utf8", "C.utf8", "und-x-icu"];
  const { rows } = await sql<{ name: string }>`
    select collname as name from pg_collation
    where collname = any(${known}) and collnamespace = 'pg_catalog'::regnamespace
      and collencoding in (-1, pg_char_to_encoding(getdatabaseencoding()))`.execute(db);
  const found = known.find((one) => rows.some(({ name }) => name === one));
  return found === undefined ? "" : `collate "${found}"`;
}

/** Characters of scripts that put no space between words: each is a word of its own. */
const UNSPACED = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3040-\\u30ff\\u3400-\\u9fff" +
  "\\uf900-\\ufaff\\U00020000-\\U0003ffff";

/** Characters of one text that can be found; a message never has more (MAX_CONTENT). */
const MAX_INDEXED = 20_000;

/** Words of one query; what comes after them is not looked for. */
const MAX_WORDS = 8;

/**
 * Not inlined, being plpgsql, so that the planner sees what they cost: computing words anew for
 * many rows is never cheaper than the index.
 */
function words(schema: string, collation: string): string[] {
  const pure = "language plpgsql immutable strict parallel safe cost 10000";
  return [
    `create function search_words(value text) returns text ${pure} as $$ begin
      value := left(value, ${MAX_INDEXED});
      if octet_length(value) = length(value) then
        return lower(regexp_replace(value, '[^a-zA-Z0-9]+', ' ', 'g'));
      end if;
      value := regexp_replace(normalize(value, NFKD), '[\\u0300-\\u036f]+', '', 'g');
      value := translate(lower(value ${collation}), 'øłđðħıς', 'olddhiσ');
      value := replace(replace(replace(value, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
      value := regexp_replace(value ${collation}, '[^[:alnum:]]+', ' ', 'g');
      return regexp_replace(value, '([${UNSPACED}])', ' \\1 ', 'g');
    end $$`,
    `create function search_document(value text) returns tsvector ${pure} as $$ begin
      return to_tsvector('pg_catalog.simple', ${schema}.search_words(value));
    end $$`,
    // A number of a telephone is written with and without spaces.
    `create function contact_document(name text, email text, phone text) returns tsvector
      ${pure.replace("strict ", "")} as $$ begin
      return ${schema}.search_document(concat_ws(' ', name, email, phone,
        regexp_replace(phone, '[^0-9]+', '', 'g')));
    end $$`,
    // Every word is the beginning of one, but single letters, which begin too many. Characters of
    // unspaced scripts have to follow each other as they do in the query. Null without any word.
    `create function search_query(value text) returns tsquery ${pure} as $$
      declare part text; wanted tsquery; step tsquery;
      begin
        for part in select p from
          regexp_split_to_table(trim(regexp_replace(${schema}.search_words(value),
            '([${UNSPACED}])  (?=[${UNSPACED}])', '\\1<', 'g')), ' +') with ordinality as t(p, n)
          where p <> '' order by n limit ${MAX_WORDS}
        loop
          if part ~ '[${UNSPACED}]' then
            step := to_tsquery('pg_catalog.simple', replace(part, '<', ' <-> '));
          elsif length(part) = 1 and part !~ '[0-9]' then
            step := to_tsquery('pg_catalog.simple', part);
          else
            step := to_tsquery('pg_catalog.simple', part || ':*');
          end if;
          wanted := case when wanted is null then step else wanted && step end;
        end loop;
        return wanted;
      end $$`,
  ];
}

const INDEXES = [
  // What waits to be put into the index is looked through by every search: it is kept short.
  `create index chat_messages_search on chat_messages using gin (search_document(content))
    with (gin_pending_list_limit = 512) where deleted_at is null and type = 'text'`,
  `create index contacts_search on contacts using gin (contact_document(name, email, phone))
    with (gin_pending_list_limit = 256)`,
  `create index conversations_search on conversations using gin (search_document(context_id))
    where context_id is not null`,
];

/**
 * Rows whose words are compared one by one, from the newest on, before the index is asked. Where so
 * few of them match that the second step would not find enough, it is left out.
 */
const NEWEST = { rows: 600, matches: 5, more: 3_000 };
/** The same of conversations, whose words are fewer. */
const NEWEST_CONVERSATIONS = { rows: 200, matches: 4, more: 1_200 };
/** Rows among which the index looks first. */
const WINDOW = 20_000;

/**
 * The newest matches. An index of words knows no order, and a frequent word has more matches than
 * can be read or sorted in time. But it is in many of the newest rows, too: these are compared
 * first, without the index. What is not among them is rare enough for the index: a part of the
 * table, which the primary key cuts out, and then all of it.
 *
 * Plans have to fit each word, and must not read what the index can tell.
 */
function finders(schema: string): string[] {
  // The planner takes functions for having a thousand rows, and would read tables as a whole to
  // join them.
  const settings =
    `rows 20 set search_path = ${schema}, pg_temp set plan_cache_mode = force_custom_plan
      set enable_seqscan = off set work_mem = '16MB' set jit = off
      set max_parallel_workers_per_gather = 0`;
  return [
    newestById("search_messages", settings, {
      table: "chat_messages",
      document: "search_document(t.content)",
      also: "and t.deleted_at is null and t.type = 'text'",
    }),
    newestById("search_contacts", settings, {
      table: "contacts",
      document: "contact_document(t.name, t.email, t.phone)",
      also: "",
    }),
    // By who they are with, and by the website's name for them; newest activity first.
    `create function search_conversations(
        wanted tsquery, below_at timestamptz, below_id uuid, at_most integer
      ) returns setof uuid language plpgsql stable ${settings} as $$
      declare found uuid[]; size integer;
      begin
        if wanted is null or numnode(wanted) = 0 then return; end if;
        foreach size in array array[${NEWEST_CONVERSATIONS.rows}, ${NEWEST_CONVERSATIONS.more}] loop
          found := array(
            select n.id from (
              select c.id, c.contact_id, c.context_id, c.last_activity_at from conversations c
              where (c.last_activity_at, c.id) < (below_at, below_id)
              order by c.last_activity_at desc, c.id desc limit size
            ) n cross join lateral (
              -- One by one and in order, so that it ends with the last one that is wanted.
              select 1 from contacts k where k.id = n.contact_id and (
                contact_document(k.name, k.email, k.phone) @@ wanted
                or search_document(n.context_id) @@ wanted
              ) offset 0
            ) matching
            order by n.last_activity_at desc, n.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query select unnest(found);
            return;
          end if;
          exit when cardinality(found) < ${NEWEST_CONVERSATIONS.matches};
        end loop;
        return query select c.id from conversations c join (
            select x.id from contacts k join conversations x on x.contact_id = k.id
            where contact_document(k.name, k.email, k.phone) @@ wanted
            union select x.id from conversations x
            where x.context_id is not null and search_document(x.context_id) @@ wanted
          ) m on m.id = c.id
          where (c.last_activity_at, c.id) < (below_at, below_id)
          order by c.last_activity_at desc, c.id desc limit at_most;
      end $$`,
  ];
}

/** A function that finds the ids of matching rows of a table, the newest first. */
function newestById(
  name: string,
  settings: string,
  { table, document, also }: { table: string; document: string; also: string },
): string {
  // Without `offset 0` the planner would, for a few rows in order, read the table from its end on
  // and compute words anew, in the hope that matches come soon.
  const indexed = (range: string) =>
    `select m.id from (
            select t.id from ${table} t where ${document} @@ wanted ${also}
              and t.id < below ${range} offset 0
          ) m order by m.id desc limit at_most`;
  return `create function ${name}(wanted tsquery, below uuid, at_most integer)
      returns setof uuid language plpgsql stable ${settings} as $$
      declare found uuid[]; size integer; edge uuid;
      begin
        if wanted is null or numnode(wanted) = 0 then return; end if;
        foreach size in array array[${NEWEST.rows}, ${NEWEST.more}] loop
          found := array(
            select t.id from (
              select * from ${table} n where n.id < below order by n.id desc limit size
            ) t where ${document} @@ wanted ${also} order by t.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query select unnest(found);
            return;
          end if;
          exit when cardinality(found) < ${NEWEST.matches};
        end loop;
        edge := (select t.id from ${table} t where t.id < below
          order by t.id desc offset ${WINDOW} limit 1);
        if edge is not null then
          found := array(${indexed("and t.id >= edge")});
          if cardinality(found) >= at_most then
            return query select unnest(found);
            return;
          end if;
        end if;
        return query ${indexed("")};
      end $$`;
}
