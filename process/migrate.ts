/** What `deno task migrate` does. */
import { openDatabase } from "../db/database.ts";
import type { Settings } from "../settings.ts";
import { openEmbedded, retryUntilAvailable } from "./database_wait.ts";
import { StartError } from "./start_error.ts";

/**
 * Brings the schema up to date and no more.
 *
 * @returns how many migrations were run.
 * @throws {StartError} with a sentence, also when the database stays away for longer than that.
 */
export async function migrate(
  { url, directUrl, dataDir }: Settings["database"],
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
      url: directUrl ?? url,
      dataDir,
      pool: 2,
      onMigrated(name) {
        ran++;
        onMigrated(name);
      },
    });
    await database.close();
  }
  if (url === undefined) await openEmbedded(dataDir, attempt);
  else {
    let last = "";
    await retryUntilAvailable(url, attempt, {
      onWait,
      onMissing: (sentence) => last = sentence,
      onAvailable: () => {},
      signal: AbortSignal.timeout(patienceMs),
    }).catch((error) => {
      if (error?.name !== "TimeoutError") throw error;
      throw new StartError(`Cannot migrate: ${last}`);
    });
  }
  return ran;
}
