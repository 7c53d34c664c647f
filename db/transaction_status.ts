import { sql } from "kysely";
import type { Db } from "./types.ts";
import { DatabaseUnavailable } from "./database_error.ts";

/**
 * Whether a transaction was committed whose connection broke before the answer came.
 *
 * @param xid what `txid_current()` said in it
 * @throws {DatabaseUnavailable} while it is still at work, or the database is away.
 */
export async function wasCommitted(db: Db, xid: string): Promise<boolean> {
  const { rows: [row] } = await sql<{ status: string | null }>`
    select case when ${xid}::bigint <= txid_snapshot_xmax(txid_current_snapshot())
      then txid_status(${xid}::bigint) end as status`.execute(db);
  if (row!.status === "in progress") {
    throw new DatabaseUnavailable("lock_timeout", new Error(`Transaction ${xid} is in progress`));
  }
  // A number that the server has not reached yet is of another server, which was lost with it.
  return row!.status === "committed";
}
