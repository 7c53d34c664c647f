/** Postgres within this process (PGlite): its folder, its guard, and how its death is noticed. */
import { Kysely, type KyselyConfig, PGliteDialect } from "kysely";
import { PGlite, type QueryOptions } from "@electric-sql/pglite";
import { DatabaseUnavailable, type Trouble, troubleOf } from "./database_error.ts";
import { beginData, checkData, DataDirError, holdDataDir } from "./data_dir.ts";
import { createDiskGuard, type Disk, type DiskGuard } from "./disk_guard.ts";
import type { Listen } from "./listen.ts";
import type { Database } from "./types.ts";

export interface EmbeddedOptions {
  dataDir: string;
  /** What is left free on the disk; 0: it may fill. Default 0. */
  minFreeBytes?: number;
  onTrouble?: ((kind: Trouble) => void) | undefined;
  /** The engine cannot be used any more, for this reason. */
  onDead?: ((reason: string) => void) | undefined;
  log?: KyselyConfig["log"];
}

export interface Embedded {
  db: Kysely<Database>;
  disk: Disk;
  listen: Listen;
  /** Tells this copy of the folder from another one. */
  mark(): Promise<string>;
  close(): Promise<void>;
}

/** bigint as number: positions stay far below 2^53. */
const INT8 = 20;
/** Milliseconds that a dead engine has to close. */
const CLOSE_MS = 1000;

/** @throws {DataDirError} */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, minFreeBytes = 0, log } = options;
  const hold = await holdDataDir(dataDir);
  const path = `${dataDir}/postgres`;
  try {
    const isNew = await checkData(path, minFreeBytes);
    const initialized = isNew ? await beginData(path) : async () => {};
    const pglite = await createEngine(path, isNew);
    await initialized();
    const guard = createDiskGuard({ path, minFreeBytes });
    const engine = watchEngine(pglite, guard, options);
    const db = new Kysely<Database>({
      dialect: new PGliteDialect({ pglite: engine.pglite }),
      ...(log === undefined ? {} : { log }),
    });
    return {
      db,
      disk: guard,
      listen: async (channel, onNotify) => {
        const unlisten = await pglite.listen(channel, onNotify);
        return { stop: () => engine.dead() ? Promise.resolve() : unlisten() };
      },
      // A folder that was restored from a copy has the same contents in new files.
      mark: async () => {
        const { dev, ino } = await Deno.stat(`${path}/global/pg_control`);
        return `${dev}-${ino}`;
      },
      async close() {
        guard.stop();
        const closed = db.destroy();
        if (engine.dead()) {
          await Promise.race([
            closed.catch(() => {}),
            new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, CLOSE_MS))),
          ]);
        } else await closed;
        hold.release();
      },
    };
  } catch (error) {
    hold.release();
    throw error;
  }
}

/** @throws {DataDirError} */
async function createEngine(path: string, isNew: boolean): Promise<PGlite> {
  try {
    return await PGlite.create(path, { parsers: { [INT8]: (value: string) => Number(value) } });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ")[0] : String(error);
    throw new DataDirError(
      isNew
        ? `Cannot make the embedded database in "${path}": ${reason} (is the disk full?)`
        : `Cannot open the embedded database: the files in "${path}" are damaged: ${reason} ` +
          "(restore the folder from a backup, or move it away to begin with an empty one)",
    );
  }
}

/** What the runtime of the engine says when it has ended: nothing after that can be believed. */
function isDeath(error: unknown): error is Error {
  return error instanceof Error &&
    (error instanceof WebAssembly.RuntimeError || /^Aborted\(/.test(error.message));
}

/** Bytes of a statement's parameters, about. */
function sizeOf(parameters: unknown): number {
  let size = 0;
  for (const value of Array.isArray(parameters) ? parameters : []) {
    if (typeof value === "string") size += value.length;
    else if (value instanceof Uint8Array) size += value.byteLength;
  }
  return size;
}

type Query = (text: string, parameters?: unknown[], options?: QueryOptions) => Promise<unknown>;
type Ask = Parameters<PGlite["transaction"]>[0];

/**
 * The engine as Kysely uses it. While the disk is low, the session is read-only, so Postgres itself
 * says what is a change, and no way to it can be forgotten.
 */
function watchEngine(pglite: PGlite, guard: DiskGuard, options: EmbeddedOptions) {
  let dead: string | null = null;
  let readOnly = false;

  function unavailable(kind: Trouble, cause: unknown): DatabaseUnavailable {
    options.onTrouble?.(kind);
    return new DatabaseUnavailable(kind, cause);
  }

  function convert(error: unknown): unknown {
    if (isDeath(error) && dead === null) {
      dead = error.message.split(". ")[0]!;
      options.onDead?.(dead);
    }
    if (dead !== null) return unavailable("connection", new Error(dead));
    const kind = troubleOf(error);
    if (kind === null) return error;
    return unavailable(kind === "read_only" && guard.low ? "disk" : kind, error);
  }

  /** Before what begins a transaction: the engine does one thing after the other, in this order. */
  function admit(bytes: number): void {
    if (dead !== null) throw unavailable("connection", new Error(dead));
    const refuses = guard.refuses(bytes);
    if (refuses === readOnly) return;
    readOnly = refuses;
    pglite.exec(`set default_transaction_read_only = ${readOnly ? "on" : "off"}`)
      .catch((error) => {
        readOnly = !refuses;
        convert(error);
      });
  }

  const within = (query: Query, writes: boolean): Query => async (text, parameters, how) => {
    // It began while there was space.
    if (writes && guard.refuses(sizeOf(parameters))) {
      throw unavailable("disk", new Error("the disk is nearly full"));
    }
    try {
      return await query(text, parameters, how);
    } catch (error) {
      throw convert(error);
    }
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
    close: () => pglite.close(),
    async query(text: string, parameters?: unknown[], how?: QueryOptions) {
      admit(sizeOf(parameters));
      try {
        return await pglite.query(text, parameters, how);
      } catch (error) {
        throw convert(error);
      }
    },
    async transaction(work: Ask) {
      admit(0);
      const writes = !readOnly;
      try {
        return await pglite.transaction((trx) => {
          const query = within(trx.query.bind(trx) as Query, writes);
          return work({ ...trx, query } as typeof trx);
        });
      } catch (error) {
        throw convert(error);
      }
    },
  };
  return {
    pglite: watched as unknown as PGlite,
    dead: () => dead !== null,
  };
}
