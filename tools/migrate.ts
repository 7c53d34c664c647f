/**
 * `deno task migrate`: brings the schema up to date and ends, so that a release can be prepared while
 * the one before still serves. Prints what it ran; the exit code is 1 when it could not.
 */
import { migrate } from "../process/migrate.ts";
import { exitWithError } from "../process/startup.ts";
import { readSettings } from "../settings.ts";

/** How long it waits for a database that is away. */
const PATIENCE_MS = 30_000;

try {
  const { database } = readSettings(Deno.env.toObject());
  const ran = await migrate(database, {
    onWait: (sentence) => console.error(`Still ${sentence}`),
    onMigrated: (name) => console.log(`Ran ${name}`),
    patienceMs: PATIENCE_MS,
  });
  if (ran === 0) console.log("The schema is up to date: nothing to do");
  // What the pool of a database still holds keeps nobody waiting.
  Deno.exit(0);
} catch (error) {
  exitWithError(error);
}
