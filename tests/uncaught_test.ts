import assert from "node:assert/strict";
import { spawnProcess } from "./support/process.ts";

/** What some corner might do one day. */
const CORNER = `
  import { configureLogging } from "./process/logging.ts";
  import { logUncaughtErrors } from "./process/uncaught_errors.ts";
  await configureLogging("info");
  logUncaughtErrors();
  Promise.reject(new Error("nobody waited for this"));
  setTimeout(() => { throw new Error("nobody caught this"); }, 10);
  setTimeout(() => console.log("still here"), 200);
`;

Deno.test("an error that nobody caught is logged, and the process goes on", async () => {
  const corner = spawnProcess({}, [Deno.execPath(), "eval", "--no-check", CORNER]);
  await corner.until(/still here/);
  assert.equal((await corner.ended).code, 0);
  const said = corner.output.join("") + corner.logs.join("");
  for (const words of ["nobody waited for this", "nobody caught this"]) {
    assert.match(said, new RegExp(`"level":"ERROR".*Unexpected error.*${words}.*"uncaught":true`));
  }
});
