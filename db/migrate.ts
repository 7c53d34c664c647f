import { type Kysely, sql } from "kysely";
import type { Step } from "./steps.ts";
import type { Database } from "./types.ts";
import * as m001 from "./migrations/001_conversations.ts";
import * as m002 from "./migrations/002_store_functions.ts";
import * as m003 from "./migrations/003_contexts.ts";
import * as m004 from "./migrations/004_change_feed.ts";
import * as m005 from "./migrations/005_receipts.ts";
import * as m006 from "./migrations/006_notifications.ts";
import * as m007 from "./migrations/007_api.ts";
import * as m008 from "./migrations/008_collaboration.ts";
import * as m009 from "./migrations/009_analytics.ts";
import * as m010 from "./migrations/010_search.ts";
import * as m011 from "./migrations/011_labels.ts";
import * as m012 from "./migrations/012_analytics_facts.ts";
import * as m013 from "./migrations/013_store_edits.ts";
import * as m014 from "./migrations/014_unread_sums.ts";
import * as m015 from "./migrations/015_store_edits.ts";
import * as m018 from "./migrations/018_broker_log.ts";
import * as m019 from "./migrations/019_sign_ins.ts";
import * as m020 from "./migrations/020_audit_log.ts";
import * as m022 from "./migrations/022_absent_assignees.ts";
import * as m025 from "./migrations/025_widget_owner.ts";
import * as m026 from "./migrations/026_workspace_chat.ts";
import * as m030 from "./migrations/030_write_batch.ts";
import * as m031 from "./migrations/031_followed_tables.ts";
import * as m032 from "./migrations/032_search_queue.ts";
import * as m033 from "./migrations/033_search_bound.ts";
import * as m034 from "./migrations/034_search_probe.ts";
import * as m040 from "./migrations/040_files.ts";
import * as m050 from "./migrations/050_scheduled_jobs.ts";
import * as m051 from "./migrations/051_unread_marks.ts";
import * as m052 from "./migrations/052_priorities.ts";
import * as m060 from "./migrations/060_drafts.ts";
import * as m061 from "./migrations/061_canned_replies.ts";
import * as m062 from "./migrations/062_agent_preferences.ts";
import * as m063 from "./migrations/063_scheduled_messages.ts";
import * as m070 from "./migrations/070_notification_groups.ts";
import * as m080 from "./migrations/080_teams.ts";
import * as m081 from "./migrations/081_views.ts";
import * as m090 from "./migrations/090_formatted_messages.ts";
import * as m091 from "./migrations/091_replies.ts";
import * as m092 from "./migrations/092_reactions.ts";
import * as m100 from "./migrations/100_contact_details.ts";
import * as m110 from "./migrations/110_search_inside_words.ts";
import * as m101 from "./migrations/101_contact_groups.ts";

/** A change of the schema, in the transaction that records it. */
export type Change = (db: Kysely<unknown>) => Promise<void>;

export interface Migration {
  name: string;
  /** For what takes less than a second at a million rows. */
  up?: Change;
  /** For what takes longer, after `up`: `buildIndex`, `inBatches`. */
  steps?: Step[];
  /**
   * The newest migration that a node has to know to run on the schema after this one, for additions
   * that do not affect older nodes. Without it, older nodes refuse to start.
   */
  runsWith?: string;
}

/** In order. Released names are never changed or removed. */
export const MIGRATIONS: Migration[] = [
  { name: "001_conversations", up: m001.up },
  { name: "002_store_functions", up: m002.up },
  { name: "003_contexts", up: m003.up },
  { name: "004_change_feed", up: m004.up },
  { name: "005_receipts", up: m005.up },
  { name: "006_notifications", up: m006.up },
  { name: "007_api", up: m007.up },
  { name: "008_collaboration", up: m008.up },
  { name: "009_analytics", up: m009.up },
  { name: "010_search", up: m010.up },
  { name: "011_labels", up: m011.up },
  { name: "012_analytics_facts", up: m012.up },
  { name: "013_store_edits", up: m013.up },
  { name: "014_unread_sums", up: m014.up },
  { name: "015_store_edits", up: m015.up, runsWith: "014_unread_sums" },
  { name: "018_broker_log", up: m018.up, runsWith: "014_unread_sums" },
  { name: "019_sign_ins", up: m019.up, runsWith: "014_unread_sums" },
  { name: "020_audit_log", up: m020.up, runsWith: "014_unread_sums" },
  { name: "022_absent_assignees", up: m022.up, runsWith: "014_unread_sums" },
  { name: "025_widget_owner", up: m025.up, runsWith: "014_unread_sums" },
  { name: "026_workspace_chat", up: m026.up, runsWith: "014_unread_sums" },
  { name: "030_write_batch", up: m030.up, runsWith: "014_unread_sums" },
  { name: "031_followed_tables", up: m031.up, steps: m031.steps, runsWith: "014_unread_sums" },
  { name: "032_search_queue", up: m032.up, steps: m032.steps, runsWith: "014_unread_sums" },
  { name: "033_search_bound", up: m033.up, runsWith: "014_unread_sums" },
  { name: "034_search_probe", up: m034.up, runsWith: "014_unread_sums" },
  { name: "040_files", up: m040.up, runsWith: "014_unread_sums" },
  { name: "050_scheduled_jobs", up: m050.up, runsWith: "014_unread_sums" },
  { name: "051_unread_marks", up: m051.up, runsWith: "014_unread_sums" },
  { name: "052_priorities", up: m052.up, steps: m052.steps, runsWith: "014_unread_sums" },
  { name: "060_drafts", up: m060.up, runsWith: "014_unread_sums" },
  { name: "061_canned_replies", up: m061.up, runsWith: "014_unread_sums" },
  { name: "062_agent_preferences", up: m062.up, runsWith: "014_unread_sums" },
  { name: "063_scheduled_messages", up: m063.up, runsWith: "014_unread_sums" },
  { name: "070_notification_groups", steps: m070.steps, runsWith: "014_unread_sums" },
  { name: "080_teams", up: m080.up, steps: m080.steps, runsWith: "014_unread_sums" },
  { name: "081_views", up: m081.up, steps: m081.steps, runsWith: "014_unread_sums" },
  { name: "090_formatted_messages", up: m090.up, runsWith: "014_unread_sums" },
  { name: "091_replies", up: m091.up, runsWith: "014_unread_sums" },
  { name: "092_reactions", up: m092.up, runsWith: "014_unread_sums" },
  { name: "100_contact_details", up: m100.up, runsWith: "014_unread_sums" },
  { name: "110_search_inside_words", up: m110.up, steps: m110.steps, runsWith: "014_unread_sums" },
  { name: "101_contact_groups", up: m101.up, steps: m101.steps, runsWith: "014_unread_sums" },
];

/** Key of the advisory lock of the process that migrates ("parl" in ASCII). */
const LOCK_KEY = 0x7061726c;

/** Waits for the lock that a start takes to change what all starts read. */
export async function lockStart(trx: Kysely<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(trx);
}

/** A newer version has migrated the schema, and this one cannot use it. The message is a sentence. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

/** The schema is older than this version, and this process may not migrate it. */
export class SchemaBehindError extends Error {
  override name = "SchemaBehindError";
}

/** @throws {SchemaBehindError} {@linkcode SchemaError} */
export async function checkMigrated(db: Kysely<Database>): Promise<void> {
  const pending = await pendingMigrations(db);
  if (pending.length === 0) return;
  throw new SchemaBehindError(
    `its schema lacks "${pending[0]}"${
      pending.length === 1 ? "" : ` and ${pending.length - 1} more`
    }` +
      ' (run "deno task migrate"; MIGRATE_ON_START is false)',
  );
}

export interface MigrateOptions {
  migrations?: Migration[];
  /** Called with each migration after it was run. */
  onDone?: (name: string) => void;
  /** Makes the name of this process. */
  randomId?: () => string;
}

/** Milliseconds of a lease: a node that runs steps has to renew it. */
const LEASE_MS = 30_000;
const POLL_MS = 500;
/** Milliseconds for which a change waits for a table. */
const LOCK_MS = 3000;

/**
 * Brings the schema up to date, forward only: consecutive changes in one transaction, steps outside
 * of it. Of several processes that start at once, one migrates and the others wait.
 *
 * @returns the names of the migrations that this process ran.
 * @throws {SchemaError} when a newer version of Parley migrated it, in a way that this one cannot
 * work with.
 */
export async function migrate(
  db: Kysely<Database>,
  options: MigrateOptions = {},
): Promise<string[]> {
  const { migrations = MIGRATIONS, onDone = () => {} } = options;
  const ran: string[] = [];
  for (;;) {
    // Without a lock or a write: most starts have nothing to do, and some have no rights.
    if ((await pendingMigrations(db, migrations)).length === 0) return ran;
    const batch = await db.transaction().execute(async (trx) => {
      await sql`set local statement_timeout = 0`.execute(trx);
      await sql`set local lock_timeout = 0`.execute(trx);
      await lockStart(trx);
      // A change that waits for a table blocks all others, so it is tried again instead.
      await sql`set local lock_timeout = ${sql.lit(LOCK_MS)}`.execute(trx);
      await lockWritten(trx);
      await createRecords(trx);
      return await runChanges(trx, migrations);
    });
    for (const name of batch.done) {
      ran.push(name);
      onDone(name);
    }
    if (batch.next === null) return ran;
    if (await runSteps(db, batch.next, options)) {
      ran.push(batch.next.name);
      onDone(batch.next.name);
    }
  }
}

/** In the order in which nodes lock them when they store messages. */
const WRITTEN = ["conversations", "chat_messages", "conversation_events"];

/** Locks these tables first, because changes lock in another order and could deadlock with nodes. */
async function lockWritten(trx: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from unnest(${WRITTEN}::text[])
    with ordinality as t(name, n) where to_regclass(name) is not null order by n`.execute(trx);
  for (const { name } of rows) await sql`lock table ${sql.table(name)}`.execute(trx);
}

/** Migrations that were not run, in order. @throws {SchemaError} as `migrate`. */
export async function pendingMigrations(
  db: Kysely<Database>,
  migrations: Migration[] = MIGRATIONS,
): Promise<string[]> {
  const { rows } = await sql<{ there: boolean; compatible: boolean }>`
    select to_regclass('schema_migrations') is not null as there, exists (
      select from information_schema.columns
      where table_schema = current_schema() and table_name = 'schema_migrations'
        and column_name = 'runs_with') as compatible`.execute(db);
  const { there, compatible } = rows[0]!;
  const done = !there ? [] : await readRecords(db, compatible);
  return pendingAfter(done, migrations).map(({ name }) => name);
}

interface Recorded {
  name: string;
  runs_with: string | null;
}

async function createRecords(trx: Kysely<Database>): Promise<void> {
  await sql`create table if not exists schema_migrations (
    name text primary key,
    run_at timestamptz not null default now()
  )`.execute(trx);
  await sql`alter table schema_migrations add column if not exists runs_with text`.execute(trx);
}

async function readRecords(db: Kysely<Database>, compatible = true): Promise<Recorded[]> {
  const column = compatible ? sql`runs_with` : sql`null as runs_with`;
  return (await sql<Recorded>`select name, ${column} from schema_migrations`.execute(db)).rows;
}

/** @throws {SchemaError} */
function pendingAfter(done: Recorded[], migrations: Migration[]): Migration[] {
  const known = new Set(migrations.map(({ name }) => name));
  for (const { name, runs_with } of done) {
    if (known.has(name) || (runs_with !== null && known.has(runs_with))) continue;
    throw new SchemaError(
      `Cannot use the database: its schema has "${name}" of a newer Parley, with which this ` +
        "version does not work (start that version, or restore a backup from before)",
    );
  }
  const names = new Set(done.map(({ name }) => name));
  return migrations.filter(({ name }) => !names.has(name));
}

/** Runs what is pending up to the first migration with steps, whose change it also runs. */
async function runChanges(
  trx: Kysely<Database>,
  migrations: Migration[],
): Promise<{ done: string[]; next: Migration | null }> {
  const done: string[] = [];
  for (const migration of pendingAfter(await readRecords(trx), migrations)) {
    if (migration.steps !== undefined) {
      await createProgress(trx);
      const { rows } = await sql`select 1 from schema_progress where name = ${migration.name}`
        .execute(trx);
      if (rows.length === 0) {
        await migration.up?.(trx as unknown as Kysely<unknown>);
        await sql`insert into schema_progress (name) values (${migration.name})`.execute(trx);
      }
      return { done, next: migration };
    }
    await migration.up?.(trx as unknown as Kysely<unknown>);
    await record(trx, migration);
    done.push(migration.name);
  }
  return { done, next: null };
}

async function record(db: Kysely<Database>, { name, runsWith }: Migration): Promise<void> {
  await sql`insert into schema_migrations (name, runs_with) values (${name}, ${runsWith ?? null})`
    .execute(db);
}

/** The table with the progress of a migration with steps, and the lease of who runs it. */
async function createProgress(trx: Kysely<Database>): Promise<void> {
  await sql`create table if not exists schema_progress (
    name text primary key,
    step integer not null default 0,
    holder text,
    held_until timestamptz
  )`.execute(trx);
}

/** @returns false when another process did it. */
async function runSteps(
  db: Kysely<Database>,
  migration: Migration,
  { randomId = () => crypto.randomUUID() }: MigrateOptions,
): Promise<boolean> {
  const { name, steps = [] } = migration;
  const holder = randomId();
  // A lease and not a lock: a lock belongs to a connection, which a pooler shares, and a transaction
  // that waits for a lock would keep an index from being built.
  const takeLease = async () => {
    const { rows } = await sql<{ step: number }>`update schema_progress set holder = ${holder},
        held_until = clock_timestamp() + ${sql.lit(LEASE_MS)} * interval '1 millisecond'
      where name = ${name} and (holder is null or holder = ${holder}
        or held_until < clock_timestamp())
      returning step`.execute(db);
    return rows[0]?.step;
  };
  let at: number | undefined;
  while ((at = await takeLease()) === undefined) {
    const { rows } = await sql`select 1 from schema_migrations where name = ${name}`.execute(db);
    if (rows.length > 0) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const timer = setInterval(() => void takeLease().catch(() => {}), LEASE_MS / 3);
  try {
    for (; at < steps.length; at++) {
      while (await steps[at]!(db as unknown as Kysely<unknown>) === false);
      await sql`update schema_progress set step = ${at + 1} where name = ${name}`.execute(db);
    }
    await db.transaction().execute(async (trx) => {
      await lockStart(trx);
      const { rows } = await sql`select 1 from schema_migrations where name = ${name}`.execute(trx);
      if (rows.length === 0) await record(trx, migration);
      await sql`delete from schema_progress where name = ${name}`.execute(trx);
    });
    return true;
  } catch (error) {
    await sql`update schema_progress set holder = null where name = ${name}
      and holder = ${holder}`.execute(db).catch(() => {});
    throw error;
  } finally {
    clearInterval(timer);
  }
}
