/** Statements on scheduled jobs. Times are compared with the database's clock, one for all nodes. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ScheduledJobRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";

export interface JobDraft {
  kind: string;
  /** At most one job of a kind has a key: another one with the same key replaces it. */
  key?: string;
  /** JSON. Ids rather than texts: the text may be edited or erased before the job runs. */
  payload?: Record<string, unknown>;
  at: Date;
}

/**
 * Stores a job, also within the caller's transaction. A job with the same key is replaced, even while
 * it runs: it ends, and the new one runs at its own time.
 *
 * @returns the job's id
 */
export async function insertJob(
  db: Db,
  { kind, key, payload = {}, at }: JobDraft,
): Promise<string> {
  const id = uuidv7();
  await sql`insert into scheduled_jobs (id, kind, key, payload, run_at)
    values (${id}, ${kind}, ${key ?? null}, ${JSON.stringify(payload)}::jsonb, ${at})
    on conflict (kind, key) where key is not null do update set id = excluded.id,
      payload = excluded.payload, run_at = excluded.run_at, attempts = 0, last_error = null,
      failed_at = null, created_at = now()`.execute(db);
  return id;
}

/** @returns false: there is no such job, or it is done. One that runs is not interrupted. */
export async function cancelJob(db: Db, kind: string, key: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("scheduled_jobs")
    .where("kind", "=", kind).where("key", "=", key).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Takes due jobs, the oldest first; nobody else gets them for `leaseMs`. */
export async function claimJobs(
  db: Db,
  kinds: readonly string[],
  limit: number,
  leaseMs: number,
): Promise<ScheduledJobRow[]> {
  const { rows } = await sql<ScheduledJobRow>`
    update scheduled_jobs j set attempts = j.attempts + 1,
      run_at = now() + make_interval(secs => ${leaseMs / 1000})
    from (
      select id, run_at as due_at from scheduled_jobs
      where failed_at is null and run_at <= now() and kind = any(${kinds}::text[])
      order by run_at limit ${limit} for update skip locked
    ) due where j.id = due.id returning j.*`.execute(db);
  return rows;
}

/** Milliseconds until the next job is due, negative if it is overdue; null: there is none. */
export async function untilNextJob(db: Db, kinds: readonly string[]): Promise<number | null> {
  const { rows: [next] } = await sql<{ ms: number }>`
    select (extract(epoch from run_at - now()) * 1000)::float8 as ms from scheduled_jobs
    where failed_at is null and kind = any(${kinds}::text[])
    order by run_at limit 1`.execute(db);
  return next?.ms ?? null;
}

/** A run of a job; another run of the same job, after its lease ended, has another number. */
export type Run = Pick<ScheduledJobRow, "id" | "attempts">;

export async function removeJob(db: Db, { id, attempts }: Run): Promise<void> {
  await db.deleteFrom("scheduled_jobs").where("id", "=", id).where("attempts", "=", attempts)
    .execute();
}

export async function retryJob(
  db: Db,
  { id, attempts }: Run,
  error: string,
  delayMs: number,
): Promise<void> {
  await sql`update scheduled_jobs set last_error = ${error},
      run_at = now() + make_interval(secs => ${delayMs / 1000})
    where id = ${id} and attempts = ${attempts}`.execute(db);
}

/** The job is not tried again. */
export async function failJob(db: Db, { id, attempts }: Run, error: string): Promise<void> {
  await sql`update scheduled_jobs set last_error = ${error}, failed_at = now()
    where id = ${id} and attempts = ${attempts}`.execute(db);
}

/** Extends the leases of jobs that are still running. */
export async function extendLeases(db: Db, runs: readonly Run[], leaseMs: number): Promise<void> {
  await sql`update scheduled_jobs j set run_at = now() + make_interval(secs => ${leaseMs / 1000})
    from unnest(${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ attempts }) => attempts)}::int[])
      as r(id, attempts) where j.id = r.id and j.attempts = r.attempts`.execute(db);
}

export async function forgetFailedJobs(db: Db, keepMs: number): Promise<void> {
  await sql`delete from scheduled_jobs
    where failed_at < now() - make_interval(secs => ${keepMs / 1000})`.execute(db);
}
