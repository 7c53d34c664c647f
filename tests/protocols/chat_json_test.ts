import assert from "node:assert/strict";
import { RealtimeService, WebSocketService } from "../../client/chat_json.ts";
import { until } from "../../client/test_server.ts";
import { call, cast, login, openSession, post, widgetKey } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { type Line, openChatJson } from "./chat_json_peer.ts";
import { DocumentClient, type WebSocketMessage } from "./document_client.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const wsUrl = ({ url }: TestServer) => `${url.replace(/^http/, "ws")}/ws`;

async function withServer(
  work: (server: TestServer) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const server = await startServer("pglite", env);
  try {
    await work(server);
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
}

Deno.test("chat JSON: each message of the document has the document's shape", () =>
  withServer(async (server) => {
    const { visitor, agent } = await cast(server);
    const socket = await openChatJson(server.url);
    const { timestamp, ...system } = await socket.until(() => true);
    assert.deepEqual(system, {
      type: "system",
      payload: { message: "Connected to WebSocket server" },
    });
    assert.match(timestamp, ISO);

    const sentAt = new Date().toISOString();
    const pong = await socket.ask({ type: "ping", sentAt });
    assert.deepEqual(Object.keys(pong).sort(), ["sentAt", "timestamp", "type"]);
    assert.equal(pong.type, "pong");
    assert.equal(pong.sentAt, sentAt);
    assert.match(pong.timestamp, ISO);

    const bad = await socket.ask("this is not JSON");
    assert.deepEqual(Object.keys(bad).sort(), ["payload", "timestamp", "type"]);
    assert.equal(bad.type, "error");
    assert.equal(bad.payload.message, "Invalid message format");

    const auth = await socket.ask({ type: "auth", payload: { sessionId: visitor.sessionId } });
    assert.deepEqual({ ...auth, timestamp: "" }, {
      type: "auth_response",
      payload: { success: true, userId: visitor.contact.id, permissions: ["read", "write"] },
      timestamp: "",
    });
    const admin = await openChatJson(server.url);
    const { permissions } = await admin.auth({ token: agent.token });
    assert.deepEqual(permissions, ["read", "write", "admin"]);

    const written = new Date().toISOString();
    const chat = await socket.ask({
      type: "chat",
      payload: { content: "Hello", sender: "user", timestamp: written },
      clientId: "client_abc",
    });
    assert.deepEqual(Object.keys(chat).sort(), ["clientId", "payload", "timestamp", "type"]);
    assert.equal(chat.clientId, "client_abc");
    assert.equal(chat.payload.content, "Hello");
    assert.equal(chat.payload.sender, "user");
    assert.match(chat.payload.timestamp, ISO);
    const heard = await admin.until(({ type }) => type === "chat");
    assert.deepEqual(heard, chat, "one broadcast for everybody");
    const anonymous = await socket.ask({ type: "chat", payload: { content: "No clientId" } });
    assert.equal(anonymous.clientId, "unknown");
    await Promise.all([socket.close(), admin.close()]);
  }));

onEitherEngine(
  "chat JSON: visitor, agent and a native client are in one conversation",
  async (server) => {
    const agent = await login(server);
    const key = await widgetKey(server, agent.token);
    const [visitor, stranger] = [await openSession(server, key), await openSession(server, key)];
    const v = await openChatJson(server.url);
    await v.auth({ sessionId: visitor.sessionId });
    const a = await openChatJson(server.url, `?token=${agent.token}`);
    await a.until(({ type }) => type === "auth_response");
    const other = await openChatJson(server.url);
    other.send({ type: "auth", sessionId: stranger.sessionId });
    await other.until(({ type }) => type === "auth_response");

    v.send({
      type: "chat",
      payload: { content: "Hello!", sender: "agent", timestamp: "2026-01-01T00:00:00.000Z" },
      clientId: "client-1",
    });
    for (const socket of [v, a]) {
      const heard = await socket.until(({ type }) => type === "chat");
      assert.equal(heard.payload.content, "Hello!");
      assert.equal(heard.payload.sender, "user", "nobody chooses who they are");
      assert.equal(heard.clientId, "client-1");
    }
    const { conversationId } = (await a.until(({ type }) => type === "chat")).payload;
    const native = await connect(server, { sessionId: visitor.sessionId });
    await native.ack("join", { conversationId });
    a.send({ type: "chat", payload: { content: "Hi!", conversationId }, clientId: "agent-7" });
    const answer = await v.until(({ payload }) => payload?.content === "Hi!");
    assert.equal(answer.payload.sender, "agent");
    assert.equal(answer.payload.seq, 2);
    await native.event("message", ({ content }) => content === "Hi!");
    await native.ack("message", { content: "From the widget", clientMessageId: "w" });
    const fromWidget = await a.until(({ payload }) => payload?.content === "From the widget");
    assert.equal(fromWidget.clientId, "unknown");

    const note = await connect(server, { token: agent.token });
    const content = "A note";
    await note.ack("message", { conversationId, content, clientMessageId: "n", isPrivate: true });
    await post(server, agent.token, conversationId, "After the note");
    await v.until(({ payload }) => payload?.content === "After the note");
    assert.ok(!JSON.stringify([v.received, v.changes, a.received]).includes("A note"));
    assert.deepEqual(other.chats(), []);
    const refused = await other.ask({
      type: "chat",
      payload: { content: "Mine?", conversationId },
    });
    assert.equal(refused.payload.code, "not_found");
    await Promise.all([v, a, other, native, note].map((one) => one.close()));
  },
);

onEitherEngine("chat JSON: the same id again is the same message again", async (server) => {
  const { visitor, agent, conversation } = await cast(server);
  const v = await openChatJson(server.url, `?sessionId=${visitor.sessionId}`);
  const a = await openChatJson(server.url, `?token=${agent.token}`);
  await a.until(({ type }) => type === "auth_response");
  const once = { type: "chat", payload: { content: "Once", id: "m1" }, clientId: "client-1" };
  const first = await v.ask(once, ({ type }) => type === "chat");
  const again = await v.ask(once, ({ type }) => type === "ack");
  assert.deepEqual({ ...again, timestamp: "" }, {
    type: "ack",
    payload: {
      id: "m1",
      messageId: first.payload.messageId,
      conversationId: conversation.id,
      seq: first.payload.seq,
      duplicate: true,
    },
    clientId: "client-1",
    timestamp: "",
  });
  // Somebody else's id, or another client's, is another message.
  v.send({ ...once, clientId: "client-2" });
  a.send({ ...once, payload: { ...once.payload, conversationId: conversation.id } });
  for (const socket of [v, a]) await socket.until(({ payload }) => payload?.seq === 3);
  assert.equal(v.chats().length, 3);
  assert.equal(a.chats().length, 3);
  await Promise.all([v.close(), a.close()]);
});

Deno.test("chat JSON: what is wrong is said, and the connection goes on", () =>
  withServer(async (server) => {
    const { agent, visitor, key } = await cast(server);
    const stranger = await openSession(server, key);
    const socket = await openChatJson(server.url);
    const format = "Invalid message format";
    const nested = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const before: [unknown, string | RegExp, string][] = [
      ["{", format, "bad_frame"],
      ["", format, "bad_frame"],
      ["null", format, "bad_frame"],
      ["[]", format, "bad_frame"],
      [{ payload: {} }, format, "bad_frame"],
      [{ type: "" }, format, "bad_frame"],
      [{ type: 7 }, format, "bad_frame"],
      [{ type: "chat", payload: "text" }, format, "bad_frame"],
      [{ type: "ping", sentAt: {} }, format, "bad_frame"],
      ['{"type":"chat","payload":{"content":"a\\u0000b"}}', format, "bad_frame"],
      [nested, format, "bad_frame"],
      [new Uint8Array([1, 2, 3]), /binary/, "bad_frame"],
      [{ type: "chat", payload: { content: "Too early" } }, /authenticate/, "unauthenticated"],
      [{ type: "nope" }, /authenticate/, "unauthenticated"],
    ];
    const check = async ([frame, sentence, code]: (typeof before)[number]) => {
      const line = await socket.ask(frame);
      assert.equal(line.type, "error", String(frame).slice(0, 100));
      assert.equal(line.payload.code, code);
      if (typeof sentence === "string") assert.equal(line.payload.message, sentence);
      else assert.match(line.payload.message, sentence);
      assert.match(line.timestamp, ISO);
      return line;
    };
    for (const one of before) await check(one);
    const auth = await socket.ask({ type: "auth", payload: { sessionId: stranger.sessionId } });
    assert.equal(auth.payload.success, true);
    const { conversation } = await cast(server);
    const after: [unknown, string | RegExp, string][] = [
      [{ type: "nope" }, /unknown type "nope"/, "unknown_type"],
      [{ type: "__proto__" }, /unknown type "__proto__"/, "unknown_type"],
      [{ type: "chat" }, /payload.content/, "invalid"],
      [{ type: "chat", payload: { content: "" } }, /payload.content/, "invalid"],
      [{ type: "chat", payload: { content: 7 } }, /payload.content/, "invalid"],
      [{ type: "chat", payload: { content: "x".repeat(20_001) } }, /payload.content/, "invalid"],
      [{ type: "chat", payload: { content: "x", id: "a b" } }, /payload.id/, "invalid"],
      [
        { type: "chat", payload: { content: "x", conversationId: "1" } },
        /payload.conversationId/,
        "invalid",
      ],
      [
        { type: "chat", payload: { content: "x", conversationId: conversation.id } },
        /Cannot find/,
        "not_found",
      ],
      [JSON.stringify({ type: "ping", sentAt: "x".repeat(70_000) }), /65536/, "too_large"],
    ];
    for (const one of after) await check(one);
    const named = await check([
      { type: "chat", payload: { content: "", id: "m7" } },
      /payload.content/,
      "invalid",
    ]);
    assert.equal(named.payload.id, "m7", "the error says which chat it is about");
    const second = await socket.ask({ type: "auth", payload: { sessionId: visitor.sessionId } });
    assert.equal(second.payload.success, false);
    assert.equal(second.payload.code, "conflict");
    const chat = await socket.ask({ type: "chat", payload: { content: "Still there" } });
    assert.equal(chat.payload.content, "Still there");
    const a = await openChatJson(server.url, `?token=${agent.token}`);
    await a.until(({ type }) => type === "auth_response");
    const unnamed = await a.ask({ type: "chat", payload: { content: "To whom?" } });
    assert.match(unnamed.payload.message, /conversationId/);
    await Promise.all([socket.close(), a.close()]);
  }));

Deno.test("chat JSON: who does not say who they are is sent away", () =>
  withServer(async (server) => {
    const refused: [object, string, number][] = [
      [{ token: "a.b.c" }, "invalid_token", 3500],
      [{ sessionId: "made up" }, "invalid_session", 3500],
    ];
    for (const [payload, code, closeCode] of refused) {
      const socket = await openChatJson(server.url);
      const line = await socket.ask({ type: "auth", payload }, ({ type }) => type !== "system");
      assert.equal(line.payload.success, false);
      assert.equal(line.payload.code, code);
      assert.match(line.payload.message, /^Cannot authenticate/);
      const known = await Promise.race([socket.closed, socket.ask({ type: "ping" })]);
      if (typeof known === "number") assert.equal(known, closeCode);
      await socket.close();
    }
    const empty = await openChatJson(server.url);
    const { payload } = await empty.ask(
      { type: "auth", payload: {} },
      ({ type }) => type === "auth_response",
    );
    assert.equal(payload.code, "invalid");
    assert.equal(await empty.closed, 3006);
    const flood = await openChatJson(server.url);
    for (let i = 0; i < 30; i++) flood.send({ type: "ping" });
    assert.equal(await flood.closed, 1009);
    const huge = await openChatJson(server.url);
    huge.send("x".repeat(300_000));
    assert.equal(await huge.closed, 1009);
  }, { AUTH_TIMEOUT_MS: "1000" }));

Deno.test("chat JSON: over the rate it is told how long to wait, and in the end sent away", () =>
  withServer(async (server) => {
    const { visitor } = await cast(server);
    const socket = await openChatJson(server.url, `?sessionId=${visitor.sessionId}`);
    await socket.until(({ type }) => type === "auth_response");
    for (let i = 0; i < 5; i++) {
      socket.send({ type: "chat", payload: { content: `${i}`, id: `${i}` } });
    }
    const limited = await socket.until(({ type }) => type === "error");
    assert.equal(limited.payload.code, "rate_limited");
    assert.equal(limited.payload.message, "Rate limit exceeded");
    assert.ok(limited.payload.retryAfter > 0);
    assert.equal(limited.payload.id, "4");
    for (let i = 0; i < 40; i++) socket.send({ type: "ping" });
    assert.equal(await socket.closed, 1008);
  }, { LIMIT_MESSAGES_PER_MINUTE: "5" }));

Deno.test("chat JSON: the document's own client talks with it unchanged, over a restart", () =>
  withServer(async (server) => {
    const { visitor, agent, conversation } = await cast(server);
    const service = new DocumentClient(wsUrl(server), "document-1");
    const types: string[] = [];
    const messages: Line[] = [];
    const handleMessage = (message: WebSocketMessage) => {
      types.push(message.type);
      if (message.type === "chat") messages.push(message.payload);
    };
    service.addMessageHandler(handleMessage);
    service.onConnect(() =>
      void service.send({ type: "auth", payload: { sessionId: visitor.sessionId } })
    );
    const contents = () => messages.map(({ content }) => content);
    try {
      await service.connect();
      const isAuthenticated = (times: number) => () =>
        types.filter((type) => type === "auth_response").length === times;
      await until(isAuthenticated(1), "authenticated");
      await service.send({
        type: "chat",
        payload: {
          content: "From the widget",
          sender: "user",
          timestamp: new Date().toISOString(),
        },
      });
      await until(() => messages.length === 1, "its own message");
      await post(server, agent.token, conversation.id, "From the inbox");
      await until(() => messages.length === 2, "both messages");
      await until(() => types.includes("pong"), "its heartbeat is answered");
      await server.stop();
      await until(() => service.connectionState === "RECONNECTING", "it noticed");
      await server.restart();
      await until(isAuthenticated(2), "back by itself");
      await post(server, agent.token, conversation.id, "After the restart");
      await until(() => messages.length === 3, "live again");
      assert.deepEqual(contents(), ["From the widget", "From the inbox", "After the restart"]);
      assert.deepEqual(messages.map(({ sender }) => sender), ["user", "agent", "agent"]);
      service.removeMessageHandler(handleMessage);
    } finally {
      await service.disconnect();
    }
  }));

/** A service that is told everything it should be, and what its chats said. */
function makeService(server: TestServer, config: object) {
  const service = new WebSocketService({
    url: server.url,
    reconnectDelay: 20,
    maxReconnectDelay: 100,
    maxReconnectAttempts: Infinity,
    ...config,
  });
  const chats: string[] = [];
  service.addMessageHandler(({ type, payload }) => {
    if (type === "chat") chats.push(payload!["content"] as string);
  });
  return { service, chats };
}

Deno.test("chat JSON SDK: the document's chat widget works with it as it is written there", () =>
  withServer(async (server) => {
    const { visitor, agent, conversation } = await cast(server);
    const { service: websocketService } = makeService(server, { sessionId: visitor.sessionId });
    let messages: Line[] = [];
    let isConnected = false;
    const handleMessage = (message: { type: string; payload?: Line }) => {
      if (message.type === "chat") messages = [...messages, message.payload];
    };
    const failures: unknown[] = [];
    const sendMessage = (content: string) => {
      if (!isConnected) return;
      websocketService.send({
        type: "chat",
        payload: { content, sender: "user", timestamp: new Date().toISOString() },
      }).catch((error) => failures.push(error));
    };
    try {
      websocketService.connect().then(() => isConnected = true).catch((error) =>
        failures.push(error)
      );
      websocketService.addMessageHandler(handleMessage);
      await until(() => isConnected, "connected");
      sendMessage("Hello");
      await until(() => messages.length === 1, "its own message");
      await post(server, agent.token, conversation.id, "Hi");
      await until(() => messages.length === 2, "the answer");
      assert.deepEqual(
        messages.map(({ content, sender }) => [content, sender]),
        [["Hello", "user"], ["Hi", "agent"]],
      );
      websocketService.removeMessageHandler(handleMessage);
      await post(server, agent.token, conversation.id, "Nobody listens");
      assert.deepEqual([messages.length, failures], [2, []]);
    } finally {
      websocketService.disconnect();
    }
  }));

onEitherEngine(
  "chat JSON SDK: what was written during a restart arrives once and in order",
  async (server) => {
    const { visitor, agent, conversation } = await cast(server);
    const { service, chats } = makeService(server, { sessionId: visitor.sessionId });
    const a = makeService(server, { token: () => agent.token });
    const say = (content: string) => service.send({ type: "chat", payload: { content } });
    try {
      await Promise.all([service.connect(), a.service.connect()]);
      await say("before");
      await until(() => a.chats.length === 1, "the agent has it");
      await server.stop();
      await until(() => !service.isConnected(), "noticed");
      for (let i = 1; i <= 5; i++) await say(`away ${i}`);
      await until(() => !a.service.isConnected(), "the agent noticed");
      const back = new Promise((resolve) => a.service.onConnect(() => resolve(null)));
      await server.restart();
      await until(() => service.waiting === 0, "all is stored");
      await back;
      await a.service.send({
        type: "chat",
        payload: { content: "answer", conversationId: conversation.id },
      });
      await until(() => chats.at(-1) === "answer", "the answer");
      const expected = ["before", ...[1, 2, 3, 4, 5].map((i) => `away ${i}`), "answer"];
      assert.deepEqual(chats, expected);
      const { body } = await call<{ items: { type: string; content: string }[] }>(
        server,
        "GET",
        `/api/conversations/${conversation.id}/messages?after=0`,
        { token: agent.token },
      );
      const texts = body.items.filter(({ type }) => type === "text");
      assert.deepEqual(texts.map(({ content }) => content), expected);
    } finally {
      service.disconnect();
      a.service.disconnect();
    }
  },
);

onEitherEngine(
  "chat JSON SDK: a chat whose echo was lost is sent again and stored once",
  async (server) => {
    const { visitor, agent, conversation } = await cast(server);
    let lose = true;
    /** Ends the connection in the moment in which the echo arrives. */
    class Losing extends WebSocket {
      override set onmessage(handler: ((event: MessageEvent) => unknown) | null) {
        super.onmessage = (event) => {
          if (lose && JSON.parse(event.data).type === "chat") {
            lose = false;
            this.close(3011);
            return;
          }
          handler?.call(this, event);
        };
      }
    }
    const { service } = makeService(server, {
      sessionId: visitor.sessionId,
      WebSocket: Losing as typeof WebSocket,
    });
    const acks: unknown[] = [];
    service.onMessage(({ type, payload }) => type === "ack" && acks.push(payload!["seq"]));
    try {
      await service.connect();
      await service.send({ type: "chat", payload: { content: "lost echo" } });
      await service.send({ type: "chat", payload: { content: "next" } });
      await until(() => service.waiting === 0, "both are known to be stored");
      assert.equal(lose, false);
      assert.deepEqual(acks, [1]);
      const { body } = await call<{ items: { content: string }[] }>(
        server,
        "GET",
        `/api/conversations/${conversation.id}/messages?after=0`,
        { token: agent.token },
      );
      assert.deepEqual(body.items.map(({ content }) => content), ["lost echo", "next"]);
    } finally {
      service.disconnect();
    }
  },
);

Deno.test("chat JSON SDK: a token that ends is replaced by a new one", () =>
  withServer(async (server) => {
    const { conversation } = await cast(server);
    let signIns = 0;
    const { service, chats } = makeService(server, {
      token: async () => {
        signIns++;
        return (await login(server)).token;
      },
    });
    try {
      await service.connect();
      await until(() => signIns >= 2 && service.isConnected(), "with a new token");
      const payload = { content: "Still here", conversationId: conversation.id };
      await service.send({ type: "chat", payload });
      await until(() => chats.length === 1, "it works");
    } finally {
      service.disconnect();
    }
  }, { ACCESS_TOKEN_MS: "5000", TOKEN_GRACE_MS: "200" }));

Deno.test("chat JSON SDK: more at once than the server takes arrives all the same, in order", () =>
  withServer(async (server) => {
    const { visitor } = await cast(server);
    const { service, chats } = makeService(server, {
      sessionId: visitor.sessionId,
      rateLimitPerSecond: 100,
    });
    const errors: unknown[] = [];
    service.onMessage(({ type, payload }) => type === "error" && errors.push(payload!["code"]));
    try {
      await Promise.all(
        Array.from(
          { length: 100 },
          (_, i) => service.send({ type: "chat", payload: { content: `${i}` } }),
        ),
      );
      await until(() => chats.length === 100, "all of them", 40_000);
      assert.deepEqual(chats, Array.from({ length: 100 }, (_, i) => `${i}`));
      assert.equal(service.waiting, 0);
      assert.deepEqual(new Set(errors), new Set(["rate_limited"]), "the limit was reached");
    } finally {
      service.disconnect();
    }
  }, { LIMIT_MESSAGES_PER_MINUTE: "88" }));

Deno.test("chat JSON: a visitor finds the rows of their session by the id that they were given", () =>
  withServer(async (server) => {
    const { visitor, agent, key, conversation } = await cast(server);
    const stranger = await openSession(server, key);
    const mine = await openChatJson(server.url, `?sessionId=${visitor.sessionId}`);
    const theirs = await openChatJson(server.url, `?sessionId=${stranger.sessionId}`);
    for (const peer of [mine, theirs]) await peer.until(({ type }) => type === "auth_response");
    mine.send({ type: "chat", payload: { content: "Hello" } });
    await post(server, agent.token, conversation.id, "Hi");
    // The document's own filter: `rowValue == filterValue` on `session_id=${sessionId}`.
    const rows = () =>
      mine.changes.filter(({ table, data }) =>
        table === "chat_messages" && data.session_id === visitor.sessionId
      );
    await until(() => rows().length === 2, "both messages");
    assert.deepEqual(rows().map(({ data }) => data.content).sort(), ["Hello", "Hi"]);
    for (const { new: row, data } of rows()) assert.equal(row.session_id, data.session_id);
    assert.ok(!JSON.stringify(theirs.changes).includes(visitor.sessionId));
    for (const peer of [mine, theirs]) await peer.close();
  }));

Deno.test("chat JSON SDK: credentials that are not good end it with the server's reason", () =>
  withServer(async (server) => {
    const { service } = makeService(server, { sessionId: "made up" });
    await assert.rejects(service.connect(), { code: "invalid_session" });
    assert.equal(service.state, "FAILED");
    assert.doesNotThrow(() => new RealtimeService(service).subscribeToContextRules(() => {}));
  }));

onEitherEngine(
  "chat JSON SDK: changes of tables arrive as the document's components take them",
  async (server) => {
    const { visitor, agent, key, conversation } = await cast(server);
    const stranger = await openSession(server, key);
    const a = makeService(server, { token: agent.token });
    const v = makeService(server, { sessionId: visitor.sessionId });
    const other = makeService(server, { sessionId: stranger.sessionId });
    const all = [a, v, other];
    const rest = (method: string, path: string, body?: unknown) =>
      call<{ id: string }>(server, method, path, { token: agent.token, body });
    try {
      await Promise.all(all.map(({ service }) => service.connect()));
      // As the document's admin dashboard has it, for its context rules.
      let widgets: Line[] = [];
      const realtimeService = new RealtimeService(a.service);
      const subscription = realtimeService.subscribeToTable("widget_configs", (payload) => {
        if (payload.eventType === "INSERT") {
          widgets = [...widgets, payload.new];
        } else if (payload.eventType === "UPDATE") {
          widgets = widgets.map((widget) => widget.id === payload.new["id"] ? payload.new : widget);
        } else if (payload.eventType === "DELETE") {
          widgets = widgets.filter((widget) => widget.id !== payload.new["id"]);
        }
      });
      const { body: { id } } = await rest("POST", "/api/widget-configs", { name: "Shop" });
      await until(() => widgets.length === 1, "inserted");
      assert.equal(widgets[0].name, "Shop");
      assert.ok(!JSON.stringify(widgets).includes("secret"), "no secrets");
      await rest("PATCH", `/api/widget-configs/${id}`, { name: "Shop 2" });
      await until(() => widgets[0].name === "Shop 2", "updated");
      await rest("DELETE", `/api/widget-configs/${id}`);
      await until(() => widgets.length === 0, "deleted");
      subscription.unsubscribe();

      const resolved: unknown[] = [];
      realtimeService.subscribeToTable(
        "conversations",
        ({ data }) => resolved.push(data["id"]),
        ["UPDATE"],
        "status=resolved & last_seq>=2",
      );
      const messages: unknown[] = [];
      const realtimeOfVisitor = new RealtimeService(v.service);
      realtimeOfVisitor.subscribeToChatMessages(
        visitor.sessionId,
        ({ data, new: row }) => messages.push([data["content"], row["seq"]]),
      );
      const strange: unknown[] = [];
      other.service.onMessage((message) => message["table"] !== undefined && strange.push(message));
      await v.service.send({ type: "chat", payload: { content: "Hello" } });
      await until(() => messages.length === 1, "the first message");
      await post(server, agent.token, conversation.id, "Hi");
      await until(() => messages.length === 2, "both messages");
      assert.deepEqual(messages, [["Hello", 1], ["Hi", 2]]);
      assert.deepEqual(resolved, []);
      await rest("PATCH", `/api/conversations/${conversation.id}`, { status: "resolved" });
      await until(() => resolved.length > 0, "the filter fits");
      assert.deepEqual(new Set(resolved), new Set([conversation.id]));

      await other.service.send({ type: "chat", payload: { content: "Mine" } });
      await until(
        () => strange.some((one) => (one as Line).data.content === "Mine"),
        "their own message",
      );
      for (const { data } of strange as Line[]) {
        assert.ok(!JSON.stringify(data).includes(conversation.id), "somebody else's row");
      }
    } finally {
      for (const { service } of all) service.disconnect();
    }
  },
);
