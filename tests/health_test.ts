import assert from "node:assert/strict";
import { call, login } from "./support/http.ts";
import { makeDatabase, startServer } from "./support/server.ts";
import { onServer } from "./support/template.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";

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
    assert.equal((await call<Health>(server, "GET", "/health")).body.status, "ok");
  } finally {
    await server.close();
    await database.drop();
  }
});
