/**
 * Vacuum and analyze for the embedded database, which has no autovacuum. They block the engine, one
 * table at a time, so they run when nobody writes, and otherwise only when a table is overdue.
 */
import { sql } from "kysely";
import type { Db } from "./types.ts";

export interface Housekeeping {
  /** Resolves when the current table is done. */
  stop(): Promise<void>;
}

export interface HousekeepingOptions {
  db: Db;
  /** Whether nobody writes now. */
  isQuiet: () => boolean;
  onError: (error: unknown) => void;
  /** Milliseconds between two checks. */
  everyMs?: number;
}

const EVERY_MS = 10_000;

/** Dead rows, or rows changed since the last analyze, that a table may have: a number plus a share. */
const LIMIT = { rows: 100, share: 0.1 };
/** While somebody writes: the multiple of the limit that is allowed, and the largest table to vacuum. */
const BUSY = { times: 5, pages: 2000 };
/** The multiple at which any table is vacuumed, because reading it takes longer and longer. */
const BLOATED = 50;

/** What a table needs. */
export interface MaintenanceTask {
  table: string;
  work: "vacuum" | "analyze";
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { db, isQuiet, onError, everyMs = EVERY_MS } = options;
  let stopped = false;
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    while (!stopped) {
      const task = await nextTask(db, isQuiet());
      if (task === null || stopped) return;
      await runTask(db, task);
    }
  }

  const timer = setInterval(() => {
    working ??= work().catch(onError).finally(() => working = null);
  }, everyMs);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await working;
    },
  };
}

/** The table that needs it most; analyze only when nobody writes. */
export async function nextTask(db: Db, isQuiet = true): Promise<MaintenanceTask | null> {
  // A backend reports its counts only now and then.
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows: [most] } = await sql<MaintenanceTask>`
    select n.name as table, n.work from pg_stat_user_tables s join lateral (
        select greatest(reltuples, 0) as rows, relpages from pg_class where oid = s.relid
      ) c on true cross join lateral (values
        (s.relname, 'vacuum', s.n_dead_tup / (${LIMIT.rows} + ${LIMIT.share} * c.rows)),
        (s.relname, 'analyze', s.n_mod_since_analyze / (${LIMIT.rows} + ${LIMIT.share} * c.rows))
      ) n(name, work, over)
    where case when ${isQuiet} then n.over > 1
      else n.work = 'vacuum' and (n.over > ${BLOATED}
        or n.over > ${BUSY.times} and c.relpages < ${BUSY.pages}) end
    order by n.over desc limit 1`.execute(db);
  return most ?? null;
}

export async function runTask(db: Db, { table, work }: MaintenanceTask): Promise<void> {
  await sql`${sql.raw(work)} ${sql.table(table)}`.execute(db);
}
