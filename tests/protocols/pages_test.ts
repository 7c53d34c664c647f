/** Every protocol's page has a complete session, and a running server answers as it is written. */
import assert from "node:assert/strict";
import { call, login } from "../support/http.ts";
import { startServer } from "../support/server.ts";
import { Replay, writtenSession } from "../support/written_session.ts";

const PAGES = new URL("../../docs/protocols/", import.meta.url);
/** Nobody leaves, and no typing ends, because the machine is slow. */
const PATIENT = { PRESENCE_GRACE_MS: "60000", TYPING_MS: "60000" };
/** What all protocols have in common, without a session of its own. */
const COMMON = "common.md";

for (const { name } of [...Deno.readDirSync(PAGES)].sort((a, b) => a.name.localeCompare(b.name))) {
  if (name === COMMON) continue;
  Deno.test(`the session of docs/protocols/${name} happens as it is written`, async () => {
    const lines = writtenSession(await Deno.readTextFile(new URL(name, PAGES)));
    assert.ok(lines.length >= 10, `${name}: ${lines.length} lines`);
    const server = await startServer("pglite", PATIENT);
    // As docs/protocols/http.md says about the queue.
    const { token } = await login(server);
    const body = { assignOnReply: false };
    await call(server, "PATCH", "/api/queue-settings", { token, body });
    const replay = new Replay(server.url);
    try {
      await replay.run(lines);
      assert.deepEqual(server.errors, []);
    } finally {
      await replay.close();
      await server.close();
    }
  });
}
