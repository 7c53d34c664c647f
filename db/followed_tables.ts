/**
 * Which tables the change feed records: those that are followed on any node, or were until recently.
 * See db/migrations/031_followed_tables.ts.
 */
import { sql } from "kysely";
import type { Db } from "./types.ts";

/** How often a node renews the tables that it follows, in milliseconds. */
export const RENEW_MS = 30_000;

/** Transactions that wrote to a table before its changes were recorded, by their virtual ids. */
type Writers = string[];

export interface Followed {
  /** Identifies the recording; another one after an interruption. */
  since: string;
  /** Transactions that may still commit changes that were not recorded. */
  writers: Writers;
}

/** @param keepMs for how long it is recorded, unless this is called again */
export async function followTable(db: Db, table: string, keepMs: number): Promise<Followed> {
  const { rows: [followed] } = await sql<{ since: string; complete: boolean }>`
    select since::text, settled as complete from follow_table(${table}, ${keepMs}::bigint)`.execute(
    db,
  );
  const { since, complete } = followed!;
  const writers = complete ? [] : await readWriters(db, table);
  if (!complete && writers.length === 0) await markComplete(db, table, since);
  return { since, writers };
}

/** The `writers` that have not ended. */
export async function stillWriting(
  db: Db,
  table: string,
  { since, writers }: Followed,
): Promise<Writers> {
  const now = new Set(await readWriters(db, table));
  const left = writers.filter((writer) => now.has(writer));
  if (left.length === 0) await markComplete(db, table, since);
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

/** From now on every change is recorded: no earlier transaction is open. */
async function markComplete(db: Db, table: string, since: string): Promise<void> {
  await sql`update followed_tables set settled = true
    where table_name = ${table} and since = ${since}::xid8`.execute(db);
}

/** The position from which a table's changes are recorded; null: they are not. */
export async function recordedSince(db: Db, table: string): Promise<number | null> {
  const { rows: [row] } = await sql<{ recorded: boolean; last: number | null }>`
    select f.since is not null as recorded, (
      select c.last from change_commits c where c.xid = f.since
    ) as last from followed_tables f where f.table_name = ${table}`.execute(db);
  // Where its commit is forgotten, everything before it is, too.
  return row?.recorded === true ? row.last ?? 0 : null;
}

/**
 * Ends the recording of tables that nobody follows any more, and removes their recorded changes, some
 * rows at a time.
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
