import { sql } from "kysely";
import type { Db } from "./types.ts";
import { DatabaseUnavailable } from "./database_error.ts";

/**
 * Whether a transaction was committed whose connection broke before the answer.
 *
 * @param xid of `txid_current()` in it
 * @throws {DatabaseUnavailable} while it is running, or the database is away.
 */
export async function wasCommitted(db: Db, xid: string): Promise<boolean> {
  const { rows: [row] } = await sql<{ status: string | null }>`
    select case when ${xid}::bigint <= txid_snapshot_xmax(txid_current_snapshot())
      then txid_status(${xid}::bigint) end as status`.execute(db);
  if (row!.status === "in progress") {
    throw new DatabaseUnavailable("lock_timeout", new Error(`Transaction ${xid} is in progress`));
  }
  // An id that the server has not reached yet is of a server that was lost, with its transaction.
  return row!.status === "committed";
}
