import assert from "node:assert/strict";
import { cast, login } from "../support/http.ts";
import { startServer, type TestServer } from "../support/server.ts";
import {
  type Endpoint,
  enter,
  type Line,
  open,
  type ScopedPeer,
  SECRET,
  sign,
} from "./scoped_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };
const EXCEEDED = { code: 1008, reason: "Rate limit exceeded" };

async function withServer(
  env: Record<string, string>,
  fn: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", { ...ENV, ...env });
  try {
    await fn(server);
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

async function assertExceeded(peer: ScopedPeer, limit: string): Promise<void> {
  assert.deepEqual(await peer.closed, EXCEEDED);
  const error: Line = peer.received.at(-1);
  assert.equal(error.type, "error");
  assert.equal(error.error, "Rate limit exceeded");
  assert.ok(!Number.isNaN(Date.parse(error.timestamp)));
  assert.equal(error.data.code, "rate_limited");
  assert.equal(error.data.limit, limit);
  assert.ok(error.data.retryAfter > 0 && error.data.retryAfter <= 60_000);
}

Deno.test("scoped chat: the 101st message of a minute closes with 1008", () =>
  withServer({}, async (server) => {
    const began = Date.now();
    const peer = await enter(server, await sign({ sub: "1", contexts: ["A"] }), "A");
    // More than a slow machine's bucket refills meanwhile; typing counts like everything else.
    for (let i = 0; i < 250; i++) {
      peer.send({ type: "typing", id: `${i}`, data: { isTyping: i % 2 === 1 } });
    }
    await assertExceeded(peer, "LIMIT_MESSAGES_PER_MINUTE");
    const refilled = Math.ceil((Date.now() - began) * 100 / 60_000);
    // The first was auth.
    const taken = 1 + peer.received.filter(({ type }) => type === "ack").length;
    assert.ok(taken >= 100 && taken <= 100 + refilled, `${taken} were taken`);
    assert.equal(peer.received.filter(({ type }) => type === "error").length, 1);
  }));

Deno.test("scoped chat: what the address says is no message, and cannot be said twice for nothing", () =>
  withServer({ LIMIT_MESSAGES_PER_MINUTE: "3" }, async (server) => {
    const token = await sign({ sub: "1", contexts: ["A"] });
    const peer = await open(server, "chat", { token });
    for (let i = 0; i < 3; i++) assert.equal((await peer.ask("ping")).type, "pong");
    const again = `{"type":"auth","inAddress":true,"token":"${token}"}`;
    for (let i = 0; i < 30; i++) peer.send(again);
    await assertExceeded(peer, "LIMIT_MESSAGES_PER_MINUTE");
  }));

Deno.test("scoped protocols: nonsense is limited like sense, on each of them", () =>
  withServer({ LIMIT_MESSAGES_PER_MINUTE: "5" }, async (server) => {
    for (const endpoint of ["chat", "analytics", "collaboration"] as const) {
      for (const frame of ["{", '{"type":"nope"}', "{}", '{"type":"ping"}']) {
        const peer = await open(server, endpoint);
        for (let i = 0; i < 30; i++) peer.send(frame);
        await assertExceeded(peer, "LIMIT_MESSAGES_PER_MINUTE");
      }
    }
  }));

Deno.test("scoped chat: what is over a room's rate is refused, and nobody is closed for it", () =>
  withServer({ LIMIT_ROOM_BROADCASTS_PER_MINUTE: "4" }, async (server) => {
    const ann = await enter(server, await sign({ sub: "1", contexts: ["A"] }), "A");
    const bob = await enter(server, await sign({ sub: "2", contexts: ["A"] }), "A");
    for (let i = 0; i < 4; i++) await ann.ask("message", { content: `${i}` });
    const refused = await bob.ask("message", { content: "One too many" });
    assert.equal(refused.type, "error");
    assert.equal(refused.data.limit, "LIMIT_ROOM_BROADCASTS_PER_MINUTE");
    assert.ok(refused.data.retryAfter > 0);
    for (const peer of [ann, bob]) assert.equal((await peer.ask("ping")).type, "pong");
    const { messages } = (await ann.ask("history")).data;
    assert.equal(messages.length, 4);
    await Promise.all([ann.close(), bob.close()]);
  }));

Deno.test("scoped protocols: too many connections of one address are told and closed", () =>
  withServer({ LIMIT_CONNECTIONS_PER_MINUTE: "3" }, async (server) => {
    const token = await sign({ sub: "1", contexts: ["A"] });
    const endpoints: Endpoint[] = ["chat", "analytics", "collaboration"];
    for (const endpoint of endpoints) await (await open(server, endpoint, { token })).close();
    for (const endpoint of endpoints) {
      await assertExceeded(await open(server, endpoint, { token }), "LIMIT_CONNECTIONS_PER_MINUTE");
    }
  }));

Deno.test("scoped protocols: what is wrong is said, and the connection goes on", () =>
  withServer({ LIMIT_MESSAGES_PER_MINUTE: "1000" }, async (server) => {
    const { agent } = await cast(server);
    const id = "x".repeat(65);
    const common: [unknown, string, RegExp][] = [
      ["{", "bad_json", /JSON/],
      ["", "bad_json", /JSON/],
      ["null", "bad_frame", /message/],
      ["[]", "bad_frame", /message/],
      ["{}", "bad_frame", /type/],
      [{ type: 7 }, "bad_frame", /type/],
      [{ type: "" }, "bad_frame", /type/],
      [{ type: "ping", id }, "bad_frame", /id/],
      [{ type: "nope" }, "unknown_type", /"nope"/],
      [{ type: "constructor" }, "unknown_type", /"constructor"/],
      [{ type: "__proto__" }, "unknown_type", /"__proto__"/],
      ['{"type":"message","data":{"content":"a\\u0000b"}}', "bad_json", /U\+0000/],
      [{ type: "auth", token: agent.token, contextId: "A" }, "conflict", /already/],
      [new Uint8Array([1, 2]), "bad_frame", /binary/],
      [{ type: "ping", data: "x".repeat(70_000) }, "too_large", /65536/],
    ];
    const tables: Record<Endpoint, [unknown, string, RegExp][]> = {
      chat: [
        [{ type: "message" }, "invalid", /content/],
        [{ type: "message", data: null }, "invalid", /content/],
        [{ type: "message", data: "Hello" }, "invalid", /message/],
        [{ type: "message", data: { content: "" } }, "invalid", /content/],
        [{ type: "message", data: { content: " \n " } }, "invalid", /content/],
        [{ type: "message", data: { content: 7 } }, "invalid", /content/],
        [{ type: "message", data: { content: "x".repeat(20_001) } }, "invalid", /content/],
        [
          { type: "message", data: { content: "a", messageType: "image" } },
          "invalid",
          /messageType/,
        ],
        [{ type: "message", data: { content: "a", clientMessageId: "" } }, "invalid", /clientMes/],
        [{ type: "typing", data: {} }, "invalid", /isTyping/],
        [{ type: "typing", data: { isTyping: "yes" } }, "invalid", /isTyping/],
        [{ type: "history", data: { limit: 0 } }, "invalid", /limit/],
        [{ type: "history", data: { limit: "50" } }, "invalid", /limit/],
        [{ type: "history", data: { before: "yesterday" } }, "invalid", /before/],
        [{ type: "history", data: { before: -1 } }, "invalid", /before/],
        [{ type: "history", data: { before: 2, after: 1 } }, "invalid", /before and after/],
        [{ type: "subscribe", data: { metrics: ["activity"] } }, "unknown_type", /subscribe/],
      ],
      analytics: [
        [{ type: "subscribe" }, "invalid", /metrics/],
        [{ type: "subscribe", data: { metrics: [] } }, "invalid", /metrics/],
        [{ type: "subscribe", data: { metrics: "activity" } }, "invalid", /metrics/],
        [{ type: "subscribe", data: { metrics: ["moods"] } }, "not_found", /there are activity/],
        [{ type: "subscribe", data: { metrics: ["messages_in"] } }, "unavailable", /"messages_in"/],
        [{ type: "message", data: { content: "a" } }, "unknown_type", /"message"/],
      ],
      collaboration: [
        [{ type: "join_session" }, "invalid", /sessionId/],
        [{ type: "join_session", data: { sessionId: "" } }, "invalid", /sessionId/],
        [{ type: "join_session", data: { sessionId: "x".repeat(201) } }, "invalid", /sessionId/],
        [{ type: "join_session", data: { sessionId: "a\nb" } }, "invalid", /sessionId/],
        [{ type: "join_session", data: { sessionId: "a", role: 7 } }, "invalid", /role/],
        [{ type: "leave_session", data: { sessionId: "a" } }, "not_joined", /join/],
        [{ type: "edit", data: {} }, "invalid", /version/],
        [
          { type: "edit", data: { operation: "explode", position: 0, content: "", version: 0 } },
          "invalid",
          /operation/,
        ],
        [
          { type: "edit", data: { operation: "insert", position: -1, content: "", version: 0 } },
          "invalid",
          /position/,
        ],
        [
          { type: "edit", data: { operation: "insert", position: 0, content: "a", version: 0 } },
          "not_joined",
          /join/,
        ],
        [{ type: "message", data: { content: "a" } }, "unknown_type", /"message"/],
      ],
    };
    for (const [endpoint, table] of Object.entries(tables) as [Endpoint, typeof common][]) {
      const peer = await open(server, endpoint, { token: agent.token, contextId: "A" });
      assert.equal((await peer.ask("ping")).type, "pong");
      for (const [frame, code, sentence] of [...common, ...table]) {
        const from = peer.received.length;
        peer.send(frame);
        const error = await peer.until(
          ({ type }) => type === "error",
          `${code} for ${frame}`,
          from,
        );
        assert.equal(
          error.data.code,
          code,
          `${JSON.stringify(frame).slice(0, 100)} ${error.error}`,
        );
        assert.match(error.error, sentence);
      }
      assert.equal((await peer.ask("ping")).type, "pong");
      await peer.close();
    }
  }));

Deno.test("scoped protocols: before authentication there is ping, a deadline, and nothing else", () =>
  withServer({ AUTH_TIMEOUT_MS: "1000" }, async (server) => {
    const { token } = await login(server);
    for (const endpoint of ["chat", "analytics", "collaboration"] as const) {
      const peer = await open(server, endpoint, { contextId: "A" });
      assert.equal((await peer.ask("ping")).type, "pong");
      for (const type of ["message", "subscribe", "join_session", "history", "refresh", "nope"]) {
        assert.equal((await peer.ask(type, {})).data.code, "unauthenticated");
      }
      for (
        const data of [
          {},
          { token: "" },
          { token: 7 },
          { token: "x".repeat(8193) },
          { token, contextId: "" },
          { token, contextId: "a\u0007" },
          { token, contextId: "x".repeat(201) },
          { token, contextId: 7 },
          { token, contextId: "A", lastSeq: -1 },
          { token, contextId: "A", lastSeq: "soon" },
        ]
      ) {
        assert.equal((await peer.ask("auth", data)).data.code, "invalid", JSON.stringify(data));
      }
      assert.equal((await peer.closed).code, 3006);
    }
    // Who is no agent has to say which context, where their token does not.
    const several = await sign({ sub: "1", contexts: ["A", "B"] });
    const undecided = await open(server, "chat", { token: several });
    const error = await undecided.until(({ type }) => type === "error");
    assert.deepEqual(error.data.fields, [{ path: "contextId", message: "is needed" }]);
    await undecided.close();
    // A plain request is no socket.
    const response = await fetch(`${server.url}/api/chat/ws`);
    assert.equal(response.status, 426);
    await response.body?.cancel();
  }));
