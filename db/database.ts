import { Kysely, type LogEvent, PostgresDialect, sql } from "kysely";
import { ALWAYS_UP, type Availability, watchAvailability } from "./availability.ts";
import { DatabaseUnavailable, type Trouble } from "./database_error.ts";
import { createServerPool, type PoolState, probeServer, type Timeouts } from "./server_pool.ts";
import type { Database, Db } from "./types.ts";
import type { Disk } from "./disk_guard.ts";
import { openEmbedded as openEngine } from "./embedded.ts";
import { type Listen, listenOnServer } from "./listen.ts";
import { forgetChanges } from "./change_retention.ts";
import { checkMigrated, lockStart, migrate } from "./migrate.ts";
import { uuidv7 } from "./uuid.ts";

export type { Db };

export interface OpenDatabase {
  db: Db;
  /**
   * The same for work that may take minutes, such as migrations, analytics and retention. It has its
   * own connections and timeouts, so that such work and requests do not delay each other.
   */
  jobs: Db;
  engine: "postgres" | "pglite";
  /**
   * Changes when the history of this database does not continue what clients have seen: a new
   * database, or a restored one. Clients with another epoch get a snapshot.
   */
  epoch: string;
  /** A pool of its own with so many connections; the caller destroys it. */
  apart(connections: number): Db;
  /** Whether the database can be reached now. */
  availability: Availability;
  /** The disk of the embedded database; null: a Postgres server. */
  disk: Disk | null;
  /** The state of the pool; null: the embedded database, which has none. */
  pool(): PoolState | null;
  /** Calls back after each NOTIFY of a channel. */
  listen: Listen;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Postgres connection string; undefined: the embedded database below dataDir. */
  url: string | undefined;
  /** The same server without a pooler between, which would swallow NOTIFY; default `url`. */
  directUrl?: string | undefined;
  dataDir: string;
  pool: number;
  /** Milliseconds; default: only connecting has a limit. */
  timeouts?: DatabaseTimeouts;
  /** Free disk space below which the embedded database takes no changes; default 0: no bound. */
  minFreeBytes?: number;
  /** Called when the embedded engine has ended, with the reason. */
  onDead?: (reason: string) => void;
  /** Called when a statement failed because of the database. */
  onTrouble?: (kind: Trouble) => void;
  /** Whether to migrate; otherwise the schema has to be up to date. Default true. */
  migrate?: boolean;
  /** Called with each migration that was run. */
  onMigrated?: (name: string) => void;
  /** Called after every query with its time in milliseconds. */
  onQuery?: (ms: number) => void;
}

/** Timeouts of requests; `job` is the statement timeout of `OpenDatabase.jobs`. */
export type DatabaseTimeouts = Timeouts & { job: number };

const PATIENT: DatabaseTimeouts = {
  statement: 0,
  lock: 0,
  idleTransaction: 0,
  connect: 10_000,
  query: 0,
  keepAlive: 10_000,
  job: 0,
};

/** Connections for long work: one does most of it, while another may wait for its lock. */
const JOBS = 2;

/**
 * Opens the database, migrates it, and returns it with its epoch.
 *
 * @throws {SchemaBehindError} when it is not migrated and may not be.
 * @throws {SchemaError} when a newer version migrated it.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  const engine = options.url === undefined
    ? await openEmbedded(options)
    : openServer(options.url, options);
  try {
    if (options.migrate === false) await checkMigrated(engine.jobs);
    else await migrate(engine.jobs, { onDone: options.onMigrated });
    const { mark, arm, ...rest } = engine;
    const epoch = await readEpoch(engine.jobs, await mark());
    arm();
    return { ...rest, epoch };
  } catch (error) {
    await engine.close();
    // At the start, the error of the database itself is more useful.
    throw error instanceof DatabaseUnavailable && error.cause instanceof Error
      ? error.cause
      : error;
  }
}

type Engine = Omit<OpenDatabase, "epoch"> & {
  /** Identifies this copy of the database, in addition to its control data. */
  mark: () => Promise<string>;
  /** From now on outages are detected and logged. */
  arm: () => void;
};

/** Kysely's log of queries, if it is used. */
function timed({ onQuery }: DatabaseOptions) {
  return onQuery && { log: (event: LogEvent) => onQuery(event.queryDurationMillis) };
}

async function openEmbedded(options: DatabaseOptions): Promise<Engine> {
  const { db, disk, listen, mark, close } = await openEngine({ ...options, ...timed(options) });
  return {
    db,
    jobs: db,
    engine: "pglite",
    apart: () => db,
    availability: ALWAYS_UP,
    disk,
    pool: () => null,
    arm: () => {},
    listen,
    mark,
    close,
  };
}

function openServer(url: string, options: DatabaseOptions): Engine {
  const timeouts = options.timeouts ?? PATIENT;
  const watch = watchAvailability(() => probeServer(url, timeouts));
  const common = { url, watch, onTrouble: options.onTrouble };
  const pool = createServerPool({ ...common, max: options.pool, timeouts });
  const long = { ...timeouts, statement: timeouts.job, lock: 0, query: 0 };
  const jobPool = createServerPool({ ...common, max: JOBS, timeouts: long });
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    ...timed(options),
  });
  const jobs = new Kysely<Database>({ dialect: new PostgresDialect({ pool: jobPool }) });
  // A job waits long for an answer, which may have been lost in the outage.
  watch.subscribe(({ state, reason }) => {
    if (state === "up") jobPool.cut(new DatabaseUnavailable("connection", reason));
  });
  return {
    db,
    jobs,
    engine: "postgres",
    apart(connections) {
      const own = createServerPool({ ...common, max: connections, timeouts });
      return new Kysely<Database>({ dialect: new PostgresDialect({ pool: own }) });
    },
    availability: watch,
    disk: null,
    pool: () => pool.state(),
    arm: () => watch.arm(),
    listen: listenOnServer(options.directUrl ?? url, { timeouts, availability: watch }),
    mark: () => Promise.resolve(""),
    async close() {
      watch.stop();
      await db.destroy();
      await jobs.destroy();
    },
  };
}

/**
 * The epoch belongs to one database on one server. A dump that is restored elsewhere has the old row,
 * but another location, so a new epoch begins.
 */
async function readEpoch(db: Db, mark: string): Promise<string> {
  const here = `${await readLocation(db)}:${mark}`;
  async function readCurrent(from: Db): Promise<string | null> {
    const rows = await from.selectFrom("server_meta").selectAll()
      .where("key", "in", ["epoch", "epoch_place"]).execute();
    const meta = new Map(rows.map((row) => [row.key, row.value]));
    return meta.get("epoch_place") === here ? meta.get("epoch") ?? null : null;
  }
  const known = await readCurrent(db);
  if (known !== null) return known;
  return await db.transaction().execute(async (trx) => {
    // Of several processes that start at once, one decides.
    await lockStart(trx);
    const epoch = await readCurrent(trx);
    if (epoch !== null) return epoch;
    const fresh = uuidv7().slice(-12);
    await forgetChanges(trx);
    await trx.insertInto("server_meta")
      .values([{ key: "epoch", value: fresh }, { key: "epoch_place", value: here }])
      .onConflict((oc) =>
        oc.column("key").doUpdateSet((eb) => ({ value: eb.ref("excluded.value") }))
      ).execute();
    return fresh;
  });
}

async function readLocation(db: Db): Promise<string> {
  const oid = await sql<{ oid: string }>`
    select oid::text from pg_database where datname = current_database()`.execute(db);
  const base = oid.rows[0]!.oid;
  try {
    const control = await sql<{ id: string; timeline: string }>`
      select (select system_identifier from pg_control_system())::text as id,
        (select timeline_id from pg_control_checkpoint())::text as timeline`.execute(db);
    const { id, timeline } = control.rows[0]!;
    return `${id}:${timeline}:${base}`;
  } catch {
    // A hosted server may not let an ordinary role read its control data.
    return base;
  }
}
