import { sql } from "kysely";
import type { Db } from "../../db/database.ts";

/**
 * Reads many rows at once: sums of a hundred thousand groups stay in memory instead of being sorted
 * on disk, and no query is compiled, which takes longer than it runs.
 */
export async function withMemory<T>(db: Db, read: (trx: Db) => Promise<T>): Promise<T> {
  return await db.transaction().execute(async (trx) => {
    await sql`select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`
      .execute(trx);
    return await read(trx);
  });
}
