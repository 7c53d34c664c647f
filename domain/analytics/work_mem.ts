import { sql } from "kysely";
import type { Db } from "../../db/database.ts";

/**
 * Runs a query over many rows: sums of a hundred thousand groups stay in memory instead of being
 * sorted on disk, and the query is not JIT-compiled, which would take longer than running it.
 */
export async function withWorkMem<T>(db: Db, read: (trx: Db) => Promise<T>): Promise<T> {
  return await db.transaction().execute(async (trx) => {
    await sql`select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`
      .execute(trx);
    return await read(trx);
  });
}
