import assert from "node:assert/strict";
import { eventually } from "./faults/health.ts";
import { call, login } from "./support/http.ts";
import { makeDatabase, startServer } from "./support/server.ts";
import { onServer } from "./support/template.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { openTcpProxy } from "./support/tcp_proxy.ts";

interface Health {
  status: string;
  timestamp: string;
  services: {
    database: string;
    redis: string;
    websocket: { status: string; connections: number; authenticatedUsers: number };
  };
  websocket: { connections: number; status: string };
}

Deno.test("health counts connections and the people behind them", async () => {
  const server = await startServer("pglite");
  try {
    const { token } = await login(server);
    const phone = await connect(server, { token });
    const laptop = await connect(server, { token });
    const { status, body } = await call<Health>(server, "GET", "/health");
    assert.equal(status, 200);
    assert.equal(body.status, "ok");
    assert.equal(new Date(body.timestamp).toISOString(), body.timestamp);
    assert.equal(body.services.database, "connected");
    assert.equal(body.services.redis, "not configured");
    const { status: active, connections, authenticatedUsers } = body.services.websocket;
    assert.deepEqual([active, connections, authenticatedUsers], ["active", 2, 1]);
    assert.deepEqual(body.websocket, { connections: 2, status: "healthy" });
    assert.deepEqual((await call(server, "GET", "/ready")).body, { ready: true });
    await phone.close();
    await laptop.close();
  } finally {
    await server.close();
  }
});

testWith(["postgres"], "health says when the database does not answer", async () => {
  const database = await makeDatabase();
  const server = await startServer("pglite", { DATABASE_URL: database.url });
  const name = new URL(database.url).pathname.slice(1);
  try {
    await onServer(`alter database ${name} allow_connections false`);
    await onServer(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = '${name}'`);
    const { status, body } = await call<Health>(server, "GET", "/health");
    assert.equal(status, 503);
    assert.equal(body.status, "degraded");
    assert.equal(body.services.database, "disconnected");
    assert.equal((await call(server, "GET", "/ready")).status, 503);
    await onServer(`alter database ${name} allow_connections true`);
    const health = () => call<Health>(server, "GET", "/health");
    const healed = await eventually(health, ({ status }) => status === 200, 10_000);
    assert.equal(healed.body.status, "ok");
  } finally {
    await server.close();
    await database.drop();
  }
});

testWith(["postgres"], "probes answer in their time while the database is frozen", async () => {
  const database = await makeDatabase();
  const { hostname, port } = new URL(database.url);
  const proxy = openTcpProxy({ hostname, port: Number(port || 5432) });
  const through = new URL(database.url);
  through.host = `127.0.0.1:${proxy.port}`;
  const server = await startServer("pglite", { DATABASE_URL: through.href });
  try {
    proxy.hold(true);
    // More questions than the pool has connections: each gets its answer.
    const ask = (path: string) => call<Missing>(server, "GET", path);
    const [live, ...answers] = await Promise.all([
      ask("/live"),
      ...Array.from({ length: 12 }, () => ask("/ready")),
      ask("/health"),
    ]);
    assert.deepEqual([live.status, live.body], [200, { live: true }]);
    for (const { status, body, headers } of answers) {
      assert.equal(status, 503);
      assert.deepEqual(body.missing, [
        "The database does not answer: it did not answer within 1000 ms",
      ]);
      assert.equal(headers.get("retry-after"), "1");
    }
    proxy.hold(false);
    assert.deepEqual((await ask("/ready")).body, { ready: true });
  } finally {
    proxy.hold(false);
    await server.close();
    proxy.close();
    await database.drop();
  }
});

interface Missing {
  missing: string[];
}
