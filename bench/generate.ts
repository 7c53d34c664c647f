/**
 * Fills a database with a number of conversations and messages, with SQL statements only: a million
 * messages in a minute or two. Ids, counters, log and pointers are as if all of it had been written
 * one after the other, over a year or another period.
 *
 * `deno run -A bench/generate.ts 100000 1000000` fills the database of DATABASE_URL or DATA_DIR.
 */
import { type RawBuilder, sql } from "kysely";
import { type Db, openDatabase } from "../db/database.ts";
import { readSettings } from "../settings.ts";

export interface Size {
  conversations: number;
  messages: number;
  /** The period up to now over which they are spread; default 365. */
  days?: number;
}

const spanOf = ({ days = 365 }: Size) => days * 86_400_000;
/** One in this many messages is in the first conversation, which becomes a long one. */
const LONG_EVERY = 200;
/** How far apart in time the messages of one conversation are, in conversations. */
const SPREAD = 400;
const CHUNK = 50_000;
const AGENTS = 10;

/** Words consist of syllables, so that they share prefixes. */
const SYLLABLES = "babedafegihajukalimonuparesatevowuzyxacodufogelihemi";
const S = SYLLABLES.length / 2;
/** Number of words; the r-th is used 1/r as often as the first (Zipf), as in natural language. */
export const WORDS = 15_000;

/** The word of a rank from 1 on: the first is in most messages, the last in a few of a million. */
export function wordAt(rank: number): string {
  const syllable = (n: number) => SYLLABLES.slice((n % S) * 2, (n % S) * 2 + 2);
  return syllable(rank * 7) + syllable(Math.floor(rank / S)) + syllable(Math.floor(rank / S / S));
}

const FIRST =
  "Maria José Anna Lukas Mei Fatima Oleg Nadia Tom Ingrid Priya Amara Jürgen Chloé Søren" +
  " Łucja Marta Daniel Yuki Omar Aiko Bruno Carla Dmitri Elif Farid Greta Hugo Ivana Jonas";
const LAST =
  "Lopez Garcia Müller Nowak Rossi Dubois Tanaka Okafor Chen Singh Andersen Kowalski Silva" +
  " Novak Haddad Kim Berg Costa Petrov Yilmaz Schmidt Laurent Ito Mensah Wang";

/** An id as if made at this time. `n` orders the ids of one millisecond. */
function idAt(ms: RawBuilder<unknown>, n: RawBuilder<unknown>, kind: string) {
  return sql`(lpad(to_hex(${ms}), 12, '0') || '7' || lpad(to_hex(${n} % 4096), 3, '0') || '8' ||
    substr(md5(${sql.lit(kind)} || ${n}), 1, 15))::uuid`;
}

/** The word of a rank, as in `wordAt`. */
function wordOf(rank: RawBuilder<unknown>) {
  const syllable = (n: RawBuilder<unknown>) =>
    sql`substr(${sql.lit(SYLLABLES)}, (${n}) % ${sql.lit(S)} * 2 + 1, 2)`;
  return sql`${syllable(sql`${rank} * 7`)} || ${syllable(sql`${rank} / ${sql.lit(S)}`)} ||
    ${syllable(sql`${rank} / ${sql.lit(S * S)}`)}`;
}

/** Labels from frequent to rare: one in this many conversations has it. */
const LABELS = [
  ["Question", "blue", 4],
  ["Order", "teal", 7],
  ["Bug", "red", 11],
  ["Refund", "amber", 23],
  ["VIP", "violet", 101],
  ["Press", "pink", 1009],
] as const;

function pick(names: string, n: RawBuilder<unknown>) {
  const list = names.split(" ");
  return sql`(array[${sql.join(list.map((one) => sql.lit(one)))}])[(${n}) % ${
    sql.lit(list.length)
  } + 1]`;
}

/** SQL functions that every chunk needs, for this session only. */
function helpers(start: number, size: Size) {
  const span = spanOf(size);
  const step = sql`${sql.lit(span)}::float8 / ${sql.lit(size.messages)}`;
  return [
    sql`select setseed(0.5)`,
    sql`create function pg_temp.message_ms(i bigint) returns bigint language sql immutable
      return ${sql.lit(start)}::bigint + (i * (${step}))::bigint`,
    sql`create function pg_temp.contact_id(i bigint) returns uuid language sql immutable return
      ${idAt(sql`(${sql.lit(start - span)}::bigint + i)`, sql`i`, "contact")}`,
    sql`create function pg_temp.conversation_id(i bigint) returns uuid language sql immutable
      return ${idAt(sql`(${sql.lit(start - span)}::bigint + i)`, sql`i`, "conversation")}`,
    sql`create function pg_temp.agent_id(i bigint) returns uuid language sql immutable return
      ${idAt(sql`(${sql.lit(start - 2 * span)}::bigint + i)`, sql`i`, "agent")}`,
    sql`create function pg_temp.label_id(i bigint) returns uuid language sql immutable return
      ${idAt(sql`(${sql.lit(start - 2 * span)}::bigint + i)`, sql`i`, "label")}`,
    sql`create function pg_temp.words(i bigint) returns text language sql volatile return
      (select string_agg(${wordOf(sql`rank`)}, ' ') from (
        select floor(exp(random() * ln(${sql.lit(WORDS)})))::int as rank
        from generate_series(1, 6 + i % 20)) ranks)`,
  ];
}

function people({ conversations }: Size) {
  return [
    sql`insert into users (id, email, name, password_hash, role)
      select pg_temp.agent_id(i), 'agent' || i || '@example.com', 'Agent ' || i, 'none', 'agent'
      from generate_series(0, ${sql.lit(AGENTS - 1)}) i`,
    sql`insert into contacts (id, name, email)
      select pg_temp.contact_id(i),
        case when i % 7 = 0 then 'Visitor ' || substr(md5(i::text), 1, 4)
          else ${pick(FIRST, sql`i * 7`)} || ' ' || ${pick(LAST, sql`i / 30`)} end,
        case when i % 7 > 1 then 'c' || i || '@' || ${pick(LAST, sql`i`)} || '.example' end
      from generate_series(0, ${sql.lit(conversations - 1)}) i`,
    // Their counters are set below, from the messages.
    sql`insert into conversations (id, contact_id) select pg_temp.conversation_id(i),
      pg_temp.contact_id(i) from generate_series(0, ${sql.lit(conversations - 1)}) i`,
  ];
}

/** The conversation, position and author of each message. */
function places({ conversations, messages }: Size) {
  const drift = sql`(random() * ${sql.lit(SPREAD)})::bigint - ${sql.lit(SPREAD / 2)}`;
  const near = sql`(i::float8 * ${sql.lit(conversations)} / ${sql.lit(messages)})::bigint`;
  return sql`create temp table place as
    select i, n, seq, inbound, count(*) filter (where inbound) over w as inbound_count,
      count(*) filter (where not inbound) over w as outbound_count
    from (
      select i, n, row_number() over (partition by n order by i) as seq, random() < 0.55 as inbound
      from (
        select i, case when i % ${sql.lit(LONG_EVERY)} = 0 then 0 else
          least(greatest(${near} + ${drift}, 0), ${sql.lit(conversations - 1)}) end as n
        from generate_series(0, ${sql.lit(messages - 1)}) i
      ) chosen
    ) numbered window w as (partition by n order by i)`;
}

function messagesBetween(from: number, to: number) {
  const at = sql`to_timestamp(pg_temp.message_ms(p.i) / 1000.0)`;
  const id = idAt(sql`pg_temp.message_ms(p.i)`, sql`p.i`, "message");
  return [
    sql`insert into chat_messages (id, conversation_id, seq, client_message_id, sender_id,
        sender_role, sender_name, type, content, is_private, platform, inbound_count,
        outbound_count, created_at)
      select ${id}, pg_temp.conversation_id(p.n), p.seq, 'g' || p.i,
        case when p.inbound then pg_temp.contact_id(p.n)
          else pg_temp.agent_id(p.n % ${sql.lit(AGENTS)}) end,
        case when p.inbound then 'visitor' else 'agent' end,
        case when p.inbound then 'Visitor' else 'Agent' end, 'text',
        case when p.i % 10 = 0 then 'order ' || p.i || ' ' else '' end ||
        case when p.i % 1000 = 0 then 'refund ' else '' end || pg_temp.words(p.i),
        not p.inbound and p.i % 40 = 1, 'web', p.inbound_count, p.outbound_count, ${at}
      from place p where p.i >= ${sql.lit(from)} and p.i < ${sql.lit(to)} order by p.i`,
    sql`insert into conversation_events (conversation_id, seq, type, message_id, is_private,
        created_at)
      select pg_temp.conversation_id(p.n), p.seq, 'message', ${id},
        not p.inbound and p.i % 40 = 1, ${at}
      from place p where p.i >= ${sql.lit(from)} and p.i < ${sql.lit(to)} order by p.i`,
  ];
}

/** One in eight is open, half of those unassigned. All others were read. */
function conversationsOf() {
  const status = sql`(array['open', 'resolved', 'resolved', 'pending', 'resolved', 'resolved',
    'resolved', 'resolved'])[1 + l.n % 8]`;
  return [
    sql`create temp table newest as select distinct on (n) n, i, seq, inbound, inbound_count,
      outbound_count from place order by n, i desc`,
    sql`update conversations c set last_seq = l.seq, last_message_seq = l.seq,
        inbound_count = l.inbound_count, outbound_count = l.outbound_count,
        status = ${status}, assignee_id = case when l.n % 16 >= 8
          then pg_temp.agent_id(l.n % ${sql.lit(AGENTS)}) end,
        last_message_preview = left(m.content, 200), last_message_role = m.sender_role,
        last_message_sender_id = m.sender_id, last_message_sender_name = m.sender_name,
        last_message_at = m.created_at, last_activity_at = m.created_at,
        waiting_since = case when l.inbound and ${status} <> 'resolved' then m.created_at end,
        created_at = f.created_at, updated_at = m.created_at,
        resolved_at = case when ${status} = 'resolved' then m.created_at end
      from newest l, chat_messages m, chat_messages f
      where c.id = pg_temp.conversation_id(l.n)
        and m.conversation_id = c.id and m.seq = l.seq and f.conversation_id = c.id and f.seq = 1`,
    sql`insert into participants (conversation_id, user_id, role, delivered_seq, read_seq,
        read_inbound, read_outbound)
      select pg_temp.conversation_id(n), pg_temp.agent_id(n % ${sql.lit(AGENTS)}), 'agent', seq,
        seq, inbound_count - (n % 3 = 0 and n % 8 = 0 and inbound_count > 0)::int, outbound_count
      from newest
      union all
      select pg_temp.conversation_id(n), pg_temp.contact_id(n), 'visitor', seq, seq,
        inbound_count, outbound_count from newest`,
  ];
}

/** The present labels, without events in the log. */
function labels() {
  const rows = LABELS.map(([name, color, every], i) =>
    sql`(${sql.lit(i)}, ${sql.lit(name)}, ${sql.lit(color)}, ${sql.lit(every)})`
  );
  const all = sql`(values ${sql.join(rows)}) as l(i, name, color, every)`;
  return [
    sql`insert into labels (id, name, color) select pg_temp.label_id(l.i), l.name, l.color
      from ${all}`,
    sql`insert into conversation_labels (conversation_id, label_id, created_at)
      select pg_temp.conversation_id(n.n), pg_temp.label_id(l.i),
        to_timestamp(pg_temp.message_ms(n.i) / 1000.0)
      from newest n join ${all} on n.n % l.every = 0`,
  ];
}

const TABLES = ["chat_messages", "conversations", "contacts", "labels"];

/**
 * Fills a database without conversations, and without the change feed, which would contain all of
 * it a second time. Agents are `agent0@example.com` and so on, and cannot sign in.
 *
 * @param say is called with progress messages
 */
export async function generate(db: Db, size: Size, say = (_words: string) => {}): Promise<void> {
  await db.connection().execute(async (one) => {
    const run = (statement: RawBuilder<unknown>) => statement.execute(one);
    const raw = (statement: string) => sql.raw(statement).execute(one);
    for (const table of TABLES) await raw(`alter table ${table} disable trigger user`);
    // Built at the end, an index of words is much cheaper than row by row.
    const indexes = await sql<{ name: string; definition: string }>`
      select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indexrelid::regclass::text like any
        (array['%\\_search', 'message\\_words\\_words'])`.execute(one);
    for (const { name } of indexes.rows) await raw(`drop index ${name}`);

    for (const helper of helpers(Date.now() - spanOf(size), size)) await run(helper);
    say(`${size.conversations} contacts and conversations`);
    for (const statement of people(size)) await run(statement);
    await run(places(size));
    for (let from = 0; from < size.messages; from += CHUNK) {
      say(`${from} of ${size.messages} messages`);
      for (const statement of messagesBetween(from, Math.min(from + CHUNK, size.messages))) {
        await run(statement);
      }
    }
    await raw("create index on place (n, i desc)");
    say("conversations");
    for (const statement of [...conversationsOf(), ...labels()]) await run(statement);
    say("words");
    await raw("drop table place, newest");
    await raw(`insert into message_words (id, words)
      select id, search_lexemes(content) from chat_messages where type = 'text' order by id`);
    say("indexes");
    await raw("set maintenance_work_mem = '256MB'");
    for (const { definition } of indexes.rows) await raw(definition);
    await raw("reset maintenance_work_mem");
    for (const table of TABLES) await raw(`alter table ${table} enable trigger user`);
    say("statistics");
    await raw("vacuum analyze");
  });
}

if (import.meta.main) {
  const [conversations = NaN, messages = NaN] = Deno.args.map(Number);
  if (!(conversations > 0 && messages >= conversations)) {
    console.error("Usage: deno run -A bench/generate.ts <conversations> <messages>");
    Deno.exit(2);
  }
  const settings = readSettings(Deno.env.toObject());
  const database = await openDatabase({
    url: settings.database.url,
    dataDir: settings.database.dataDir,
    pool: 1,
  });
  await generate(database.db, { conversations, messages }, (words) => console.log(words));
  await database.close();
}
