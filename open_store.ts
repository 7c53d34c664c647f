/** The database of a node, migrated and with what a first start puts into it. */
import { type OpenDatabase, openDatabase } from "./db/database.ts";
import { databaseAddress, databaseFailure } from "./db/failure.ts";
import { SchemaBehindError, SchemaError } from "./db/migrate.ts";
import { countUsers, createFirstAdmin } from "./domain/agents/users.ts";
import type { Passwords } from "./domain/agents/passwords.ts";
import { createMetrics, type Metrics } from "./domain/metrics.ts";
import { ensureFirstWidget } from "./domain/visitors/widgets.ts";
import { ParleyError } from "./protocol/errors.ts";
import { type Settings, SettingsError } from "./settings.ts";

export interface Store {
  database: OpenDatabase;
  metrics: Metrics;
  /** There is no user yet. */
  needsSetup: boolean;
}

export interface StoreOptions {
  onError: (error: unknown) => void;
  /** Told of each migration that was run. */
  onMigrated?: (name: string) => void;
  /** Hashes the first admin's password; default as for a few. */
  passwords?: Passwords | undefined;
  /** The embedded engine has ended, for this reason. */
  onDead?: (reason: string) => void;
}

/** Opens and migrates the database, and makes the first admin and the first widget. */
export async function openStore(
  settings: Settings,
  { onError, onMigrated, passwords, onDead }: StoreOptions,
): Promise<Store> {
  const metrics = createMetrics();
  const database = await openDatabase({
    url: settings.DATABASE_URL,
    directUrl: settings.DATABASE_DIRECT_URL,
    dataDir: settings.DATA_DIR,
    pool: settings.DATABASE_POOL,
    minFreeBytes: settings.MIN_FREE_DISK_BYTES,
    onDead: onDead ??
      ((reason) => onError(new Error(`The embedded database has ended: ${reason}`))),
    timeouts: {
      statement: settings.DATABASE_STATEMENT_TIMEOUT_MS,
      lock: settings.DATABASE_LOCK_TIMEOUT_MS,
      idleTransaction: settings.DATABASE_IDLE_TRANSACTION_TIMEOUT_MS,
      connect: settings.DATABASE_CONNECT_TIMEOUT_MS,
      query: settings.DATABASE_QUERY_TIMEOUT_MS,
      keepAlive: settings.DATABASE_KEEPALIVE_MS,
      job: settings.DATABASE_JOB_TIMEOUT_MS,
    },
    onTrouble: (kind) => metrics.databaseTrouble.inc({ kind }),
    migrate: settings.MIGRATE_ON_START,
    onMigrated,
    onQuery: (ms) => metrics.query.observe(ms / 1000),
  });
  try {
    const { db } = database;
    let users = await countUsers(db);
    if (settings.ADMIN_EMAIL !== undefined && users === 0) {
      await createFirstAdmin(db, {
        name: settings.ADMIN_EMAIL.split("@")[0]!,
        email: settings.ADMIN_EMAIL.toLowerCase(),
        password: settings.ADMIN_PASSWORD!,
      }, passwords).catch(unlessSetUp);
      users = 1;
    }
    await ensureFirstWidget(db);
    return { database, metrics, needsSetup: users === 0 };
  } catch (error) {
    await database.close().catch(onError);
    throw error;
  }
}

/** Another node, which started at the same moment, made the first admin. */
function unlessSetUp(error: unknown): void {
  if (error instanceof ParleyError && error.code === "invalid") {
    const reason = error.fields?.[0]?.message ?? error.message;
    throw new SettingsError(`Cannot start: setting ADMIN_PASSWORD is (secret): it ${reason}`);
  }
  if ((error as { code?: string }).code !== "already_set_up") throw error;
}

/** The start failed for a reason that the operator can mend; its message is one line. */
export class StartError extends Error {
  override name = "StartError";
}

/** Milliseconds before it is tried again, doubled up to the second. */
const RETRY_MS = [100, 1000] as const;

export interface Waiting {
  /** Told once, before the first wait, with what the operator may read. */
  onWait(sentence: string): void;
  /** Told of each failure, with what anybody may read. */
  onMissing(sentence: string): void;
  /** Told once, when it is there after waiting for so many milliseconds. */
  onThere(ms: number, where: string): void;
  signal: AbortSignal;
}

/** Two sentences on the same failure: for the operator, and without host and user for anybody. */
interface Missing {
  log: string;
  shown: string;
}

/** What waiting can mend. @throws {StartError} what it cannot. */
function missingOf(error: unknown, where: string): Missing {
  const database = `the database at "${where}" (setting DATABASE_URL)`;
  if (error instanceof SchemaBehindError) {
    return {
      log: `waiting for ${database}: ${error.message}`,
      shown: `The database is not up to date: ${error.message}`,
    };
  }
  if (error instanceof SchemaError) throw new StartError(error.message);
  const { heals, reason, words } = databaseFailure(error);
  if (!heals) throw new StartError(`Cannot open ${database}: ${reason}`);
  return {
    log: `waiting for ${database}: ${reason}`,
    shown: `The database does not answer (setting DATABASE_URL): ${words}`,
  };
}

/** Tries until it succeeds, as long as waiting can help. */
async function whenThere<T>(
  url: string,
  attempt: () => Promise<T>,
  { onWait, onMissing, onThere, signal }: Waiting,
): Promise<T> {
  const where = databaseAddress(url);
  const began = performance.now();
  let waited = false;
  for (let wait: number = RETRY_MS[0];; wait = Math.min(2 * wait, RETRY_MS[1])) {
    let missing: Missing;
    try {
      const result = await attempt();
      if (waited) onThere(performance.now() - began, where);
      return result;
    } catch (error) {
      missing = missingOf(error, where);
    }
    onMissing(missing.shown);
    if (!waited) onWait(missing.log);
    waited = true;
    await pause(wait * (0.75 + Math.random() / 2), signal);
  }
}

/**
 * The same as `openStore`, tried until it succeeds, as long as waiting can help.
 *
 * @throws {StartError} when it cannot, with a sentence that names the setting.
 * @throws the signal's reason when that says to stop.
 */
export async function openStoreWhenThere(
  settings: Settings,
  options: StoreOptions,
  waiting: Waiting,
): Promise<Store> {
  const url = settings.DATABASE_URL;
  return url === undefined
    ? await asEmbedded(settings, () => openStore(settings, options))
    : await whenThere(url, () => openStore(settings, options), waiting);
}

/**
 * Brings the schema up to date and no more.
 *
 * @returns how many migrations were run.
 * @throws {StartError} with a sentence, also when the database stays away for longer than that.
 */
export async function migrateWhenThere(
  settings: Settings,
  { onWait, onMigrated, patienceMs }: {
    onWait: (sentence: string) => void;
    onMigrated: (name: string) => void;
    patienceMs: number;
  },
): Promise<number> {
  let ran = 0;
  async function attempt(): Promise<void> {
    const database = await openDatabase({
      // A pooler may lend another connection for each statement, which long ones do not bear.
      url: settings.DATABASE_DIRECT_URL ?? settings.DATABASE_URL,
      dataDir: settings.DATA_DIR,
      pool: 2,
      onMigrated(name) {
        ran++;
        onMigrated(name);
      },
    });
    await database.close();
  }
  const url = settings.DATABASE_URL;
  if (url === undefined) await asEmbedded(settings, attempt);
  else {
    let last = "";
    await whenThere(url, attempt, {
      onWait,
      onMissing: (sentence) => last = sentence,
      onThere: () => {},
      signal: AbortSignal.timeout(patienceMs),
    }).catch((error) => {
      if (error?.name !== "TimeoutError") throw error;
      throw new StartError(`Cannot migrate: ${last}`);
    });
  }
  return ran;
}

/** Nobody else can come to its files: what is amiss now stays so. @throws {StartError} */
async function asEmbedded<T>({ DATA_DIR }: Settings, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof SchemaError) throw new StartError(error.message);
    if (!(error instanceof SchemaBehindError)) throw error;
    throw new StartError(`Cannot open the embedded database in "${DATA_DIR}": ${error.message}`);
  }
}

/** @throws the signal's reason when that comes first. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
