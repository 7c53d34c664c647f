/**
 * Which tables the change feed records: those that somebody follows, on any node, or has followed
 * until a moment ago. See db/migrations/031_followed_tables.ts.
 */
import { sql } from "kysely";
import type { Db } from "./database.ts";

/** Milliseconds between two times that a node says that it still follows a table. */
export const RENEW_MS = 30_000;

/** Transactions that wrote to a table before its changes were recorded, by their virtual ids. */
type Writers = string[];

export interface Followed {
  /** Another one when the recording was interrupted. */
  since: string;
  /** Who may still commit changes that were not recorded. */
  writers: Writers;
}

/** @param keepMs for how long it is recorded, unless somebody says so again */
export async function followTable(db: Db, table: string, keepMs: number): Promise<Followed> {
  const { rows: [followed] } = await sql<{ since: string; settled: boolean }>`
    select since::text, settled from follow_table(${table}, ${keepMs}::bigint)`.execute(db);
  const { since, settled } = followed!;
  const writers = settled ? [] : await readWriters(db, table);
  if (!settled && writers.length === 0) await settle(db, table, since);
  return { since, writers };
}

/** Those of `writers` that are still at work. */
export async function stillWriting(
  db: Db,
  table: string,
  { since, writers }: Followed,
): Promise<Writers> {
  const now = new Set(await readWriters(db, table));
  const left = writers.filter((writer) => now.has(writer));
  if (left.length === 0) await settle(db, table, since);
  return left;
}

async function readWriters(db: Db, table: string): Promise<Writers> {
  const { rows } = await sql<{ id: string }>`
    select virtualtransaction as id from pg_locks
    where locktype = 'relation' and relation = ${table}::regclass and mode = 'RowExclusiveLock'
      and database = (select oid from pg_database where datname = current_database())
      and pid is distinct from pg_backend_pid()`.execute(db);
  return rows.map(({ id }) => id);
}

async function settle(db: Db, table: string, since: string): Promise<void> {
  await sql`update followed_tables set settled = true
    where table_name = ${table} and since = ${since}::xid8`.execute(db);
}

/** The position from which on a table's changes are recorded; null: they are not. */
export async function recordedSince(db: Db, table: string): Promise<number | null> {
  const { rows: [row] } = await sql<{ recorded: boolean; last: number | null }>`
    select f.since is not null as recorded, (
      select c.last from change_commits c where c.xid = f.since
    ) as last from followed_tables f where f.table_name = ${table}`.execute(db);
  // Where that is forgotten, so is everything before it.
  return row?.recorded === true ? row.last ?? 0 : null;
}

/**
 * Ends the recording of what nobody follows any more. What was recorded of it is told to nobody, so
 * it is removed, some rows at a time.
 */
export async function unfollowTables(db: Db, limit = 5000): Promise<void> {
  await sql`select unfollow_tables()`.execute(db);
  for (;;) {
    const { rows } = await sql<{ count: number }>`
      with gone as (
        delete from changes where (xid, n) in (
          select c.xid, c.n from changes c join followed_tables f on f.table_name = c.table_name
          where f.since is null limit ${limit}
        ) returning 1
      ) select count(*)::int as count from gone`.execute(db);
    if (rows[0]!.count < limit) return;
  }
}
