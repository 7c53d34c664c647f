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

/** Work on a schema; each of these is done in the transaction that records it. */
export type Change = (db: Kysely<unknown>) => Promise<void>;

export interface Migration {
  name: string;
  /** All of it at once: for what takes less than a second at a million rows. */
  up?: Change;
  /** For what takes longer, after `up`: `buildIndex`, `inBatches`. */
  steps?: Step[];
  /**
   * The newest migration that a node has to know to run on the schema after this one, for additions
   * that such a node does not notice. Without it, an older node refuses to start.
   */
  runsWith?: string;
}

/** In order; a name that was released is never changed or removed. */
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
];

/** Key of the advisory lock that lets one process migrate at a time ("parl" in ASCII). */
const LOCK_KEY = 0x7061726c;

/** Waits until this transaction alone may change what every start looks at. */
export async function lockStart(trx: Kysely<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(trx);
}

/** The schema fits no version that this is; its message is a sentence. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

/** The schema lacks what this version needs, and this process may not add it. */
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
  /** Told of each migration that was run, when it is done. */
  onDone?: (name: string) => void;
  /** Makes the name under which this process works. */
  randomId?: () => string;
}

/** Milliseconds for which a node that runs steps is believed to be alive without saying so. */
const LEASE_MS = 30_000;
const LOOK_MS = 500;
/** Milliseconds for which a change waits for a table. */
const LOCK_MS = 3000;

/**
 * Brings the schema up to date, forward only: changes that follow each other in one transaction,
 * steps on their own. Of several processes that do so at once one works, and the others wait.
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
    // Without a lock and without a write: most starts find nothing to do, and some may do nothing.
    if ((await pendingMigrations(db, migrations)).length === 0) return ran;
    const batch = await db.transaction().execute(async (trx) => {
      await sql`set local statement_timeout = 0`.execute(trx);
      await sql`set local lock_timeout = 0`.execute(trx);
      await lockStart(trx);
      // A change that waits for a table keeps everybody else from it: rather try again.
      await sql`set local lock_timeout = ${sql.lit(LOCK_MS)}`.execute(trx);
      await lockWritten(trx);
      await makeRecords(trx);
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

/** In the order in which a node that stores messages takes them. */
const WRITTEN = ["conversations", "chat_messages", "conversation_events"];

/** Changes of several tables take them in an order of their own, and nodes would wait for us as we for them. */
async function lockWritten(trx: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from unnest(${WRITTEN}::text[])
    with ordinality as t(name, n) where to_regclass(name) is not null order by n`.execute(trx);
  for (const { name } of rows) await sql`lock table ${sql.table(name)}`.execute(trx);
}

/** What the schema lacks of these migrations, in order. @throws {SchemaError} as `migrate`. */
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

async function makeRecords(trx: Kysely<Database>): Promise<void> {
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
      await makeProgress(trx);
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

/** How far a migration with steps is, and who is at it. */
async function makeProgress(trx: Kysely<Database>): Promise<void> {
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
  // A lock would be held by a session, which a pooler in between lends to others; and whoever waits
  // for one in a transaction would keep an index from being built.
  const hold = async () => {
    const { rows } = await sql<{ step: number }>`update schema_progress set holder = ${holder},
        held_until = clock_timestamp() + ${sql.lit(LEASE_MS)} * interval '1 millisecond'
      where name = ${name} and (holder is null or holder = ${holder}
        or held_until < clock_timestamp())
      returning step`.execute(db);
    return rows[0]?.step;
  };
  let at: number | undefined;
  while ((at = await hold()) === undefined) {
    const { rows } = await sql`select 1 from schema_migrations where name = ${name}`.execute(db);
    if (rows.length > 0) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const timer = setInterval(() => void hold().catch(() => {}), LEASE_MS / 3);
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
