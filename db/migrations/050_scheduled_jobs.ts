import { type Kysely, sql } from "kysely";

/**
 * Work for later. `run_at` is also the lease of a job that runs: it is moved on when the job is
 * claimed, so the job of a node that died is due again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table scheduled_jobs (
      id uuid primary key,
      kind text not null,
      key text,
      payload jsonb not null default '{}',
      run_at timestamptz not null,
      attempts integer not null default 0,
      last_error text,
      created_at timestamptz not null default now(),
      failed_at timestamptz
    )`,
    sql`create unique index scheduled_jobs_key on scheduled_jobs (kind, key)
      where key is not null`,
    sql`create index scheduled_jobs_due on scheduled_jobs (run_at) where failed_at is null`,
    sql`create index scheduled_jobs_failed on scheduled_jobs (failed_at)
      where failed_at is not null`,
  ];
  for (const statement of statements) await statement.execute(db);
}
