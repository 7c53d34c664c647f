import { type Kysely, sql } from "kysely";

/**
 * The change feed: every change of a followed table as a row, written by triggers in the
 * transaction that makes the change, so that psql is heard like everybody else.
 *
 * Ids have to become visible in commit order, and a sequence cannot do that: it numbers when a row
 * is written, and a slow transaction would bring its low ids after higher ones were read. So rows
 * are numbered within their transaction (`n`), and the transaction gets its place among all others
 * (`last`, the id of its last change) as the very last thing before it commits, in a deferred
 * trigger that holds a lock until the commit is visible. NOTIFY takes such a lock anyway, so this
 * one costs no concurrency that would be there without it; nobody who is still at work holds it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = await sql<{ name: string }>`select quote_ident(current_schema()) as name`
    .execute(db);
  const { name } = schema.rows[0]!;
  const run = (statement: string) => sql.raw(statement).execute(db);
  for (const statement of [...TABLES, ...numbering(name)]) await run(statement);
  for (const [table, rows] of Object.entries(FOLLOWED)) {
    for (const statement of recording(name, table, rows)) await run(statement);
  }
}

const TABLES = [
  `create table context_rules (
    id uuid primary key,
    user_id uuid references users on delete set null,
    name text not null,
    enabled boolean not null default true,
    position integer not null default 0,
    conditions jsonb not null default '[]',
    actions jsonb not null default '[]',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create index context_rules_position on context_rules (position, id)`,
  `create table notifications (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    kind text not null,
    title text not null,
    body text not null default '',
    conversation_id uuid references conversations on delete cascade,
    data jsonb not null default '{}',
    read_at timestamptz,
    created_at timestamptz not null default now()
  )`,
  `create index notifications_user on notifications (user_id, created_at desc, id desc)`,
  `create index notifications_conversation on notifications (conversation_id)
    where conversation_id is not null`,
  // One row for a transaction. last is null until it commits, so nobody else ever sees that.
  `create table change_commits (
    xid xid8 primary key,
    count integer not null,
    last bigint,
    committed_at timestamptz
  )`,
  `create index change_commits_last on change_commits (last)`,
  // The id of a change is last - count + 1 + n of its transaction's commit.
  `create table changes (
    xid xid8 not null,
    n integer not null,
    table_name text not null,
    event text not null check (event in ('INSERT', 'UPDATE', 'DELETE')),
    old_row jsonb,
    new_row jsonb,
    primary key (xid, n)
  ) with (toast_tuple_target = 8160)`,
  `create sequence change_ids`,
];

/**
 * What a function of the feed runs with, whoever's change it records and whatever they have set.
 * Its plans must fit a database that grows under them, so they go through the indexes.
 */
const settings = (schema: string) =>
  `security definer set search_path = ${schema}, pg_temp
    set enable_seqscan = off set enable_hashjoin = on`;

/** Key of the lock that a transaction with changes holds while it commits ("chng" in ASCII). */
const LOCK_KEY = 0x63686e67;

function numbering(schema: string): string[] {
  return [
    `create function number_changes() returns trigger language plpgsql ${settings(schema)}
      as $$ begin
        perform pg_advisory_xact_lock(${LOCK_KEY});
        update change_commits set committed_at = clock_timestamp(),
          last = setval('change_ids', nextval('change_ids') + count - 1)
        where xid = new.xid;
        perform pg_notify('parley_changes', '');
        return null;
      end $$`,
    `create constraint trigger number_changes after insert on change_commits
      deferrable initially deferred for each row execute function number_changes()`,
  ];
}

export interface Rows {
  /** The row `r` as JSON, as it is recorded: without secrets, which so are never in the feed. */
  json: string;
  /** What the expression needs besides the row. */
  join?: string;
}

export const WHOLE: Rows = { json: "to_jsonb(r)" };

const FOLLOWED: Record<string, Rows> = {
  // The hash of the session's secret gives way to the session's id; what others wrote belongs to
  // the latest session of the contact whose conversation it is. Whose that is decides who may see
  // the message, and has to be as it was when the change was made.
  chat_messages: {
    json: `to_jsonb(r) || jsonb_build_object('contact_id', c.contact_id,
      'context_id', c.context_id, 'session_id', coalesce(
        (select s.id from chat_sessions s where s.session_id = r.session_id),
        (select s.id from chat_sessions s where s.contact_id = c.contact_id
          order by s.created_at desc limit 1)))`,
    join: "left join conversations c on c.id = r.conversation_id",
  },
  chat_sessions: { json: "to_jsonb(r) || jsonb_build_object('session_id', r.id)" },
  conversations: WHOLE,
  context_rules: WHOLE,
  widget_configs: { json: "to_jsonb(r) - 'secret'" },
  notifications: WHOLE,
};

/** One function and three triggers for a table. They run once a statement, not once a row. */
export function recording(schema: string, table: string, { json, join = "" }: Rows): string[] {
  const name = `record_${table}`;
  const insert = (event: string, oldRow: string, newRow: string, rows: string) =>
    `insert into changes (xid, n, table_name, event, old_row, new_row)
          select pg_current_xact_id(), recorded + row_number() over () - 1,
            '${table}', ${event}, ${oldRow}, ${newRow} from ${rows};`;
  // A row whose id was changed is one row gone and another one come.
  const event = `case when o.id is null then 'INSERT' when n.id is null then 'DELETE'
            else 'UPDATE' end`;
  return [
    `create function ${name}() returns trigger language plpgsql ${settings(schema)}
      as $$ declare recorded integer; added integer; begin
        recorded := coalesce(
          (select c.count from change_commits c where c.xid = pg_current_xact_id()), 0);
        if tg_op = 'INSERT' then
          ${insert("'INSERT'", "null", json, `new_rows r ${join}`)}
        elsif tg_op = 'DELETE' then
          ${insert("'DELETE'", json, "null", `old_rows r ${join}`)}
        else
          ${
      insert(
        event,
        "o.json",
        "n.json",
        `(select r.id, ${json} as json from old_rows r ${join}) o
          full join (select r.id, ${json} as json from new_rows r ${join}) n on n.id = o.id`,
      )
    }
        end if;
        get diagnostics added = row_count;
        if added > 0 then
          -- A savepoint that is rolled back takes its part of the count along.
          insert into change_commits as c (xid, count) values (pg_current_xact_id(), added)
          on conflict (xid) do update set count = c.count + excluded.count;
        end if;
        return null;
      end $$`,
    `create trigger ${name}_insert after insert on ${table}
      referencing new table as new_rows for each statement execute function ${name}()`,
    `create trigger ${name}_update after update on ${table}
      referencing old table as old_rows new table as new_rows
      for each statement execute function ${name}()`,
    `create trigger ${name}_delete after delete on ${table}
      referencing old table as old_rows for each statement execute function ${name}()`,
  ];
}
