/** Queries of the change feed. */
import { sql } from "kysely";
import { FORGOTTEN } from "./change_retention.ts";
import type { Db } from "./types.ts";

/** A row as JSON, by column. */
export type ChangedRow = Record<string, unknown>;

export interface Change {
  /** Grows in the order of commits. */
  id: number;
  table: string;
  event: "INSERT" | "UPDATE" | "DELETE";
  old: ChangedRow | null;
  new: ChangedRow | null;
  /** When it was committed. */
  at: Date;
}

/** Rows that may be wanted: one of these columns has one of its values. Empty: no row. */
export type Hint = readonly { column: string; values: readonly string[] }[];

interface FeedRow {
  id: number;
  table_name: string;
  event: Change["event"];
  old_row: ChangedRow | null;
  new_row: ChangedRow | null;
  committed_at: Date;
}

function toChange(row: FeedRow): Change {
  return {
    id: row.id,
    table: row.table_name,
    event: row.event,
    old: row.old_row,
    new: row.new_row,
    at: row.committed_at,
  };
}

/** The id of the last committed change; 0 before the first one. */
export async function readPosition(db: Db): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(last) as last from change_commits`.execute(db);
  // Where all are forgotten, this is the position of the last one.
  return rows[0]!.last ?? await readForgotten(db);
}

/** The id up to which changes are forgotten. */
export async function readForgotten(db: Db): Promise<number> {
  const row = await db.selectFrom("server_meta").select("value").where("key", "=", FORGOTTEN)
    .executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** The next changes, and the position up to which changes are forgotten, of the same moment. */
export async function readAfter(
  db: Db,
  after: number,
  limit: number,
): Promise<{ changes: Change[]; forgotten: number }> {
  const { rows } = await sql<FeedRow & { forgotten: string }>`
    select coalesce((select value from server_meta where key = ${FORGOTTEN}), '0') as forgotten, r.*
    from (values (1)) as one left join (
      select m.last - m.count + 1 + c.n as id, c.*, m.committed_at
      from (
        select xid, count, last, committed_at from change_commits
        where last > ${after} order by last limit ${limit}
      ) m cross join lateral (
        select n, table_name, event, old_row, new_row from changes
        where xid = m.xid and n > ${after} - (m.last - m.count + 1) order by n limit ${limit}
      ) c
      order by id limit ${limit}
    ) r on true
    order by r.id`.execute(db);
  return {
    changes: rows.filter((row) => row.id !== null).map(toChange),
    forgotten: Number(rows[0]!.forgotten),
  };
}

function matchesOne({ column, values }: Hint[number]) {
  const list = sql.join(values);
  return sql`c.new_row->>${column}::text in (${list}) or c.old_row->>${column}::text in (${list})`;
}

/** Changes of a table with after < id <= upTo, in order, which match all hints. */
export async function readBetween(
  db: Db,
  table: string,
  after: number,
  upTo: number,
  hints: readonly Hint[],
): Promise<Change[]> {
  const matches = hints.map((hint) =>
    hint.length === 0 ? sql`and false` : sql`and (${sql.join(hint.map(matchesOne), sql` or `)})`
  );
  const { rows } = await sql<FeedRow>`
    select m.last - m.count + 1 + c.n as id, c.*, m.committed_at
    from change_commits m join changes c on c.xid = m.xid
    where m.last > ${after} and m.last - m.count < ${upTo}
      and m.last - m.count + 1 + c.n between ${after + 1} and ${upTo}
      and c.table_name = ${table} ${sql.join(matches, sql` `)}
    order by id`.execute(db);
  return rows.map(toChange);
}
