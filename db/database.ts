import { Kysely, type LogEvent, PGliteDialect, PostgresDialect, sql } from "kysely";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { Database } from "./types.ts";
import { holdDataDir } from "./data_dir.ts";
import { type Listen, listenOnServer } from "./listen.ts";
import { forgetChanges } from "./change_retention.ts";
import { lockStart, migrate } from "./migrate.ts";
import { uuidv7 } from "./uuid.ts";

export type Db = Kysely<Database>;

export interface OpenDatabase {
  db: Db;
  engine: "postgres" | "pglite";
  /**
   * Changes when the history of this database is not the continuation of what clients saw: a new
   * database, or one restored elsewhere. Clients that come with another epoch get a snapshot.
   */
  epoch: string;
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
  /** Told about errors of idle connections, which the pool replaces by itself. */
  onError?: (error: Error) => void;
  /** Called after every query with its time in milliseconds. */
  onQuery?: (ms: number) => void;
}

/** bigint as number: positions stay far below 2^53. */
const INT8 = 20;

/** Opens the database, migrates it, and returns it with its epoch. */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  const engine = options.url === undefined
    ? await openEmbedded(options)
    : openServer(options.url, options);
  try {
    await migrate(engine.db);
    const { mark, ...rest } = engine;
    return { ...rest, epoch: await readEpoch(engine.db, await mark()) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

type Engine = Omit<OpenDatabase, "epoch"> & {
  /** What else tells this copy of the database from another one. */
  mark: () => Promise<string>;
};

/** What Kysely tells of each query, as far as somebody wants to know. */
function timed({ onQuery }: DatabaseOptions) {
  return onQuery && { log: (event: LogEvent) => onQuery(event.queryDurationMillis) };
}

async function openEmbedded(options: DatabaseOptions): Promise<Engine> {
  const { dataDir } = options;
  const hold = await holdDataDir(dataDir);
  try {
    const pglite = await PGlite.create(`${dataDir}/postgres`, {
      parsers: { [INT8]: (value: string) => Number(value) },
    });
    const db = new Kysely<Database>({
      dialect: new PGliteDialect({ pglite }),
      ...timed(options),
    });
    return {
      db,
      engine: "pglite",
      listen: async (channel, onNotify) => {
        const unlisten = await pglite.listen(channel, onNotify);
        return { stop: () => unlisten() };
      },
      // A folder that was restored from a copy has the same contents in new files.
      mark: async () => {
        const { dev, ino } = await Deno.stat(`${dataDir}/postgres/global/pg_control`);
        return `${dev}-${ino}`;
      },
      async close() {
        await db.destroy();
        hold.release();
      },
    };
  } catch (error) {
    hold.release();
    throw error;
  }
}

function openServer(url: string, options: DatabaseOptions): Engine {
  const { onError } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.pool,
    connectionTimeoutMillis: 10_000,
    types: {
      getTypeParser: ((oid: number, format?: "text" | "binary") =>
        oid === INT8
          ? (value: string) =>
            Number(value)
          : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // Without a listener, a connection that the server ends while idle ends the process.
  pool.on("error", (error: Error) => onError?.(error));
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    ...timed(options),
  });
  return {
    db,
    engine: "postgres",
    listen: listenOnServer(options.directUrl ?? url, onError),
    mark: () => Promise.resolve(""),
    close: () => db.destroy(),
  };
}

/**
 * The epoch belongs to one database on one server: a dump restored into another database carries
 * the old row along, and the recorded place no longer fits, so a new epoch begins.
 */
async function readEpoch(db: Db, mark: string): Promise<string> {
  const here = `${await readPlace(db)}:${mark}`;
  return await db.transaction().execute(async (trx) => {
    // Of several processes that start at once one decides.
    await lockStart(trx);
    const rows = await trx.selectFrom("server_meta").selectAll()
      .where("key", "in", ["epoch", "epoch_place"]).forUpdate().execute();
    const meta = new Map(rows.map((row) => [row.key, row.value]));
    const epoch = meta.get("epoch");
    if (epoch !== undefined && meta.get("epoch_place") === here) return epoch;
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

async function readPlace(db: Db): Promise<string> {
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
