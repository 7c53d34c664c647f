/** What an operator sees of clients that are refused, and what is whose after the first start. */
import assert from "node:assert/strict";
import pg from "pg";
import { configure, getConfig, type LogRecord, reset } from "@logtape/logtape";
import { createMetrics } from "../../../domain/metrics.ts";
import { createHandshakeRefusals } from "../../../realtime/handshake_refusals.ts";
import { call, login } from "../../support/http.ts";
import { startServer } from "../../support/server.ts";
import { testWith } from "../../support/services.ts";
import { Line } from "./line.ts";

/** Runs with what is logged meanwhile. */
async function logged(fn: (records: LogRecord[]) => Promise<void>): Promise<void> {
  const before = getConfig();
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { records: (record) => void records.push(record) },
    loggers: [
      { category: ["parley"], sinks: ["records"], lowestLevel: "debug" },
      { category: ["logtape"], sinks: [], lowestLevel: "error" },
    ],
  });
  try {
    await fn(records);
  } finally {
    await (before === null ? reset() : configure({ ...before, reset: true }));
  }
}

const refusedIn = (records: LogRecord[]) =>
  records.filter(({ rawMessage }) => rawMessage === "Handshake refused: {reason}")
    .map(({ properties }) => properties);

Deno.test("a refused origin and a wrong version of Engine.IO are logged and counted", async () => {
  await logged(async (records) => {
    const server = await startServer("pglite");
    try {
      const origin = "https://evil.example";
      const metric = async (reason: string) => {
        const response = await fetch(`${server.url}/metrics`);
        const text = await response.text();
        const line = text.split("\n").find((one) =>
          one.startsWith("parley_handshakes_refused_total") && one.includes(`reason="${reason}"`)
        );
        return Number(line?.split(" ").at(-1) ?? 0);
      };
      for (const path of ["/ws", "/api/v1/ws", "/realtime"]) {
        const line = new Line(server.url + path, { headers: { origin } });
        await line.untilClosed();
      }
      const polling = `${server.url}/socket.io/?transport=polling`;
      const foreign = await fetch(`${polling}&EIO=4`, { headers: { origin } });
      assert.equal(foreign.status, 403);
      await foreign.body?.cancel();
      // socket.io-client 2, which speaks version 3.
      const old = await fetch(`${polling}&EIO=3`, { headers: { origin } });
      assert.equal(old.status, 400);
      assert.match(await old.text(), /Unsupported protocol version/);
      assert.equal(await metric("origin"), 4);
      assert.equal(await metric("engine_io_version"), 1);
      const refused = refusedIn(records);
      assert.deepEqual(refused.slice(0, 4).map(({ reason, path }) => [reason, path]), [
        ["origin", "/ws"],
        ["origin", "/api/v1/ws"],
        ["origin", "/realtime"],
        ["origin", "/socket.io/"],
      ]);
      const { reason, sent, address } = refused[4]!;
      assert.deepEqual([reason, sent], ["engine_io_version", "3"]);
      assert.ok(refused.every((one) => one["origin"] === origin && one["address"] === address));
      assert.equal(address, "127.0.0.1");
    } finally {
      await server.close();
    }
  });
});

Deno.test("a stranger cannot flood the log with refused handshakes, nor hide others", async () => {
  await logged((records) => {
    let now = 0;
    const metrics = createMetrics();
    const tell = createHandshakeRefusals(metrics, () => now);
    const refuse = (address: string, origin = "https://evil") =>
      tell({ reason: "origin", address, origin, path: "/ws" });
    for (let i = 0; i < 10_000; i++) refuse("10.0.0.1", `https://${"x".repeat(1000)}`);
    assert.equal(refusedIn(records).length, 5);
    assert.ok(String(refusedIn(records)[0]!["origin"]).length <= 200);
    refuse("10.0.0.2");
    assert.equal(refusedIn(records).length, 6);
    assert.equal(refusedIn(records).at(-1)!["unsaid"], 9995);
    for (let i = 0; i < 10_000; i++) refuse(`10.1.${i >> 8}.${i & 255}`);
    assert.equal(refusedIn(records).length, 60);
    now += 60_000;
    refuse("10.0.0.1");
    assert.equal(refusedIn(records).length, 61);
    return Promise.resolve();
  });
});

Deno.test("the first widget is the first admin's, whose subscription hears of it", async (t) => {
  const subscribe = async (server: { url: string }, token: string, userId: string) => {
    const line = new Line(`${server.url}/ws`, {
      onopen: (send) => send({ type: "auth", payload: { token } }),
    });
    await line.until(({ type }) => type === "auth_response", "auth_response");
    const path = "/api/widget-configs";
    const { body } = await call<{ items: { id: string }[] }>(server, "GET", path, { token });
    const changed = { name: "Renamed" };
    await call(server, "PATCH", `${path}/${body.items[0]!.id}`, { token, body: changed });
    // As subscribeToWidgetConfigs filters: `user_id=${userId}`.
    const change = await line.until(
      ({ type, table, data }) =>
        type === "database_change" && table === "widget_configs" && data.user_id == userId,
      "a change of the widget",
    );
    assert.equal(change.event, "UPDATE");
    assert.equal(change.new.name, "Renamed");
    await line.close();
  };
  await t.step("made with the first start", async () => {
    const server = await startServer("pglite");
    try {
      const { token, user } = await login(server);
      await subscribe(server, token, user.id);
    } finally {
      await server.close();
    }
  });
  await t.step("set up in the browser", async () => {
    const server = await startServer("pglite", { ADMIN_EMAIL: "", ADMIN_PASSWORD: "" });
    try {
      const body = { email: "eve@example.com", password: "quite a good phrase 7", name: "Eve" };
      const answer = await call<{ token: string; user: { id: string } }>(
        server,
        "POST",
        "/api/setup",
        { body },
      );
      assert.ok(answer.status < 300, JSON.stringify(answer.body));
      await subscribe(server, answer.body.token, answer.body.user.id);
    } finally {
      await server.close();
    }
  });
});

testWith(["postgres"], "widgets of a database that is there already get an owner", async () => {
  const server = await startServer("postgres");
  try {
    const { user } = await login(server);
    await server.stop();
    const database = new pg.Client({ connectionString: server.env["DATABASE_URL"] });
    await database.connect();
    try {
      await database.query("update widget_configs set user_id = null");
      await database.query("delete from schema_migrations where name = '025_widget_owner'");
      await server.restart();
      const { rows } = await database.query("select user_id from widget_configs");
      assert.deepEqual(rows, [{ user_id: user.id }]);
    } finally {
      await database.end();
    }
  } finally {
    await server.close();
  }
});
