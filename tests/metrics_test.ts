import assert from "node:assert/strict";
import { call, cast, post } from "./support/http.ts";
import { parseMetrics as parse, type Samples } from "./support/metrics.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { connect, TestSocket } from "./support/socket.ts";

async function scrape(server: TestServer): Promise<Samples> {
  const response = await fetch(`${server.url}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  return parse(await response.text());
}

/** Scrapes until it fits: what a socket does reaches the server in its own time. */
async function until(server: TestServer, fits: (samples: Samples) => boolean): Promise<Samples> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const samples = await scrape(server);
    if (fits(samples)) return samples;
    if (Date.now() > deadline) throw new Error(JSON.stringify([...samples], null, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function withServer(env: Record<string, string>, fn: (server: TestServer) => Promise<void>) {
  const server = await startServer("pglite", env);
  try {
    await fn(server);
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
}

Deno.test("each metric changes when its cause happens", () =>
  withServer({ LIMIT_TYPING_PER_MINUTE: "3" }, async (server) => {
    const before = await scrape(server);
    assert.equal(before.get('parley_info{version="0.1.0",engine="pglite"}'), 1);
    assert.equal(before.get("parley_users_online"), 0);
    assert.ok(before.get("process_resident_memory_bytes")! > 10e6);
    assert.ok(Math.abs(before.get("process_start_time_seconds")! - Date.now() / 1000) < 3600);

    const pending = new TestSocket(server.url);
    await pending.event("welcome");
    const people = await cast(server);
    const visitor = await connect(server, { sessionId: people.visitor.sessionId });
    const agent = await connect(server, { token: people.agent.token });
    const { message } = await visitor.ack("message", { content: "Hello", clientMessageId: "m1" });
    const { conversationId } = message;
    await agent.ack("join", { conversationId });
    const { epoch, seq } = await visitor.ack("join", { conversationId });
    await visitor.ack("join", { conversationId, epoch, seq });
    await visitor.ack("join", { conversationId, epoch: "another", seq });
    await visitor.ack("message", { conversationId, content: "There?", clientMessageId: "m2" });
    await agent.event("message", ({ content }) => content === "There?");

    const open = await scrape(server);
    const by = (state: string) =>
      open.get(`parley_connections{protocol="parley.v1",state="${state}"}`);
    assert.deepEqual([by("pending"), by("agent"), by("visitor")], [1, 1, 1]);
    assert.equal(open.get("parley_users_online"), 2);
    assert.ok(open.get("parley_rooms")! >= 3);
    assert.equal(open.get("parley_queue_bytes"), 0);
    assert.equal(open.get('parley_joins_total{outcome="fresh"}'), 2);
    assert.equal(open.get('parley_joins_total{outcome="recovered"}'), 1);
    assert.equal(open.get('parley_joins_total{outcome="snapshot"}'), 1);
    assert.equal(open.get("parley_ack_seconds_count"), 2);
    assert.ok(open.get("parley_ack_seconds_sum")! > 0);
    assert.ok(open.get('parley_frames_received_total{protocol="parley.v1"}')! >= 8);
    assert.ok(open.get('parley_frames_sent_total{protocol="parley.v1"}')! >= 11);
    assert.ok(open.get("parley_broadcasts_total")! >= 1);
    assert.ok(open.get("parley_deliveries_total")! >= 2);
    assert.ok(open.get("parley_broadcast_receivers_count")! >= 1);
    assert.ok(open.get("parley_broadcast_seconds_sum")! > 0);
    assert.ok(
      open.get("parley_database_query_seconds_count")! >
        before.get("parley_database_query_seconds_count")!,
    );

    for (let i = 0; i < 5; i++) {
      await visitor.ask("typing", { conversationId, isTyping: i % 2 === 0 });
    }
    const refused = await scrape(server);
    assert.equal(
      refused.get('parley_rate_limit_refusals_total{limit="LIMIT_TYPING_PER_MINUTE"}'),
      2,
    );

    await visitor.close();
    const bad = await pending.ask("auth", { token: "nonsense" });
    assert.equal(bad.type, "error");
    const { code } = await pending.closed;
    const closed = await until(
      server,
      (samples) => samples.get('parley_connections{protocol="parley.v1",state="visitor"}') === 0,
    );
    assert.equal(closed.get(`parley_closes_total{code="${code}",by="server"}`), 1);
    const byPeer = [...closed].filter(([key]) => /^parley_closes_total\{.*by="peer"/.test(key));
    assert.deepEqual(byPeer.map(([, value]) => value), [1]);
    // What ended stays counted.
    const frames = 'parley_frames_received_total{protocol="parley.v1"}';
    assert.ok(closed.get(frames)! > refused.get(frames)!);
    await until(server, (samples) => samples.get("parley_event_loop_delay_seconds_count")! > 0);
    await agent.close();
  }));

Deno.test("requests are counted by route, and errors by code and protocol", () =>
  withServer({}, async (server) => {
    const { agent, conversation } = await cast(server);
    const get = (path: string, token = agent.token) => call(server, "GET", path, { token });
    await get(`/api/conversations/${conversation.id}`);
    await get(`/api/conversations/${crypto.randomUUID()}`);
    await get("/api/nothing/here?token=secret-in-address");
    await get("/api/users", "not-a-token");
    await call(server, "BREW", "/api/users");
    const socket = await connect(server, { token: agent.token });
    await socket.ask("join", { conversationId: crypto.randomUUID() });
    await socket.ask("nonsense", {});

    const response = await fetch(`${server.url}/metrics`);
    const text = await response.text();
    const samples = parse(text);
    const requests = (method: string, route: string, status: string) =>
      samples.get(
        `parley_http_request_seconds_count{method="${method}",route="${route}",status="${status}"}`,
      );
    assert.equal(requests("GET", "/api/conversations/:id", "2xx"), 1);
    assert.equal(requests("GET", "/api/conversations/:id", "4xx"), 1);
    assert.equal(requests("GET", "unmatched", "4xx"), 1);
    assert.equal(requests("GET", "/api/users", "4xx"), 1);
    assert.equal(requests("GET", "/realtime", "1xx"), 1);
    assert.equal(requests("POST", "/api/auth/login", "2xx"), 1);
    assert.ok([...samples.keys()].some((key) => key.includes('method="other"')));
    const errors = (code: string, protocol: string) =>
      samples.get(`parley_errors_total{code="${code}",protocol="${protocol}"}`);
    assert.equal(errors("not_found", "http"), 2);
    assert.equal(errors("not_found", "parley.v1"), 1);
    assert.equal(errors("unknown_type", "parley.v1"), 1);
    // Nothing that a caller chose, and nobody's id.
    for (const secret of ["secret-in-address", conversation.id, agent.user.id, "BREW", "nothing"]) {
      assert.ok(!text.includes(secret), secret);
    }
    await socket.close();
  }));

Deno.test("the machine, the database and other nodes are told", () =>
  withServer({}, async (server) => {
    const { visitor, conversation } = await cast(server);
    await post(server, visitor.sessionId, conversation.id, "Hello");
    const samples = await scrape(server);
    const value = (key: string) => samples.get(key) ?? NaN;
    assert.deepEqual([value("parley_ready"), value("parley_database_up")], [1, 1]);
    assert.equal(value("parley_nodes"), 1);
    assert.equal(value("parley_node_silence_seconds"), 0);
    assert.ok(value("parley_disk_free_bytes") > 0);
    assert.ok(value("parley_disk_bytes") > value("parley_disk_free_bytes"));
    if (Deno.build.os === "linux") {
      assert.ok(value("process_open_fds") > 3);
      assert.ok(value("process_max_fds") > value("process_open_fds"));
    }
    assert.ok(value('parley_commit_batch_size_count{what="messages"}') >= 1);
    assert.ok(value('parley_commit_wait_seconds_sum{what="messages"}') >= 0);
    assert.equal(value('parley_pending_writes{what="messages"}'), 0);
    assert.equal(value('parley_pending_writes{what="documents"}'), 0);
  }));

Deno.test("a connection refused for its rate is counted", () =>
  withServer({ LIMIT_CONNECTIONS_PER_MINUTE: "1" }, async (server) => {
    const first = new TestSocket(server.url);
    await first.event("welcome");
    const second = new TestSocket(server.url);
    await second.closed;
    const samples = await scrape(server);
    const key = 'parley_rate_limit_refusals_total{limit="LIMIT_CONNECTIONS_PER_MINUTE"}';
    assert.equal(samples.get(key), 1);
    await first.close();
  }));

Deno.test("metrics are for peers of this machine, or for who has the token", async () => {
  const forwarded = { "x-forwarded-for": "127.0.0.1" };
  await withServer({}, async (server) => {
    const outside = await fetch(`${server.url}/metrics`, { headers: forwarded });
    assert.equal(outside.status, 403);
    assert.match((await outside.json()).detail, /METRICS_TOKEN/);
    for (const header of ["via", "forwarded", "x-forwarded-proto", "x-forwarded-host"]) {
      const proxied = await fetch(`${server.url}/metrics`, { headers: { [header]: "x" } });
      assert.equal(proxied.status, 403, header);
      await proxied.body?.cancel();
    }
  });
  const METRICS_TOKEN = "scrape-me-every-15-s";
  await withServer({ METRICS_TOKEN }, async (server) => {
    const get = (headers: Record<string, string>) => fetch(`${server.url}/metrics`, { headers });
    for (const authorization of ["", "Bearer", `Bearer ${METRICS_TOKEN}x`, METRICS_TOKEN]) {
      const response = await get({ authorization });
      assert.equal(response.status, 401, authorization);
      assert.equal((await response.json()).code, "unauthenticated");
    }
    const response = await get({ ...forwarded, authorization: `Bearer ${METRICS_TOKEN}` });
    assert.equal(response.status, 200);
    parse(await response.text());
  });
});
