import { type Kysely, sql } from "kysely";
import type { Step } from "../steps.ts";

/**
 * A table's changes are recorded only while somebody follows it (db/followed_tables.ts).
 *
 * Whether that is so is the value of a sequence, 2 or 1: it is seen at once and by every transaction,
 * whatever snapshot it works with. A row would be seen by those alone that begin after it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [found] } = await sql<{ schema: string; inUse: boolean }>`
    select quote_ident(current_schema()) as schema, exists (select from users) as "inUse"`
    .execute(db);
  const { schema, inUse } = found!;
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`create table followed_tables (
    table_name text primary key,
    -- The transaction in which recording began; null: nothing is recorded.
    since xid8,
    -- Whether every transaction from before that has ended.
    settled boolean not null default false,
    until timestamptz not null default '-infinity'
  )`);
  for (const table of TABLES) {
    await run(`create sequence followed_${table} minvalue 1 maxvalue 2`);
    await run(`create function is_followed_${table}() returns boolean language plpgsql volatile
      security definer set search_path = ${schema}, pg_temp
      as $$ begin return (select last_value = 2 from followed_${table}); end $$`);
    await run(`insert into followed_tables (table_name) values ('${table}')`);
  }
  for (const statement of functions(schema)) await run(statement);
  // Nodes of an older version follow without saying so, until they are replaced.
  if (inUse) await run(`select follow_table(table_name, 86400000) from followed_tables`);
}

/** Each table for itself: whoever writes to several must not wait for one while we hold another. */
const changeTriggers = (table: string): Step => async (db) => {
  await db.transaction().execute(async (trx) => {
    const run = (statement: string) => sql.raw(statement).execute(trx);
    await run(`set local lock_timeout = ${LOCK_MS}`);
    for (const [event, rows] of Object.entries(EVENTS)) {
      await run(`drop trigger if exists record_${table}_${event} on ${table}`);
      await run(`create trigger record_${table}_${event} after ${event} on ${table}
        referencing ${rows} for each statement when (is_followed_${table}())
        execute function record_${table}()`);
    }
  });
};

/** Milliseconds for which a table is waited for, and others wait behind. */
const LOCK_MS = 3000;

const TABLES = [
  "chat_messages",
  "chat_sessions",
  "context_rules",
  "conversations",
  "labels",
  "notifications",
  "widget_configs",
];

const EVENTS = {
  insert: "new table as new_rows",
  update: "old table as old_rows new table as new_rows",
  delete: "old table as old_rows",
};

export const steps: Step[] = TABLES.map(changeTriggers);

function functions(schema: string): string[] {
  const settings = `security definer set search_path = ${schema}, pg_temp`;
  return [
    // The transaction takes an id like one with a change: what is recorded from now on is after it.
    `create function follow_table(name text, keep_ms bigint) returns followed_tables
      language plpgsql ${settings} as $$
      declare followed followed_tables;
      begin
        update followed_tables f set
          until = greatest(f.until, clock_timestamp() + keep_ms * interval '1 millisecond')
          where f.table_name = name returning f.* into followed;
        if followed.since is not null then return followed; end if;
        perform setval('followed_' || name, 2);
        update followed_tables f set since = pg_current_xact_id(), settled = false
          where f.table_name = name returning f.* into followed;
        insert into change_commits as c (xid, count) values (pg_current_xact_id(), 1)
          on conflict (xid) do update set count = c.count + 1;
        return followed;
      end $$`,
    // The row stays locked until this is committed, so nobody begins to follow it meanwhile.
    `create function unfollow_tables() returns setof text language plpgsql ${settings} as $$
      declare name text;
      begin
        for name in update followed_tables f set since = null
          where f.since is not null and f.until < clock_timestamp() returning f.table_name
        loop
          perform setval('followed_' || name, 1);
          return next name;
        end loop;
      end $$`,
  ];
}
