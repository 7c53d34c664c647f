import { type Kysely, sql } from "kysely";
import { buildIndex, type Step } from "../steps.ts";

/**
 * The search finds the middle of words, in every script, with and without accents, vowel marks,
 * apostrophes and hyphens.
 *
 * The words of a text are its words, what is left of a compound without its apostrophes and hyphens
 * ("e-mail" is "e", "mail" and "email"), and the ends of all of them, with "~" in front: the middle of
 * a word is the beginning of such an end, so the index of beginnings finds it, too. No extension is
 * needed, and trigrams would not know letters outside of ASCII where the database's locale is "C".
 * Ends are computed after the commit, by whoever indexes, so a stored message costs what it did.
 * Texts that are not in the index yet are compared as text, which is cheaper than computing ends.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string }>`
    select quote_ident(current_schema()) as schema`.execute(db);
  const { schema } = found!;
  const collation = await findCollation(db);
  await sql`create table search_refill (last uuid not null)`.execute(db);
  await sql`insert into search_refill values ('00000000-0000-0000-0000-000000000000')`.execute(db);
  const statements = [
    ...texts(schema, collation),
    ...queries(schema),
    indexMessages(),
    ...finders(schema),
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** As in 010_search.ts. */
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
/** Signs of Indic scripts are parts of words, but no letters for the database. */
const WORD = "[:alnum:]\\u0900-\\u0963\\u0966-\\u0dff\\u0f40-\\u0fbc";
/**
 * What is written or left out: accents, vowel marks of Hebrew, Arabic and Syriac, the kashida, soft
 * hyphens, joiners and variation selectors.
 */
const MARKS = "\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5" +
  "\\u05c7\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06dc\\u06df-\\u06e8" +
  "\\u06ea-\\u06ed\\u0711\\u0730-\\u074a\\u08d3-\\u08ff\\u1ab0-\\u1aff\\u1dc0-\\u1dff" +
  "\\u20d0-\\u20ff\\ufe00-\\ufe0f\\ufe20-\\ufe2f\\u00ad\\u200b-\\u200f\\u2060\\ufeff";
/** Apostrophes, hyphens and what stands for them, between two letters. */
const JOINERS = "''\\u0060\\u00b4\\u2018\\u2019\\u02b9\\u02bc\\u2032\\u2010\\u2011\\u2013\\u05be" +
  "\\u05f3\\u05f4\\u00b7-";

/** Characters of one text that can be found; a message never has more (MAX_CONTENT). */
const MAX_INDEXED = 20_000;
/** Words of one query; what comes after them is not looked for. */
const MAX_WORDS = 8;
/** Characters of a word that count, and of an end of it. */
const MAX_WORD = 200;
const MAX_END = 16;
/** Ends of the words of one text: a row of words has to stay below a megabyte. */
const MAX_ENDS = 12_000;

/** Letters of the shortest middle of a word that is looked for: others are in every text. */
const SHORTEST = (word: string) =>
  `(case when octet_length(${word}) = length(${word}) then 3 else 2 end)`;
/** Between the parts of a compound. */
const JOINED = "\\x02";

const PURE = "language plpgsql immutable strict parallel safe cost 10000";

function texts(schema: string, collation: string): string[] {
  return [
    // Lower-case words with a space between them, and the mark between the parts of a compound.
    `create function search_fold(value text) returns text ${PURE} as $$ begin
      value := translate(left(value, ${MAX_INDEXED}), E'${JOINED}', ' ');
      if octet_length(value) = length(value) then
        value := regexp_replace(lower(value), '([a-z0-9])[''\`-](?=[a-z0-9])',
          E'\\\\1${JOINED}', 'g');
        return regexp_replace(value, E'[^a-z0-9${JOINED}]+', ' ', 'g');
      end if;
      value := regexp_replace(normalize(value, NFKD), '[${MARKS}]+', '', 'g');
      value := translate(lower(value ${collation}), 'øłđðħıςىیکٱ', 'olddhiσييكا');
      value := replace(replace(replace(value, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
      value := regexp_replace(value ${collation}, '([${WORD}])[${JOINERS}](?=[${WORD}])',
        E'\\\\1${JOINED}', 'g');
      value := regexp_replace(value ${collation}, E'[^${escaped(WORD)}${JOINED}]+', ' ', 'g');
      value := regexp_replace(value, '([${UNSPACED}])', ' \\1 ', 'g');
      return regexp_replace(value, E' ${JOINED}+|${JOINED}+ ', ' ', 'g');
    end $$`,
    // The words with spaces around them, and after a mark the compounds as one word each.
    `create function search_text(value text) returns text ${PURE} as $$
      declare folded text := ${schema}.search_fold(value);
      begin
        return ' ' || regexp_replace(replace(folded, E'${JOINED}', ' '), ' +', ' ', 'g') || E' \\x01 ' ||
          case when strpos(folded, E'${JOINED}') = 0 then '' else coalesce((
            select string_agg(replace(w, E'${JOINED}', ''), ' ')
            from regexp_split_to_table(folded, ' +') w where strpos(w, E'${JOINED}') > 0), '')
          end || ' ';
      end $$`,
    `create function search_lexemes(value text) returns tsvector ${PURE} as $$
      declare parts text[] := string_to_array(${schema}.search_text(value), E'\\x01');
        words text[] := string_to_array(trim(parts[1]), ' ');
        joined text[] := string_to_array(trim(parts[2]), ' ');
        document tsvector;
      begin
        document := (select string_agg('''' || left(w, ${MAX_WORD}) || ''':' || least(n, 16383), ' ')
          from unnest(words) with ordinality as t(w, n) where w <> '')::tsvector;
        return coalesce(document, ''::tsvector) || array_to_tsvector(array(
          select left(w, ${MAX_WORD}) from unnest(joined) w where w <> '' union
          (select distinct '~' || substr(w, i, ${MAX_END})
            from unnest(words || joined) u(w),
              generate_series(2, least(length(w), ${MAX_WORD}) + 1 - ${SHORTEST("w")}) i
            limit ${MAX_ENDS})));
      end $$`,
    `create function contact_text(name text, email text, phone text) returns text
      ${PURE.replace("strict ", "")} as $$ begin
      return concat_ws(' ', name, email, phone, regexp_replace(phone, '[^0-9]+', '', 'g'));
    end $$`,
  ];
}

/** In a string with escapes. */
function escaped(part: string): string {
  return part.replaceAll("\\", "\\\\");
}

function queries(schema: string): string[] {
  return [
    // Words, compounds with their mark, and runs of unspaced characters with "<" between them.
    `create function search_terms(value text) returns text[] ${PURE} as $$ begin
      return array(select left(p, ${MAX_WORD}) from regexp_split_to_table(trim(regexp_replace(
          ${schema}.search_fold(value), '([${UNSPACED}])  (?=[${UNSPACED}])', '\\1<', 'g')), ' +')
        with ordinality as t(p, n) where p <> '' order by n limit ${MAX_WORDS});
    end $$`,
    // One word in the index: its beginning, or the beginning of an end of a word. A single letter
    // is a word, and no beginning: it begins too many.
    `create function search_word(word text) returns tsquery ${PURE} as $$ begin
      if length(word) = 1 and word !~ '[0-9]' then return ('''' || word || '''')::tsquery; end if;
      if length(word) < ${SHORTEST("word")} then
        return ('''' || word || ''':*')::tsquery;
      end if;
      return ('''' || word || ''':* | ''~' || left(word, ${MAX_END}) || ''':*')::tsquery;
    end $$`,
    // Null without any word.
    `create function search_infix(terms text[]) returns tsquery ${PURE} as $$
      declare term text; wanted tsquery; step tsquery;
      begin
        foreach term in array terms loop
          if strpos(term, '<') > 0 then
            step := ('''' || replace(term, '<', ''' <-> ''') || '''')::tsquery;
          elsif strpos(term, E'${JOINED}') > 0 then
            step := ${schema}.search_word(replace(term, E'${JOINED}', '')) ||
              ('''' || replace(term, E'${JOINED}', ''' <-> ''') || ''':*')::tsquery;
          else
            step := ${schema}.search_word(term);
          end if;
          wanted := case when wanted is null then step else wanted && step end;
        end loop;
        return wanted;
      end $$`,
    // The same for a text that is not in the index; content is what search_text made of it.
    `create function search_matches(content text, terms text[]) returns boolean ${PURE} as $$
      declare term text; word text;
      begin
        foreach term in array terms loop
          if strpos(term, '<') > 0 then
            if strpos(content, ' ' || replace(term, '<', ' ') || ' ') = 0 then return false; end if;
            continue;
          end if;
          word := replace(term, E'${JOINED}', '');
          continue when word <> term
            and strpos(content, ' ' || replace(term, E'${JOINED}', ' ')) > 0;
          if length(word) = 1 and word !~ '[0-9]' then word := ' ' || word || ' ';
          elsif length(word) < ${SHORTEST("word")} then word := ' ' || word;
          end if;
          if strpos(content, word) = 0 then return false; end if;
        end loop;
        return cardinality(terms) > 0;
      end $$`,
  ];
}

/** As in 032_search_queue.ts, with the new words. */
function indexMessages(): string {
  return `create or replace function index_messages(at_most integer) returns integer language plpgsql
      set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
      as $$
      declare ids uuid[];
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
          select m.id, search_lexemes(m.content)
          from unnest(ids) one(id) join chat_messages m on m.id = one.id
          where m.deleted_at is null and m.type = 'text'
          on conflict (id) do update set words = excluded.words;
        return cardinality(ids);
      end $$`;
}

/** Of the lock under which one process indexes ("srch" in ASCII). */
const LOCK_KEY = 0x73726368;

/** Queued messages that one search compares, as in 033_search_bound.ts. */
const MAX_COMPARED = 20_000;
/** As in 032_search_queue.ts and 034_search_probe.ts. */
const NEWEST = { rows: 600, matches: 5, more: 3_000 };
const NEWEST_CONVERSATIONS = { rows: 200, matches: 4, more: 1_200 };
const WINDOW = 20_000;
const FEW = 500;

/** The planner takes functions for having a thousand rows, and would read whole tables to join them. */
const settingsOf = (schema: string) =>
  `language plpgsql stable rows 20 set search_path = ${schema}, pg_temp
      set plan_cache_mode = force_custom_plan set enable_seqscan = off set work_mem = '16MB'
      set jit = off set max_parallel_workers_per_gather = 0`;

const PERSON = "contact_text(k.name, k.email, k.phone)";

function finders(schema: string): string[] {
  return [
    finder(schema, "find_messages", {
      table: "message_words",
      compared: `t.words @@ wanted and ${COUNTS}`,
      indexed: `t.words @@ wanted and ${COUNTS}`,
      declare: "waiting uuid[]; oldest bigint; cut boolean;",
      begin: `${WAITING}
        newest := array(
          select m.id from chat_messages m where m.id = any (waiting) and m.id < below
            and m.deleted_at is null and m.type = 'text'
            and search_matches(search_text(m.content), terms)
          order by m.id desc limit at_most);`,
    }),
    // All messages of one conversation are compared, by the words of the index where it has them.
    `create function find_in_conversation(value text, inside uuid, below uuid, at_most integer)
      returns setof uuid ${settingsOf(schema)} as $$
      declare terms text[] := search_terms(value); wanted tsquery := search_infix(terms);
        waiting uuid[]; oldest bigint;
      begin
        if wanted is null then return; end if;
        ${WAITING.replace("cut := exists (select from search_queue q where q.id < oldest);", "")}
        return query select m.id from chat_messages m left join message_words w
            on w.id = m.id and m.id <> all (waiting)
          where m.conversation_id = inside and m.id < below and m.deleted_at is null
            and m.type = 'text' and case when w.id is null
              then search_matches(search_text(m.content), terms) else w.words @@ wanted end
          order by m.id desc limit at_most;
      end $$`,
    finder(schema, "find_contacts", {
      table: "contacts",
      compared: "search_matches(search_text(contact_text(t.name, t.email, t.phone)), terms)",
      indexed: "search_lexemes(contact_text(t.name, t.email, t.phone)) @@ wanted",
      declare: "",
      begin: "",
    }),
    findConversations(schema),
  ];
}

/** `waiting`: the newest messages that are to be indexed; `cut`: there are more. */
const WAITING = `select min(n.id), coalesce(array_agg(m.id) filter (where m.id is not null), '{}')
          into oldest, waiting
          from (
            select q.id, q.messages,
              sum(cardinality(q.messages)) over (order by q.id desc)
                - cardinality(q.messages) as before
            from (select * from search_queue order by id desc limit ${MAX_COMPARED}) q
          ) n left join lateral unnest(n.messages) m(id) on true
          where n.before < ${MAX_COMPARED};
        cut := exists (select from search_queue q where q.id < oldest);`;

/** A match of the index that counts; `cut` is a constant when the plan is made. */
const COUNTS = `t.id <> all (waiting) and (not cut or exists (
          select from chat_messages m where m.id = t.id and m.deleted_at is null
            and m.type = 'text' and search_matches(search_text(m.content), terms)))`;

interface Finder {
  table: string;
  /** What a row has to fulfil, with the row as `t`: one by one, and by the index. */
  compared: string;
  indexed: string;
  /** Variables and statements before the search; sets `newest` to matches outside of the index. */
  declare: string;
  begin: string;
}

/** As in 034_search_probe.ts: the newest rows one by one, then the index within few matches, then more. */
function finder(schema: string, name: string, parts: Finder): string {
  const { table, compared, indexed, declare, begin } = parts;
  const found = (range: string) =>
    `select t.id from ${table} t where ${indexed} and t.id < below ${range} offset 0`;
  const sorted = "select f from unnest(found || newest) f order by f desc limit at_most";
  return `create function ${name}(value text, below uuid, at_most integer)
      returns setof uuid ${settingsOf(schema)} as $$
      declare terms text[] := search_terms(value); wanted tsquery := search_infix(terms);
        newest uuid[] := '{}'; found uuid[]; size integer; edge uuid; ${declare}
      begin
        if wanted is null then return; end if;${begin}
        foreach size in array array[${NEWEST.rows}, ${NEWEST.more}] loop
          found := array(
            select t.id from (
              select * from ${table} n where n.id < below order by n.id desc limit size
            ) t where ${compared} order by t.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query ${sorted};
            return;
          end if;
          exit when cardinality(found) < ${NEWEST.matches};
        end loop;
        found := array(select i.id from (${found("")}) i limit ${FEW + 1});
        if cardinality(found) <= ${FEW} then
          return query ${sorted};
          return;
        end if;
        edge := (select t.id from ${table} t where t.id < below
          order by t.id desc offset ${WINDOW} limit 1);
        if edge is not null then
          found := array(select i.id from (${found("and t.id >= edge")}) i
            order by i.id desc limit at_most);
          if cardinality(found) >= at_most then
            return query ${sorted};
            return;
          end if;
        end if;
        found := array(select i.id from (${found("")}) i order by i.id desc limit at_most);
        return query ${sorted};
      end $$`;
}

/** By who they are with, and by the website's name for them; newest activity first. */
function findConversations(schema: string): string {
  return `create function find_conversations(
        value text, below_at timestamptz, below_id uuid, at_most integer
      ) returns setof uuid ${settingsOf(schema)} as $$
      declare terms text[] := search_terms(value); wanted tsquery := search_infix(terms);
        found uuid[]; size integer;
      begin
        if wanted is null then return; end if;
        foreach size in array array[${NEWEST_CONVERSATIONS.rows}, ${NEWEST_CONVERSATIONS.more}] loop
          found := array(
            select n.id from (
              select c.id, c.contact_id, c.context_id, c.last_activity_at from conversations c
              where (c.last_activity_at, c.id) < (below_at, below_id)
              order by c.last_activity_at desc, c.id desc limit size
            ) n cross join lateral (
              select 1 from contacts k where k.id = n.contact_id and (
                search_matches(search_text(${PERSON}), terms)
                or search_matches(search_text(n.context_id), terms)
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
            where search_lexemes(${PERSON}) @@ wanted
            union select x.id from conversations x
            where x.context_id is not null and search_lexemes(x.context_id) @@ wanted
          ) m on m.id = c.id
          where (c.last_activity_at, c.id) < (below_at, below_id)
          order by c.last_activity_at desc, c.id desc limit at_most;
      end $$`;
}

/** The words of messages that were indexed before, in the order of their ids. */
async function refill(db: Kysely<unknown>): Promise<boolean> {
  const limit = 2000;
  const { rows } = await sql<{ count: number }>`
    with next as (
      select w.id from message_words w where w.id > (select last from search_refill)
      order by w.id limit ${limit}
    ), changed as (
      update message_words w set words = search_lexemes(m.content)
      from next n join chat_messages m on m.id = n.id where w.id = n.id
    ), moved as (
      update search_refill set last = greatest(last,
        coalesce((select id from next order by id desc limit 1), last))
    )
    select count(*)::int as count from next`.execute(db);
  return rows[0]!.count < limit;
}

async function finish(db: Kysely<unknown>): Promise<void> {
  await sql`drop table if exists search_refill`.execute(db);
  // Older nodes find the same without it, only slower.
  await sql`drop index if exists contacts_search`.execute(db);
  await sql`drop index if exists conversations_search`.execute(db);
}

export const steps: Step[] = [
  refill,
  buildIndex(
    "contacts_words",
    `on contacts using gin (search_lexemes(contact_text(name, email, phone)))
      with (gin_pending_list_limit = 256)`,
  ),
  buildIndex(
    "conversations_words",
    "on conversations using gin (search_lexemes(context_id)) where context_id is not null",
  ),
  finish,
];
