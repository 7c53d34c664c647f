/**
 * `deno task migrate`: brings the schema up to date and ends, so that a release can be prepared
 * while the previous one still serves. Prints what it ran; the exit code is 1 on failure.
 */
import { migrate } from "../process/migrate.ts";
import { exitWithError } from "../process/startup.ts";
import { readSettings } from "../settings.ts";

/** Milliseconds to wait for a database that is not reachable. */
const PATIENCE_MS = 30_000;

try {
  const { database } = readSettings(Deno.env.toObject());
  const ran = await migrate(database, {
    onWait: (sentence) => console.error(`Still ${sentence}`),
    onMigrated: (name) => console.log(`Ran ${name}`),
    patienceMs: PATIENCE_MS,
  });
  if (ran === 0) console.log("The schema is up to date: nothing to do");
  // Ends at once, even if the pool of the database still holds connections.
  Deno.exit(0);
} catch (error) {
  exitWithError(error);
}
