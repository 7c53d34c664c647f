/** The database of a node, migrated and with what a first start puts into it. */
import { DataDirError } from "./db/data_dir.ts";
import { type OpenDatabase, openDatabase } from "./db/database.ts";
import { databaseAddress, type DatabaseFailure, databaseFailure } from "./db/failure.ts";
import { countUsers, createFirstAdmin } from "./domain/agents/users.ts";
import { createMetrics, type Metrics } from "./domain/metrics.ts";
import { ensureFirstWidget } from "./domain/visitors/widgets.ts";
import type { Settings } from "./settings.ts";

export interface Store {
  database: OpenDatabase;
  metrics: Metrics;
  /** There is no user yet. */
  needsSetup: boolean;
}

export interface StoreOptions {
  onError: (error: unknown) => void;
}

/** Opens and migrates the database, and makes the first admin and the first widget. */
export async function openStore(settings: Settings, { onError }: StoreOptions): Promise<Store> {
  const metrics = createMetrics();
  const database = await openDatabase({
    url: settings.DATABASE_URL,
    directUrl: settings.DATABASE_DIRECT_URL,
    dataDir: settings.DATA_DIR,
    pool: settings.DATABASE_POOL,
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
      }).catch(unlessSetUp);
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
  if ((error as { code?: string }).code !== "already_set_up") throw error;
}

/** The start failed for a reason that the operator can mend; its message is one line. */
export class StartError extends Error {
  override name = "StartError";
}

/** Milliseconds before it is tried again, doubled up to the second. */
const RETRY_MS = [100, 1000] as const;

export interface Waiting {
  /** Told once, before the first wait. */
  onWait(failure: DatabaseFailure, where: string): void;
  /** Told of each failure: what anybody may read. */
  onMissing(sentence: string): void;
  /** Told once, when it is there after waiting for so many milliseconds. */
  onThere(ms: number, where: string): void;
  signal: AbortSignal;
}

/**
 * The same, tried until it succeeds, as long as waiting can help.
 *
 * @throws {StartError} when it cannot, with a sentence that names the setting.
 * @throws the signal's reason when that says to stop.
 */
export async function openStoreWhenThere(
  settings: Settings,
  options: StoreOptions,
  { onWait, onMissing, onThere, signal }: Waiting,
): Promise<Store> {
  const url = settings.DATABASE_URL;
  if (url === undefined) return await openStore(settings, options);
  const where = databaseAddress(url);
  const began = performance.now();
  let waited = false;
  for (let wait: number = RETRY_MS[0];; wait = Math.min(2 * wait, RETRY_MS[1])) {
    try {
      const store = await openStore(settings, options);
      if (waited) onThere(performance.now() - began, where);
      return store;
    } catch (error) {
      if (error instanceof DataDirError) throw error;
      const failure = databaseFailure(error);
      if (!failure.heals) {
        throw new StartError(
          `Cannot open the database at "${where}" (setting DATABASE_URL): ${failure.reason}`,
        );
      }
      onMissing(`The database does not answer (setting DATABASE_URL): ${failure.words}`);
      if (!waited) onWait(failure, where);
      waited = true;
    }
    await pause(wait * (0.75 + Math.random() / 2), signal);
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
