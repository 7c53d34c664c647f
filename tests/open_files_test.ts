/** Strangers that take every descriptor, and say nothing. */
import assert from "node:assert/strict";
import { eventually } from "./faults/health.ts";
import { login, openSession, widgetKey } from "./support/http.ts";
import { freePort, startParallel } from "./support/parallel.ts";
import { spawnProcess } from "./support/process.ts";
import { ADMIN, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeTempDir } from "./support/temp_dir.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

const LIMIT = 256;

Deno.test({
  name: "without a free descriptor sockets go on, and new ones are accepted again",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dataDir = await makeDataDir();
    const port = freePort();
    const server = spawnProcess(
      {
        DATA_DIR: dataDir,
        PORT: `${port}`,
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
      },
      ["bash", "-c", `ulimit -n ${LIMIT}; exec "${Deno.execPath()}" run -A --no-check main.ts`],
    );
    const silent: Deno.Conn[] = [];
    const at = { url: `http://127.0.0.1:${port}` };
    try {
      await server.until(/ready at/);
      const { token } = await login(at);
      const visitor = await openSession(at as never, await widgetKey(at, token));
      const socket = await connect(at as never, { sessionId: visitor.sessionId });
      const conversation = await socket.ack("message", { content: "Hello", clientMessageId: "1" });
      for (let i = 0; i < LIMIT; i++) {
        const opened = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
        if (opened !== null) silent.push(opened);
      }
      await server.until(/New connections are not accepted for now: .*Too many open files/);
      const { conversationId } = conversation["message"] as { conversationId: string };
      await socket.ack("message", { conversationId, content: "Here", clientMessageId: "2" });

      for (const connection of silent.splice(0)) connection.close();
      const status = await eventually(
        () =>
          fetch(`${at.url}/ready`).then(async (r) => (await r.body?.cancel(), r.status), () => 0),
        (status) => status === 200,
        15_000,
      );
      assert.equal(status, 200);
      await server.until(/New connections are accepted again/);
      await socket.ack("message", { conversationId, content: "Still", clientMessageId: "3" });
      await socket.close();
      assert.equal(server.output.join("").split("\n").filter((line) => line !== "").length, 1);
    } finally {
      for (const connection of silent) connection.close();
      assert.equal((await server.kill("SIGTERM")).code, 0);
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

testWith(["postgres"], "workers without a free descriptor accept again, every one", async () => {
  const database = await makeDatabase();
  const dataDir = await makeTempDir();
  const port = freePort();
  const env = {
    DATABASE_URL: database.url,
    DATABASE_POOL: "3",
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  };
  const silent: Deno.Conn[] = [];
  try {
    const server = await startParallel(env, port, undefined, LIMIT);
    const said = (words: string) => server.output().split(words).length - 1;
    const refused = "New connections are not accepted for now";
    for (let i = 0; i < 1.5 * LIMIT; i++) {
      const opened = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
      if (opened !== null) silent.push(opened);
    }
    assert.equal(await eventually(() => Promise.resolve(said(refused)), (n) => n === 3, 15_000), 3);
    for (const connection of silent.splice(0)) connection.close();
    // Each worker has a third of new connections: so many in a row are of all three.
    let inARow = 0;
    const alive = async () => {
      const response = await fetch(`${server.url}/live`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(2000),
      }).catch(() => null);
      await response?.body?.cancel();
      return inARow = response?.status === 200 ? inARow + 1 : 0;
    };
    assert.equal(await eventually(alive, (n) => n === 30, 30_000, 20), 30);
    const again = () => Promise.resolve(said("New connections are accepted again"));
    assert.equal(await eventually(again, (n) => n === 3, 30_000), 3);
    assert.equal(await server.kill("SIGTERM"), 0);
  } finally {
    for (const connection of silent) connection.close();
    await database.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
