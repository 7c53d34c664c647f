import assert from "node:assert/strict";
import type { ErrorData } from "../protocol/native.ts";
import { cast } from "./support/http.ts";
import { startServer, type TestServer } from "./support/server.ts";
import { connect, TestSocket } from "./support/socket.ts";

async function withServer(
  env: Record<string, string>,
  fn: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", env);
  try {
    await fn(server);
  } finally {
    await server.close();
  }
}

Deno.test("too many messages are refused with retryAfter, and abuse ends the connection", () =>
  withServer({ LIMIT_MESSAGES_PER_MINUTE: "5" }, async (server) => {
    const { visitor } = await cast(server);
    const socket = await connect(server, { sessionId: visitor.sessionId });
    for (let i = 0; i < 4; i++) assert.equal((await socket.ask("ping", {})).type, "ack");
    const refused = await socket.ask("ping", {});
    const data = refused.data as ErrorData;
    assert.equal(data.code, "rate_limited");
    assert.equal(data.limit, "LIMIT_MESSAGES_PER_MINUTE");
    assert.ok(data.retryAfter! > 0 && data.retryAfter! <= 12_000);
    for (let i = 0; i < 40; i++) socket.send("ping", {});
    assert.deepEqual(await socket.closed, { code: 1008, reason: "Rate limit exceeded" });
  }));

Deno.test("nonsense is limited like sense", () =>
  withServer({ LIMIT_MESSAGES_PER_MINUTE: "5" }, async (server) => {
    for (const frame of ["{", '{"type":"nope"}', "{}", new Uint8Array([1])]) {
      const { visitor } = await cast(server);
      const socket = await connect(server, { sessionId: visitor.sessionId });
      for (let i = 0; i < 60; i++) socket.raw(frame);
      assert.equal((await socket.closed).code, 1008, String(frame));
    }
  }));

Deno.test("only so many messages are taken before authentication", () =>
  withServer({ MAX_PRE_AUTH_MESSAGES: "3" }, async (server) => {
    const socket = new TestSocket(server.url);
    await socket.event("welcome");
    for (let i = 0; i < 3; i++) assert.equal((await socket.ask("ping", {})).type, "ack");
    socket.send("ping", {});
    const error = await socket.until(({ type }) => type === "error");
    assert.equal((error.data as ErrorData).limit, "MAX_PRE_AUTH_MESSAGES");
    assert.equal((await socket.closed).code, 1009);
  }));

Deno.test("typing has its own rate, and a conversation has one for all", () =>
  withServer(
    { LIMIT_TYPING_PER_MINUTE: "2", LIMIT_ROOM_BROADCASTS_PER_MINUTE: "4" },
    async (server) => {
      const { visitor, conversation } = await cast(server);
      const conversationId = conversation.id;
      const socket = await connect(server, { sessionId: visitor.sessionId });
      await socket.ack("join", { conversationId });
      const type = async () =>
        (await socket.ask("typing", { conversationId, isTyping: true })).data as ErrorData;
      await type();
      await type();
      assert.equal((await type()).limit, "LIMIT_TYPING_PER_MINUTE");
      const send = async (n: number) =>
        (await socket.ask("message", { content: "x", clientMessageId: `${n}` })).data as ErrorData;
      await send(1);
      await send(2);
      const refused = await send(3);
      assert.equal(refused.limit, "LIMIT_ROOM_BROADCASTS_PER_MINUTE");
      assert.ok(refused.retryAfter! > 0);
      await socket.close();
    },
  ));

Deno.test("too many connections from one address are told why and closed", () =>
  withServer({ LIMIT_CONNECTIONS_PER_MINUTE: "3" }, async (server) => {
    for (let i = 0; i < 3; i++) {
      const socket = new TestSocket(server.url);
      await socket.event("welcome");
      await socket.close();
    }
    const fourth = new TestSocket(server.url);
    const error = await fourth.until(({ type }) => type === "error");
    assert.equal((error.data as ErrorData).limit, "LIMIT_CONNECTIONS_PER_MINUTE");
    assert.ok((error.data as ErrorData).retryAfter! > 0);
    assert.deepEqual(await fourth.closed, { code: 1008, reason: "Rate limit exceeded" });
  }));

Deno.test("agents are counted by user, and not by the network that they share", () =>
  withServer({ LIMIT_CONNECTIONS_PER_MINUTE: "2" }, async (server) => {
    const { agent, visitor } = await cast(server);
    const { token } = agent;
    for (let i = 0; i < 6; i++) await (await connect(server, { token })).close();
    const seventh = new TestSocket(server.url);
    await seventh.event("welcome");
    const refused = (await seventh.ask("auth", { token })).data as ErrorData;
    assert.deepEqual([refused.code, refused.limit], [
      "rate_limited",
      "LIMIT_CONNECTIONS_PER_MINUTE",
    ]);
    assert.ok(refused.retryAfter! > 0);
    await seventh.close();
    // Nothing of the network's share is used up.
    const { sessionId } = visitor;
    for (let i = 0; i < 2; i++) await (await connect(server, { sessionId })).close();
    const third = new TestSocket(server.url);
    const error = await third.until(({ type }) => type === "error");
    assert.equal((error.data as ErrorData).limit, "LIMIT_CONNECTIONS_PER_MINUTE");
    await third.closed;
  }));

Deno.test("the default connection rate leaves local development alone", () =>
  withServer({}, async (server) => {
    for (let i = 0; i < 15; i++) {
      const socket = new TestSocket(server.url);
      await socket.event("welcome");
      await socket.close();
    }
  }));

Deno.test("a connection follows only so many conversations", () =>
  withServer({ MAX_SUBSCRIPTIONS: "1" }, async (server) => {
    const one = await cast(server);
    const two = await cast(server);
    const socket = await connect(server, { token: one.agent.token });
    await socket.ack("join", { conversationId: one.conversation.id });
    await socket.ack("join", { conversationId: one.conversation.id });
    const refused = await socket.ask("join", { conversationId: two.conversation.id });
    assert.equal((refused.data as ErrorData).code, "too_many_subscriptions");
    await socket.ack("leave", { conversationId: one.conversation.id });
    await socket.ack("join", { conversationId: two.conversation.id });
    await socket.close();
  }));

Deno.test("a user's oldest connection makes room for a new one", () =>
  withServer({ MAX_CONNECTIONS_PER_USER: "2" }, async (server) => {
    const { visitor } = await cast(server);
    const credentials = { sessionId: visitor.sessionId };
    const first = await connect(server, credentials);
    const second = await connect(server, credentials);
    const third = await connect(server, credentials);
    const told = await first.until(({ type }) => type === "error");
    assert.equal((told.data as ErrorData).limit, "MAX_CONNECTIONS_PER_USER");
    assert.equal((await first.closed).code, 3504);
    assert.equal((await second.ask("ping", {})).type, "ack");
    assert.equal((await third.ask("ping", {})).type, "ack");
    await Promise.all([second.close(), third.close()]);
  }));
