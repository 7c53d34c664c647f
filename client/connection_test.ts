import assert from "node:assert/strict";
import type { ParleyClientError } from "./errors.ts";
import { makeClient, message, pause, withServer } from "./test_client.ts";
import { type TestServer, until } from "./test_server.ts";
import type { ClientOptions } from "./types.ts";

/** So long that only a reset of the backoff explains a connection within a test. */
const SLOW = { minDelayMs: 60_000, maxDelayMs: 60_000 };

function dropAll(server: TestServer, code = 3011) {
  for (const peer of server.peers) peer.close(code);
}

/** Simulates a device without a network, until the returned function is called. */
function unplug(): () => void {
  Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
  dispatchEvent(new Event("offline"));
  return () => {
    Reflect.deleteProperty(navigator, "onLine");
    dispatchEvent(new Event("online"));
  };
}

/** Runs against a peer that accepts connections and sends nothing. */
async function withSilence(work: (url: string) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const peers: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const peer of listener) peers.push(peer);
  })();
  try {
    await work(`http://127.0.0.1:${listener.addr.port}`);
  } finally {
    listener.close();
    for (const peer of peers) peer.close();
    await accepting;
  }
}

/** The error of a client that gives up. */
async function failure(url: string, options: Partial<ClientOptions>): Promise<ParleyClientError> {
  const client = makeClient({ url }, { maxAttempts: 1, ...options });
  try {
    await client.connect();
  } catch (error) {
    assert.equal(client.state, "failed");
    return error as ParleyClientError;
  } finally {
    client.close();
  }
  throw new Error("It connected");
}

Deno.test("the states from first to last, each emitted once", () =>
  withServer(async (server, open) => {
    const client = open();
    const states: string[] = [client.state];
    client.on("state", (state) => states.push(state));
    await client.connect();
    dropAll(server);
    await until(() => server.connections === 2 && client.state === "connected", "back");
    client.close();
    client.close();
    assert.deepEqual(
      states,
      ["idle", "connecting", "connected", "reconnecting", "connected", "closed"],
    );
  }));

Deno.test("without a network it is offline at once, and back as soon as there is one", () =>
  withServer(async (server, open) => {
    const client = open(SLOW);
    await client.connect();
    const plugIn = unplug();
    try {
      assert.equal(client.state, "offline");
      const sent = client.send(message("later"));
      await until(() => server.peers.size === 0, "the socket was closed");
      assert.equal(client.pending().length, 1);
      plugIn();
      assert.equal((await sent).content, "later");
      assert.equal(client.state, "connected");
    } finally {
      plugIn();
    }
  }));

Deno.test("a page that becomes visible does not wait for the backoff", () =>
  withServer(async (server, open) => {
    const client = open(SLOW);
    await client.connect();
    dropAll(server);
    await until(() => client.state === "reconnecting", "lost");
    dispatchEvent(new Event("pageshow"));
    await until(() => client.state === "connected", "back");
    // An established connection is only checked.
    dispatchEvent(new Event("pageshow"));
    await pause(30);
    assert.equal(server.connections, 2);
    assert.equal(client.state, "connected");
  }));

Deno.test("a hidden tab that is shown connects at once, one that is hidden waits", () =>
  withServer(async (server, open) => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    Object.defineProperty(globalThis, "document", { value: page, configurable: true });
    const turn = (visibilityState: string) => {
      Object.assign(page, { visibilityState });
      page.dispatchEvent(new Event("visibilitychange"));
    };
    try {
      const client = open(SLOW);
      await client.connect();
      dropAll(server);
      await until(() => client.state === "reconnecting", "lost");
      turn("hidden");
      await pause(50);
      assert.equal(server.connections, 1);
      turn("visible");
      await until(() => client.state === "connected", "back");
      client.close();
      turn("visible");
      await pause(30);
      assert.equal(client.state, "closed");
    } finally {
      Reflect.deleteProperty(globalThis, "document");
    }
  }));

Deno.test("a silent peer is given up after the connect timeout", () =>
  withSilence(async (url) => {
    const error = await failure(url, { connectTimeoutMs: 60 });
    assert.equal(error.code, "too_many_attempts");
    assert.match(String((error.cause as Error).message), /Connection timeout/);
  }));

Deno.test("so is a server that never answers auth, and credentials that never resolve", () =>
  withServer(async (server) => {
    server.intercept = (command) => command.type === "auth";
    const unanswered = await failure(server.url, { connectTimeoutMs: 60 });
    assert.match(String((unanswered.cause as Error).message), /Connection timeout/);
    assert.equal(server.connections, 2);
    const credentials = () => new Promise<never>(() => {});
    const unnamed = await failure(server.url, { connectTimeoutMs: 60, credentials });
    assert.match(String((unnamed.cause as Error).message), /Connection timeout/);
    assert.equal(server.connections, 2);
  }));

Deno.test("credentials that throw are requested again; the attempts are counted", () =>
  withServer(async (server) => {
    let asked = 0;
    const credentials = () => {
      asked++;
      throw new Error("the token service is away");
    };
    const error = await failure(server.url, { maxAttempts: 3, credentials });
    assert.equal(error.code, "too_many_attempts");
    assert.equal((error.cause as ParleyClientError).code, "credentials");
    // The first attempt and three more.
    assert.equal(asked, 4);
  }));

Deno.test("connections that end before their minimum uptime count as failed attempts", () =>
  withServer(async (server, open) => {
    const client = open({ maxAttempts: 2, minUptimeMs: 10_000 });
    client.on("state", (state) => void (state === "connected" && dropAll(server)));
    await client.connect();
    await until(() => client.state === "failed", "failed");
    assert.equal(server.connections, 3);
  }));

Deno.test("connections that lasted reset the count", () =>
  withServer(async (server, open) => {
    const client = open({ maxAttempts: 1, minUptimeMs: 20 });
    await client.connect();
    for (let count = 2; count <= 5; count++) {
      await pause(60);
      dropAll(server);
      await until(() => server.connections === count && client.state === "connected", "back");
    }
  }));

Deno.test("the wait grows with each attempt", async () => {
  const lines: string[] = [];
  // Nothing listens on port 1.
  await failure("http://127.0.0.1:1", {
    minDelayMs: 8,
    maxDelayMs: 64,
    maxAttempts: 5,
    debug: (line) => lines.push(line),
  });
  const waits = lines.flatMap((line) => Number(/next attempt in (\d+) ms/.exec(line)?.[1]) || []);
  assert.equal(waits.length, 5);
  const bounds = [8, 16, 32, 64, 64];
  for (const [index, wait] of waits.entries()) {
    assert.ok(wait >= bounds[index]! / 2 && wait <= bounds[index]!, `${index}: ${wait} ms`);
  }
});

Deno.test("close 1008 keeps it away for the time that the server names", () =>
  withServer(async (server, open) => {
    const client = open();
    await client.connect();
    for (const peer of server.peers) {
      const data = { code: "rate_limited", retryAfter: 150 };
      peer.raw(JSON.stringify({ type: "error", timestamp: "", error: "Too much", data }));
      peer.close(1008);
    }
    const began = Date.now();
    await until(() => server.connections === 2, "back");
    assert.ok(Date.now() - began >= 140, `back after ${Date.now() - began} ms`);
  }));

Deno.test("a connection without answers to pings is replaced", () =>
  withServer(async (server, open) => {
    server.heartbeatMs = 40;
    server.swallowPings = true;
    const client = open();
    await client.connect();
    await until(() => server.connections >= 2, "replaced");
    server.swallowPings = false;
    await until(() => client.state === "connected", "connected");
  }));

Deno.test("the debug log has the events, and none of the contents", () =>
  withServer(async (server, open) => {
    const lines: string[] = [];
    const client = open({
      credentials: () => ({ token: "secret-token" }),
      debug: (line) => lines.push(line),
    });
    client.connect();
    await client.send(message("secret words"));
    for (const peer of server.peers) peer.raw("secret garbage");
    dropAll(server);
    await until(() => server.connections === 2 && client.state === "connected", "back");
    const log = lines.join("\n");
    for (
      const line of [
        "idle → connecting",
        "← welcome",
        "→ auth auth",
        "connecting → connected",
        "→ message 1",
        "← ack 1",
        "not a message: 14",
        "connected → reconnecting",
      ]
    ) assert.ok(lines.includes(line), `"${line}" in:\n${log}`);
    assert.doesNotMatch(log, /secret/);
  }));
