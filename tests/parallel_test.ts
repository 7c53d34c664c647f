/** The workers of one `deno serve --parallel` are nodes of one installation. */
import assert from "node:assert/strict";
import pg from "pg";
import type { Presence } from "../protocol/model.ts";
import { call, cast, login } from "./support/http.ts";
import { parseMetrics } from "./support/metrics.ts";
import { freePort, type ParallelProcess, startParallel } from "./support/parallel.ts";
import { ADMIN, makeDatabase, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect, type TestSocket } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";

async function withParallel(
  fn: (server: TestServer & ParallelProcess, query: (sql: string) => Promise<unknown[]>) => Promise<
    void
  >,
  env: Record<string, string> = {},
  command?: (port: number) => string[],
): Promise<void> {
  const database = await makeDatabase();
  const dataDir = await makeDataDir();
  const port = freePort();
  let server: ParallelProcess | null = null;
  const client = new pg.Client({ connectionString: database.url });
  try {
    await client.connect();
    server = await startParallel(
      {
        DATABASE_URL: database.url,
        DATABASE_POOL: "3",
        DATA_DIR: dataDir,
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        PRESENCE_GRACE_MS: "300",
        DRAIN_MS: "500",
        ...env,
      },
      port,
      command?.(port),
    );
    await fn(server as never, async (sql) => (await client.query(sql)).rows);
  } finally {
    await client.end();
    await server?.kill("SIGTERM").catch(() => {});
    await database.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Connections until each of the workers has one; each says in its welcome which node it is. */
async function onEachWorker(
  server: { url: string },
  credentials: { token: string } | { sessionId: string },
): Promise<Map<string, TestSocket>> {
  const byNode = new Map<string, TestSocket>();
  for (let tries = 0; byNode.size < 3; tries++) {
    assert.ok(tries < 200, "the connections are spread over all workers");
    const socket = await connect(server, credentials);
    const { node } = await socket.event("welcome");
    if (byNode.has(node)) await socket.close();
    else byNode.set(node, socket);
  }
  return byNode;
}

testWith(
  ["postgres"],
  "workers start once, and people on different ones talk live",
  () =>
    withParallel(async (server, query) => {
      assert.deepEqual(await query("select count(*)::int as n from users"), [{ n: 1 }]);
      assert.deepEqual(await query("select count(*)::int as n from widget_configs"), [{ n: 1 }]);
      const lines = server.output().split("\n").filter((line) => line.includes("ready"));
      assert.equal(lines.length, 1);

      const { agent, visitor, conversation } = await cast(server);
      const conversationId = conversation.id;
      const agents = await onEachWorker(server, { token: agent.token });
      const visitors = await onEachWorker(server, { sessionId: visitor.sessionId });
      assert.deepEqual([...agents.keys()].toSorted(), [...visitors.keys()].toSorted());
      const all = [...agents.values(), ...visitors.values()];
      for (const socket of all) await socket.ack("join", { conversationId });
      // Whichever worker is asked, and again: the same connections, and the process once.
      for (let i = 0; i < 6; i++) {
        const samples = parseMetrics(await (await fetch(`${server.url}/metrics`)).text());
        const of = (start: string) => [...samples].filter(([key]) => key.startsWith(start));
        const open = of("parley_connections{").filter(([key]) => !key.includes("pending"));
        assert.equal(open.reduce((sum, [, n]) => sum + n, 0), all.length);
        const workers = new Set(open.map(([key]) => /worker="(\d+)"/.exec(key)?.[1]));
        assert.deepEqual([...workers].toSorted(), ["1", "2", "3"]);
        assert.equal(samples.get('parley_workers{state="answered"}'), 3);
        assert.equal(of("process_resident_memory_bytes").length, 1);
        assert.equal(of("process_cpu_seconds_total").length, 1);
        assert.equal(of("parley_info").length, 1);
        assert.equal(of("parley_nodes{").length, 3);
      }
      for (const [i, socket] of all.entries()) {
        await socket.ack("message", { conversationId, content: `${i}`, clientMessageId: `${i}` });
      }
      for (const socket of all) {
        await socket.until(() => socket.count("message") === all.length, "all messages");
        const contents = socket.received.filter(({ type }) => type === "message")
          .map(({ data }) => (data as { content: string }).content);
        assert.deepEqual(contents, all.map((_, i) => `${i}`));
      }
      const ended = await call(server, "POST", "/api/connections/disconnect", {
        token: agent.token,
        body: { userId: visitor.contact.id },
      });
      assert.deepEqual(ended.body, { disconnected: 3 });
      for (const { closed } of visitors.values()) assert.equal((await closed).code, 3503);
      for (const socket of agents.values()) {
        await socket.event(
          "presence",
          (data: Presence) => data.userId === visitor.contact.id && data.status === "offline",
        );
      }
      // A token of one worker is good at the others: the secret was made once.
      for (const { token } of [await login(server), await login(server)]) {
        for (let i = 0; i < 6; i++) {
          assert.equal((await call(server, "GET", "/api/auth/me", { token })).status, 200);
        }
      }
      await Promise.all([...agents.values()].map((socket) => socket.close()));
    }),
);

testWith(
  ["postgres"],
  "SIGQUIT lets the clients of every worker go in their own time",
  () =>
    withParallel(async (server) => {
      const { agent } = await cast(server);
      const sockets = [...(await onEachWorker(server, { token: agent.token })).values()];
      const ended = server.kill("SIGQUIT");
      for (const socket of sockets) {
        await socket.event("reconnect");
        assert.equal((await socket.closed).code, 3001);
      }
      assert.equal(await ended, 0);
    }),
);

testWith(
  ["postgres"],
  "deno task start --parallel passes SIGTERM on as a drain, and needs Postgres and a port",
  async () => {
    const command = ["run", "-A", "--no-check", "tools/start.ts", "--parallel"];
    await withParallel(
      async (server) => {
        const { agent } = await cast(server);
        const sockets = [...(await onEachWorker(server, { token: agent.token })).values()];
        const ended = server.kill("SIGTERM");
        for (const socket of sockets) assert.equal((await socket.closed).code, 3001);
        assert.equal(await ended, 0);
      },
      {},
      () => command,
    );
    const refusals = [
      [{ DATABASE_URL: "" }, "setting DATABASE_URL is not set: several nodes need a Postgres"],
      [{ PORT: "0" }, "setting PORT is 0: several workers need a port"],
      [{ BROKER: "memory" }, 'setting BROKER is "memory": several workers need'],
      [{ BROKER: "redis" }, 'setting REDIS_URL is not set: BROKER is "redis"'],
    ] as const;
    for (const [env, reason] of refusals) {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: command,
        env: { NO_COLOR: "1", DATABASE_URL: "postgres://127.0.0.1:1/nothing", ...env },
        stdin: "null",
      }).output();
      const said = new TextDecoder().decode(stderr).trim().split("\n");
      assert.equal(code, 1);
      assert.equal(said.length, 1);
      assert.ok(said[0]!.startsWith(`Cannot start: ${reason}`), said[0]!);
    }
  },
);
