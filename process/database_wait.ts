/** Waits for a database that is away, as long as waiting can help. */
import { databaseAddress, databaseFailure } from "../db/failure.ts";
import { SchemaBehindError, SchemaError } from "../db/migrate.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds before it is tried again, doubled up to the second. */
const RETRY_MS = [100, 1000] as const;

export interface WaitOptions {
  /** Called once, before the first wait, with a sentence for the operator. */
  onWait(sentence: string): void;
  /** Called for each failure, with a sentence that anybody may read. */
  onMissing(sentence: string): void;
  /** Called once, when the database answers after a wait of so many milliseconds. */
  onAvailable(ms: number, where: string): void;
  signal: AbortSignal;
}

/** Two sentences about one failure: for the operator, and for anybody, without host and user. */
interface Missing {
  log: string;
  shown: string;
}

/** The failure, where waiting can help. @throws {StartError} where it cannot. */
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

/**
 * Tries until it succeeds, as long as waiting can help.
 *
 * @throws {StartError} when it cannot.
 * @throws the reason of the signal, when that is aborted first.
 */
export async function retryUntilAvailable<T>(
  url: string,
  attempt: () => Promise<T>,
  { onWait, onMissing, onAvailable, signal }: WaitOptions,
): Promise<T> {
  const where = databaseAddress(url);
  const began = performance.now();
  let waited = false;
  for (let wait: number = RETRY_MS[0];; wait = Math.min(2 * wait, RETRY_MS[1])) {
    let missing: Missing;
    try {
      const result = await attempt();
      if (waited) onAvailable(performance.now() - began, where);
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

/** The embedded database: nothing else changes its files, so waiting does not help. @throws {StartError} */
export async function openEmbedded<T>(dataDir: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof SchemaError) throw new StartError(error.message);
    if (!(error instanceof SchemaBehindError)) throw error;
    throw new StartError(`Cannot open the embedded database in "${dataDir}": ${error.message}`);
  }
}

/** @throws the reason of the signal, when that is aborted first. */
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
