import assert from "node:assert/strict";
import { TokenBucket } from "../domain/rate_limit.ts";
import { ParleyClientError } from "./errors.ts";
import { createRequests } from "./requests.ts";
import { message, pause, withServer } from "./test_client.ts";
import { until } from "./test_server.ts";

function setUp(port: { ready?: boolean; waitMs?: number } = {}) {
  const state = { ready: true, waitMs: 0, sent: [] as number[], ...port };
  const requests = createRequests({
    timeoutMs: 1_000,
    ready: () => state.ready,
    waitMs: () => state.waitMs,
    transmit: (_type, _data, id) => void state.sent.push(id),
  });
  return { state, requests };
}

const code = (expected: string) => (error: ParleyClientError) => error.code === expected;
const LIMITED = { code: "rate_limited" as const, retryAfter: 10 };

Deno.test("a request waits for a connection, and for its turn under a rate limit", async () => {
  const { state, requests } = setUp({ ready: false, waitMs: 30 });
  const made = requests.make("page", {});
  assert.deepEqual(state.sent, []);
  state.ready = true;
  requests.flush();
  assert.deepEqual(state.sent, []);
  state.waitMs = 0;
  await until(() => state.sent.length === 1, "sent");
  requests.answered(1, { fine: true });
  assert.deepEqual(await made, { fine: true });
  // Sent once, although a connection was established while it waited.
  await pause(40);
  assert.deepEqual(state.sent, [1]);
});

Deno.test("a request that must not wait is rejected instead, with the time to wait", async () => {
  const limited = setUp({ waitMs: 700 });
  await assert.rejects(
    limited.requests.make("typing", {}, { patient: false }),
    (error: ParleyClientError) => error.code === "rate_limited" && error.retryAfter === 700,
  );
  const apart = setUp({ ready: false });
  await assert.rejects(
    apart.requests.make("typing", {}, { patient: false }),
    code("disconnected"),
  );
  assert.deepEqual([...limited.state.sent, ...apart.state.sent], []);
});

Deno.test("a request waits for the server's rate_limited three times", async () => {
  const { state, requests } = setUp();
  const made = requests.make("page", {});
  made.catch(() => {});
  for (let count = 1; count <= 3; count++) {
    requests.refused(1, "Rate limit exceeded", LIMITED);
    await until(() => state.sent.length === count + 1, `repeated ${count} times`);
  }
  requests.refused(1, "Rate limit exceeded", LIMITED);
  await assert.rejects(made, code("rate_limited"));
});

Deno.test("a lost connection rejects sent requests and keeps waiting ones", async () => {
  const { state, requests } = setUp();
  const sent = requests.make("page", {});
  state.ready = false;
  const waiting = requests.make("page", {});
  requests.lost();
  await assert.rejects(sent, code("disconnected"));
  state.ready = true;
  requests.flush();
  assert.deepEqual(state.sent, [1, 2]);
  requests.answered(2, "fine");
  assert.equal(await waiting, "fine");
});

Deno.test("no answer in time is a timeout, and a late one is ignored", async () => {
  const { requests } = setUp();
  await assert.rejects(requests.make("page", {}, { timeoutMs: 10 }), code("timeout"));
  requests.answered(1, {});
  requests.refused(1, "late", { code: "forbidden" });
});

Deno.test("requests over the server's rate wait in the client and arrive in order", () =>
  withServer(async (server, open) => {
    // The bucket of the real server: 600 at once, then ten a second.
    server.limits.messagesPerMinute = 600;
    const bucket = new TokenBucket(600, 60_000, Date.now());
    let refused = 0;
    server.intercept = (command, peer) => {
      const wait = bucket.take(Date.now());
      if (wait === 0) return false;
      refused++;
      server.refuse(peer, command, "rate_limited", wait);
      return true;
    };
    const client = open({ maxOutbox: 1_000 });
    await client.connect();
    const sent = Array.from({ length: 608 }, (_, index) => client.send(message(`${index}`)));
    const stored = await Promise.all(sent);
    assert.deepEqual(stored.map(({ seq }) => seq), stored.map((_, index) => index + 1));
    assert.ok(stored.every(({ content }, index) => content === `${index}`));
    // Frames that arrive together may find the bucket slightly emptier than it was here.
    assert.ok(refused <= 3, `refused ${refused} times`);
  }));
