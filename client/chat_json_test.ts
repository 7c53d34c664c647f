import assert from "node:assert/strict";
import {
  chatJsonUrl,
  reconnectDelay,
  type WebSocketConfig,
  WebSocketService,
} from "./chat_json.ts";
import type { ParleyClientError } from "./errors.ts";
import { type ChatJsonServer, startChatJsonServer } from "./test_chat_json_server.ts";
import { until } from "./test_server.ts";

type Open = (config?: Partial<WebSocketConfig>) => WebSocketService;

/** Runs with a new server and clients with short timeouts, and ends all of them. */
async function withServer(work: (server: ChatJsonServer, open: Open) => Promise<void>) {
  const server = startChatJsonServer();
  const services: WebSocketService[] = [];
  try {
    await work(server, (config) => {
      const service = new WebSocketService({
        url: server.url,
        reconnectDelay: 10,
        maxReconnectDelay: 40,
        ...config,
      });
      services.push(service);
      return service;
    });
  } finally {
    for (const service of services) service.disconnect();
    await server.stop();
  }
}

const chat = (content: string) => ({ type: "chat", payload: { content } });
const rejection = (promise: Promise<unknown>) =>
  promise.then(() => assert.fail("it resolved"), (error: ParleyClientError) => error);
function statesOf(service: WebSocketService): string[] {
  const states: string[] = [service.state];
  service.onStateChange((state) => states.push(state));
  return states;
}

Deno.test("the wait is min(1000 · 2^(n−1), 30000) and up to 10 % more", () => {
  const waits = (random: number) =>
    [1, 2, 3, 4, 5, 6, 99].map((n) => reconnectDelay(n, () => random));
  assert.deepEqual(waits(0), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.deepEqual(waits(1), [1_100, 2_200, 4_400, 8_800, 17_600, 33_000, 33_000]);
});

Deno.test("addresses of every form lead to the socket", () => {
  assert.equal(chatJsonUrl("https://a.example"), "wss://a.example/ws");
  assert.equal(chatJsonUrl("ws://a.example:81/ws"), "ws://a.example:81/ws");
  assert.equal(chatJsonUrl("https://a.example/base/ws#x"), "wss://a.example/base/ws");
});

Deno.test("calls to connect at the same time share one connection", () =>
  withServer(async (server, open) => {
    const service = open();
    const states = statesOf(service);
    assert.equal(service.isConnected(), false);
    await Promise.all([service.connect(), service.connect()]);
    await service.connect();
    assert.equal(service.isConnected(), true);
    service.disconnect();
    service.disconnect();
    assert.deepEqual(states, ["DISCONNECTED", "CONNECTING", "CONNECTED", "DISCONNECTED"]);
    await until(() => server.sockets.size === 0, "closed");
    assert.equal(server.connections, 1);
  }));

Deno.test("a message is sent with the client's id and the time, a chat with its own id", () =>
  withServer(async (server, open) => {
    const service = open({ clientId: "me", now: () => 1_700_000_000_000 });
    const seen: string[] = [];
    const handler = ({ type }: { type: string }) => seen.push(type);
    service.addMessageHandler(handler);
    await service.connect();
    await service.send({ type: "chat", payload: { content: "a", id: "mine" } });
    await service.send({ ...chat("b"), clientId: "other", timestamp: "then" });
    await until(() => server.of("chat").length === 2 && service.waiting === 0, "both are there");
    const [first, second] = server.of("chat");
    assert.deepEqual(first, {
      type: "chat",
      payload: { content: "a", id: "mine" },
      clientId: "me",
      timestamp: "2023-11-14T22:13:20.000Z",
    });
    assert.match(second!.payload!["id"] as string, /^[0-9a-f]{32}$/);
    assert.equal(second!.clientId, "other");
    assert.equal(second!.timestamp, "then");
    assert.deepEqual(seen, ["system", "chat", "chat"]);
    service.removeMessageHandler(handler);
    server.broadcast({ type: "chat", payload: { content: "c" }, clientId: "x" });
    const last = Promise.withResolvers<void>();
    const off = service.onMessage(({ type }) => type === "last" && last.resolve());
    server.broadcast({ type: "last" });
    await last.promise;
    off();
    assert.equal(seen.length, 3);
  }));

Deno.test("messages written without a connection wait, in order, up to a limit", () =>
  withServer(async (server, open) => {
    const service = open({ maxQueueSize: 3, autoReconnect: false });
    const sent = ["1", "2", "3"].map((content) => service.send(chat(content)));
    const full = await rejection(service.send(chat("4")));
    assert.equal(full.code, "outbox_full");
    assert.equal(full.limit, "maxQueueSize");
    await Promise.all(sent);
    await until(() => service.waiting === 0, "all went out");
    assert.deepEqual(server.contents(), ["1", "2", "3"]);
    assert.equal(server.connections, 1, "the first send began the connection");
  }));

Deno.test("each new connection is authenticated before waiting messages are sent", () =>
  withServer(async (server, open) => {
    let asked = 0;
    const service = open({ token: () => `token ${++asked}` });
    await service.connect();
    const lost = new Promise((resolve) => service.onDisconnect(resolve));
    server.drop();
    await lost;
    await service.send(chat("while away"));
    await until(() => service.waiting === 0, "it went out");
    assert.deepEqual(server.received.map(({ type, payload }) => [type, payload?.["token"]]), [
      ["auth", "token 1"],
      ["auth", "token 2"],
      ["chat", undefined],
    ]);
  }));

Deno.test("an auth that the program sent itself is sent again on the next connection", () =>
  withServer(async (server, open) => {
    const service = open();
    await service.connect();
    await service.send({ type: "auth", payload: { token: "by hand" } });
    await until(() => server.of("auth").length === 1, "authenticated");
    server.drop();
    await until(() => server.of("auth").length === 2, "authenticated again");
    assert.deepEqual(server.of("auth")[1]!.payload, { token: "by hand" });
  }));

Deno.test("a chat without an echo is sent again, unchanged, before the next one", () =>
  withServer(async (server, open) => {
    const service = open();
    await service.connect();
    let swallow = true;
    server.intercept = ({ type }) => type === "chat" && swallow;
    await service.send(chat("first"));
    await service.send(chat("second"));
    await until(() => server.of("chat").length === 1, "under way");
    swallow = false;
    server.drop();
    await until(() => service.waiting === 0, "all echoed");
    assert.deepEqual(server.contents(), ["first", "first", "second"]);
    const [one, again] = server.of("chat");
    assert.deepEqual(one, again, "the same id, client and time");
  }));

Deno.test("a connection without echoes is replaced, and a chat is given up after five tries", () =>
  withServer(async (server, open) => {
    const service = open({ ackTimeout: 30 });
    const given: unknown[] = [];
    service.onError((error, message) => {
      if (message !== undefined) given.push([error.code, message.payload?.["content"]]);
    });
    server.intercept = ({ payload }) => payload?.["content"] === "nobody hears";
    await service.send(chat("nobody hears"));
    await service.send(chat("next"));
    await until(() => service.waiting === 0, "the next one came through");
    assert.deepEqual(given, [["timeout", "nobody hears"]]);
    assert.deepEqual(server.contents(), [...Array(5).fill("nobody hears"), "next"]);
  }));

Deno.test("another client's chat with the same id is not the echo", () =>
  withServer(async (server, open) => {
    const service = open({ clientId: "me" });
    await service.connect();
    server.intercept = ({ type }) => type === "chat";
    await service.send({ type: "chat", payload: { content: "mine", id: "1" } });
    await until(() => server.of("chat").length === 1, "arrived");
    const heard = Promise.withResolvers<void>();
    service.onMessage(({ clientId }) => clientId === "they" && heard.resolve());
    server.broadcast({ type: "chat", payload: { content: "theirs", id: "1" }, clientId: "they" });
    await heard.promise;
    assert.equal(service.waiting, 1);
    server.broadcast({ type: "chat", payload: { content: "mine", id: "1" }, clientId: "me" });
    await until(() => service.waiting === 0, "echoed");
  }));

Deno.test("a refused chat is reported and dropped; one over a rate waits as long as the server says", () =>
  withServer(async (server, open) => {
    const service = open();
    const given: string[] = [];
    service.onError((error, message) =>
      given.push(`${error.code} ${message?.payload?.["content"]}`)
    );
    let limited = 2;
    server.intercept = ({ type, payload }, send) => {
      const { id, content } = payload ?? {};
      const refuse = (code: string, retryAfter?: number) =>
        send({ type: "error", payload: { message: code, code, id, retryAfter } });
      if (type !== "chat") return false;
      if (content === "bad") refuse("invalid");
      else if (content === "fast" && limited-- > 0) refuse("rate_limited", 10);
      else return false;
      return true;
    };
    await service.connect();
    for (const content of ["bad", "fast", "last"]) await service.send(chat(content));
    await until(() => service.waiting === 0, "all sent");
    assert.deepEqual(server.contents(), ["bad", "fast", "fast", "fast", "last"]);
    assert.deepEqual(given, ["invalid bad"]);
  }));

Deno.test("chats that are sent too early wait until the program has authenticated", () =>
  withServer(async (server, open) => {
    const service = open();
    server.intercept = ({ type, payload }, send) => {
      if (type !== "chat" || server.of("auth").length > 0) return false;
      const error = { message: "authenticate first", code: "unauthenticated", id: payload?.["id"] };
      send({ type: "error", payload: error });
      return true;
    };
    await service.connect();
    await service.send(chat("early"));
    await until(() => server.of("chat").length === 1, "refused");
    await service.send(chat("later"));
    await service.send({ type: "auth", payload: { token: "t" } });
    await until(() => service.waiting === 0, "both went out");
    assert.deepEqual(server.contents(), ["early", "early", "later"]);
  }));

Deno.test("the rate is counted over a minute: a burst passes, and after a minute the count starts again", () =>
  withServer(async (server, open) => {
    let now = 5_000_000;
    const service = open({ rateLimitPerSecond: 1, maxQueueSize: 200, now: () => now });
    await service.connect();
    for (let i = 1; i <= 59; i++) await service.send(chat(`${i}`));
    // A message that is rejected for another reason counts, too.
    assert.equal((await rejection(service.send({ ...chat("60"), clientId: "" }))).code, "invalid");
    now += 20_000;
    for (let i = 0; i < 5; i++) {
      const error = await rejection(service.send(chat("too many")));
      assert.equal(error.message, "Rate limit exceeded");
      assert.deepEqual([error.code, error.retryAfter], ["rate_limited", 40_000]);
    }
    now += 40_000;
    for (let i = 61; i <= 120; i++) await service.send(chat(`${i}`));
    assert.equal((await rejection(service.send(chat("121")))).retryAfter, 60_000);
    // After the clock was set back, nobody has to wait.
    now -= 600_000;
    await service.send(chat("122"));
    await until(() => service.waiting === 0, "sent");
    assert.equal(server.contents().length, 59 + 60 + 1);
  }));

Deno.test("by default it accepts as many as the document's client in a second, and no more in a minute", () =>
  withServer(async (server, open) => {
    const service = open({ now: () => 5_000_000, maxQueueSize: 1_000 });
    await service.connect();
    await Promise.all(Array.from({ length: 600 }, (_, i) => service.send(chat(`${i}`))));
    assert.equal((await rejection(service.send(chat("600")))).code, "rate_limited");
    await until(() => service.waiting === 0, "sent");
    assert.equal(server.contents().length, 600);
  }));

Deno.test("a message that the server would refuse is rejected before it is sent", () =>
  withServer(async (server, open) => {
    const service = open({ maxMessageBytes: 500 });
    await service.connect();
    const wrong: [object, string][] = [
      [{ payload: { content: "é".repeat(300) } }, "too_large"],
      [{ payload: { content: "x", id: "with space" } }, "invalid"],
      [{ payload: { content: "x", id: "a".repeat(41) } }, "invalid"],
      [{ payload: { content: "x", id: 7 } }, "invalid"],
      [{ payload: { content: "x" }, clientId: "" }, "invalid"],
      [{ payload: { content: "x" }, clientId: "c".repeat(101) }, "invalid"],
    ];
    for (const [message, code] of wrong) {
      assert.equal((await rejection(service.send({ type: "chat", ...message }))).code, code);
    }
    await service.send(chat("good"));
    await until(() => service.waiting === 0, "sent");
    assert.deepEqual(server.contents(), ["good"]);
  }));

Deno.test("it gives up after the configured attempts, and tries again when asked", async () => {
  const gone = startChatJsonServer();
  await gone.stop();
  const service = new WebSocketService({
    url: gone.url,
    reconnectDelay: 1,
    maxReconnectDelay: 1,
    maxReconnectAttempts: 2,
  });
  const states = statesOf(service);
  const errors: string[] = [];
  service.onError(({ code }) => errors.push(code));
  await rejection(service.connect());
  await until(() => service.state === "FAILED", "given up");
  assert.deepEqual(errors, ["disconnected", "disconnected", "too_many_attempts"]);
  const attempt = ["CONNECTING", "RECONNECTING"];
  assert.deepEqual(states, ["DISCONNECTED", ...attempt, ...attempt, "CONNECTING", "FAILED"]);
  await rejection(service.connect());
  assert.equal(service.state, "RECONNECTING");
  service.disconnect();
});

Deno.test("without autoReconnect a lost connection stays lost", () =>
  withServer(async (server, open) => {
    const service = open({ autoReconnect: false });
    const ends: number[] = [];
    service.onDisconnect(({ code }) => ends.push(code));
    await service.connect();
    server.drop(3011);
    await until(() => service.state === "DISCONNECTED", "lost");
    assert.deepEqual(ends, [3011]);
    await service.connect();
    assert.equal(server.connections, 2);
  }));

Deno.test("handlers are called for connections made and lost, until they are removed", () =>
  withServer(async (server, open) => {
    const service = open();
    const heard: string[] = [];
    const offs = [
      service.onConnect(() => heard.push("connect")),
      service.onDisconnect(() => {
        heard.push(`disconnect ${service.isConnected()}`);
        throw new Error("a handler of somebody's");
      }),
    ];
    const { error } = console;
    console.error = () => {};
    try {
      await service.connect();
      server.drop();
      await until(() => heard.length === 3, "back");
      for (const off of offs) off();
      server.drop();
      await until(() => server.connections === 3, "back again");
      assert.deepEqual(heard, ["connect", "disconnect false", "connect"]);
    } finally {
      console.error = error;
    }
  }));

Deno.test("refused credentials end the client; those that can be renewed are", () =>
  withServer(async (server, open) => {
    server.intercept = ({ type, payload }, send) => {
      if (type !== "auth" || payload?.["token"] === "fresh") return false;
      const code = payload?.["token"] === "old" ? "token_expired" : "invalid_token";
      send({ type: "auth_response", payload: { success: false, message: code, code } });
      return true;
    };
    const bad = open({ token: "bad" });
    assert.equal((await rejection(bad.connect())).code, "invalid_token");
    assert.equal(bad.state, "FAILED");
    const old = open({ token: "old" });
    assert.equal((await rejection(old.connect())).code, "token_expired");
    assert.equal(old.state, "FAILED");
    const tokens = ["old", "fresh"];
    const renewed = open({ token: () => Promise.resolve(tokens.shift()!) });
    assert.equal((await rejection(renewed.connect())).code, "token_expired");
    await until(() => renewed.isConnected(), "with the fresh one");
  }));

Deno.test("close codes that forbid reconnecting are obeyed", () =>
  withServer(async (server, open) => {
    const banned = open();
    await banned.connect();
    server.drop(3503);
    await until(() => banned.state === "FAILED", "it stays away");
    const ended = open();
    await ended.connect();
    server.drop(1000);
    await until(() => ended.state === "DISCONNECTED", "the server said goodbye");
    const silent = open();
    await silent.connect();
    server.drop(3006);
    await until(() => silent.state === "FAILED", "nobody would authenticate");
  }));

Deno.test("credentials that fail, or a silent server, are a failed attempt", () =>
  withServer(async (server, open) => {
    const config = { autoReconnect: false, connectionTimeout: 50 };
    const thrown = open({
      ...config,
      sessionId: () => {
        throw new Error("no session");
      },
    });
    const error = await rejection(thrown.connect());
    assert.equal(error.code, "credentials");
    assert.match(error.message, /no session/);
    server.intercept = () => true;
    const silent = open({ ...config, sessionId: "s" });
    assert.equal((await rejection(silent.connect())).message, "Connection timeout");
    assert.equal(silent.state, "FAILED");
    const left = open({ ...config, sessionId: "s" });
    const leaving = rejection(left.connect());
    left.disconnect();
    assert.equal((await leaving).code, "closed");
  }));

Deno.test("silence leads to pings, and a missing pong to a new connection", () =>
  withServer(async (server, open) => {
    const service = open({ heartbeatIntervalMs: 20 });
    await service.connect();
    await until(() => server.of("ping").length >= 3, "pings");
    assert.equal(server.connections, 1);
    assert.ok(!Number.isNaN(Date.parse(server.of("ping")[0]!["sentAt"] as string)));
    server.intercept = ({ type }) => type === "ping";
    await until(() => server.connections === 2, "a new one");
  }));

Deno.test("frames that are not messages have no effect", () =>
  withServer(async (server, open) => {
    const service = open();
    const seen: string[] = [];
    service.onMessage(({ type }) => seen.push(type));
    await service.connect();
    for (const socket of server.sockets) {
      for (const frame of ["", "{", "null", "[]", "7", '{"type":1}']) socket.send(frame);
      socket.send(new Uint8Array([1, 2, 3]));
      socket.send(JSON.stringify({ type: "error" }));
      socket.send(JSON.stringify({ type: "auth_response" }));
      socket.send(JSON.stringify({ type: "chat" }));
    }
    await until(() => seen.includes("chat"), "the last one");
    assert.deepEqual(seen, ["system", "error", "auth_response", "chat"]);
    assert.ok(service.isConnected());
  }));
