/** Postgres within this process (PGlite): its folder, its disk guard, and the detection of its end. */
import { Kysely, type KyselyConfig, PGliteDialect } from "kysely";
import { PGlite, type QueryOptions } from "@electric-sql/pglite";
import { DatabaseUnavailable, type Trouble, troubleOf } from "./database_error.ts";
import { beginData, checkData, DataDirError, holdDataDir } from "./data_dir.ts";
import { createDiskGuard, type Disk, type DiskGuard } from "./disk_guard.ts";
import { createDeathWatch, type DeathWatch, firstSentence } from "./engine_death.ts";
import type { Listen } from "./listen.ts";
import type { Database } from "./types.ts";

export interface EmbeddedOptions {
  dataDir: string;
  /** Below which changes are refused; 0: no bound. Default 0. */
  minFreeBytes?: number;
  onTrouble?: ((kind: Trouble) => void) | undefined;
  /** Called when the engine has ended, with the reason. */
  onDead?: ((reason: string) => void) | undefined;
  log?: KyselyConfig["log"];
}

export interface Embedded {
  db: Kysely<Database>;
  disk: Disk;
  listen: Listen;
  /** Identifies this copy of the folder. */
  mark(): Promise<string>;
  close(): Promise<void>;
}

/** bigint as number: positions stay far below 2^53. */
const INT8 = 20;

/** @throws {DataDirError} */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, minFreeBytes = 0, log } = options;
  const hold = await holdDataDir(dataDir);
  const path = `${dataDir}/postgres`;
  try {
    const isNew = await checkData(path, minFreeBytes);
    const initialized = isNew ? await beginData(path) : async () => {};
    const watch = createDeathWatch();
    const pglite = await createEngine(path, isNew, watch);
    await initialized();
    const guard = createDiskGuard({ path, minFreeBytes });
    const engine = watchEngine(pglite, guard, watch, options);
    const db = new Kysely<Database>({
      dialect: new PGliteDialect({ pglite: engine.pglite }),
      ...(log === undefined ? {} : { log }),
    });
    return {
      db,
      disk: guard,
      listen: async (channel, onNotify) => {
        const unlisten = await pglite.listen(channel, onNotify);
        return { stop: () => watch.death() === null ? unlisten() : Promise.resolve() };
      },
      // A restored copy has the same contents, but new files.
      mark: async () => {
        const { dev, ino } = await Deno.stat(`${path}/global/pg_control`);
        return `${dev}-${ino}`;
      },
      async close() {
        guard.stop();
        await db.destroy();
        hold.release();
      },
    };
  } catch (error) {
    hold.release();
    throw error;
  }
}

/** @throws {DataDirError} */
async function createEngine(path: string, isNew: boolean, watch: DeathWatch): Promise<PGlite> {
  try {
    return await PGlite.create(path, {
      parsers: { [INT8]: (value: string) => Number(value) },
      extensions: { watch: watch.extension },
    });
  } catch (error) {
    const reason = watch.lastWords() ?? reasonOf(error);
    throw new DataDirError(cannotOpen(path, isNew, reason), { cause: error });
  }
}

/** Errors of the engine's file system, which have a number of WASI and no message. */
const ERRNO: Record<number, string> = {
  2: "Permission denied",
  51: "No space left on device",
  69: "Read-only file system",
};

function reasonOf(error: unknown): string {
  if (error instanceof Error) return firstSentence(error);
  const { errno } = (error ?? {}) as { errno?: number };
  return errno === undefined ? String(error) : ERRNO[errno] ?? `file system error ${errno}`;
}

/** A sentence that says what to do. */
function cannotOpen(path: string, isNew: boolean, reason: string): string {
  const what = `Cannot ${isNew ? "make" : "open"} the embedded database`;
  if (/no space left/i.test(reason)) {
    return `${what}: the disk of "${path}" is full: ${reason} (make space, or move DATA_DIR to ` +
      "another disk)";
  }
  if (/read-only file system|permission denied|create lock file/i.test(reason)) {
    return `${what}: "${path}" cannot be written: ${reason} (give this user the right to, or name ` +
      "another folder)";
  }
  return isNew
    ? `${what} in "${path}": ${reason} (is the disk full?)`
    : `${what}: the files in "${path}" are damaged: ${reason} (restore the folder from a backup, ` +
      "or move it away to begin with an empty one)";
}

/** Approximate bytes of a statement's parameters. */
function sizeOf(parameters: unknown): number {
  let size = 0;
  for (const value of Array.isArray(parameters) ? parameters : []) {
    if (typeof value === "string") size += value.length;
    else if (value instanceof Uint8Array) size += value.byteLength;
  }
  return size;
}

type Query = (text: string, parameters?: unknown[], options?: QueryOptions) => Promise<unknown>;
type Work = Parameters<PGlite["transaction"]>[0];

/**
 * The engine as Kysely uses it. While disk space is low, transactions are read-only, so that Postgres
 * itself refuses every change.
 */
function watchEngine(
  pglite: PGlite,
  guard: DiskGuard,
  watch: DeathWatch,
  options: EmbeddedOptions,
) {
  let reported = false;
  let readOnly = false;

  function unavailable(kind: Trouble, cause: unknown): DatabaseUnavailable {
    options.onTrouble?.(kind);
    return new DatabaseUnavailable(kind, cause);
  }

  /** The error of an engine that has ended; null while it runs. */
  function refusal(): DatabaseUnavailable | null {
    const reason = watch.death();
    if (reason === null) return null;
    if (!reported) options.onDead?.(reason);
    reported = true;
    return unavailable("connection", new Error(reason));
  }

  function convert(error: unknown): unknown {
    const refused = refusal();
    if (refused !== null) return refused;
    const kind = troubleOf(error);
    if (kind === null) return error;
    return unavailable(kind === "read_only" && guard.low ? "disk" : kind, error);
  }

  /** Called before each transaction: the engine runs statements in the order of the calls. */
  function admit(bytes: number): void {
    const refused = refusal();
    if (refused !== null) throw refused;
    const refuses = guard.refuses(bytes);
    if (refuses === readOnly) return;
    readOnly = refuses;
    pglite.exec(`set default_transaction_read_only = ${readOnly ? "on" : "off"}`)
      .catch((error) => {
        readOnly = !refuses;
        convert(error);
      });
  }

  /** Checks successful results, too, because an engine that has ended returns empty ones. */
  async function checked<T>(run: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await run();
    } catch (error) {
      throw convert(error);
    }
    const refused = refusal();
    if (refused !== null) throw refused;
    return result;
  }

  const within = (query: Query, writes: boolean): Query => async (text, parameters, how) => {
    // The transaction began while there was space.
    if (writes && guard.refuses(sizeOf(parameters))) {
      throw unavailable("disk", new Error("the disk is nearly full"));
    }
    return await checked(() => query(text, parameters, how));
  };

  const watched = {
    get closed() {
      return pglite.closed;
    },
    get ready() {
      return pglite.ready;
    },
    get waitReady() {
      return pglite.waitReady;
    },
    // Closing writes a clean shutdown to disk, which must not happen after a crash.
    close: () => watch.death() === null ? pglite.close() : Promise.resolve(),
    async query(text: string, parameters?: unknown[], how?: QueryOptions) {
      admit(sizeOf(parameters));
      return await checked(() => pglite.query(text, parameters, how));
    },
    async transaction(work: Work) {
      admit(0);
      const writes = !readOnly;
      return await checked(() =>
        pglite.transaction((trx) => {
          const query = within(trx.query.bind(trx) as Query, writes);
          return work({ ...trx, query } as typeof trx);
        })
      );
    },
  };
  return { pglite: watched as unknown as PGlite };
}
