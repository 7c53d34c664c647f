/** The database of a node, migrated, with what a first start puts into it. */
import { type OpenDatabase, openDatabase } from "../db/database.ts";
import { countUsers, createFirstAdmin } from "../domain/agents/users.ts";
import type { Passwords } from "../domain/agents/passwords.ts";
import { createMetrics, type Metrics } from "../domain/metrics.ts";
import { ensureFirstWidget } from "../domain/visitors/widgets.ts";
import { ParleyError } from "../protocol/errors.ts";
import { type Settings, SettingsError } from "../settings.ts";
import { openEmbedded, retryUntilAvailable, type WaitOptions } from "./database_wait.ts";

export interface Store {
  database: OpenDatabase;
  metrics: Metrics;
  /** There is no user yet. */
  needsSetup: boolean;
}

export interface StoreOptions {
  onError: (error: unknown) => void;
  /** Called for each migration that was run. */
  onMigrated?: (name: string) => void;
  /** Hashes the first admin's password. */
  passwords?: Passwords | undefined;
  /** The embedded engine has ended, for this reason. */
  onDead?: (reason: string) => void;
}

/** Opens and migrates the database, and makes the first admin and the first widget. */
export async function openStore(
  { database: settings, signIn }: Settings,
  { onError, onMigrated, passwords, onDead }: StoreOptions,
): Promise<Store> {
  const metrics = createMetrics();
  const database = await openDatabase({
    url: settings.url,
    directUrl: settings.directUrl,
    dataDir: settings.dataDir,
    pool: settings.pool,
    minFreeBytes: settings.minFreeDiskBytes,
    onDead: onDead ??
      ((reason) => onError(new Error(`The embedded database has ended: ${reason}`))),
    timeouts: {
      statement: settings.statementTimeoutMs,
      lock: settings.lockTimeoutMs,
      idleTransaction: settings.idleTransactionTimeoutMs,
      connect: settings.connectTimeoutMs,
      query: settings.queryTimeoutMs,
      keepAlive: settings.keepAliveMs,
      job: settings.jobTimeoutMs,
    },
    onTrouble: (kind) => metrics.databaseTrouble.inc({ kind }),
    migrate: settings.migrateOnStart,
    onMigrated,
    onQuery: (ms) => metrics.query.observe(ms / 1000),
  });
  try {
    const { db } = database;
    let users = await countUsers(db);
    if (signIn.adminEmail !== undefined && users === 0) {
      await createFirstAdmin(db, {
        name: signIn.adminEmail.split("@")[0]!,
        email: signIn.adminEmail.toLowerCase(),
        password: signIn.adminPassword!,
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

/** Ignores that another node, which started at the same moment, made the first admin. */
function unlessSetUp(error: unknown): void {
  if (error instanceof ParleyError && error.code === "invalid") {
    const reason = error.fields?.[0]?.message ?? error.message;
    throw new SettingsError(`Cannot start: setting ADMIN_PASSWORD is (secret): it ${reason}`);
  }
  if ((error as { code?: string }).code !== "already_set_up") throw error;
}

/**
 * The same as `openStore`, tried until it succeeds, as long as waiting can help.
 *
 * @throws {StartError} when it cannot, with a sentence that names the setting.
 * @throws the reason of the signal, when that is aborted first.
 */
export async function openStoreWithRetry(
  settings: Settings,
  options: StoreOptions,
  waiting: WaitOptions,
): Promise<Store> {
  const { url, dataDir } = settings.database;
  return url === undefined
    ? await openEmbedded(dataDir, () => openStore(settings, options))
    : await retryUntilAvailable(url, () => openStore(settings, options), waiting);
}
