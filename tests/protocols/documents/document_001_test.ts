import assert from "node:assert/strict";
import { within } from "../../support/deadline.ts";
import { call, login, post } from "../../support/http.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { SECRET, sign } from "../scoped_peer.ts";
import {
  ChatWebSocketClient,
  type ClientOptions,
  ScopedWebSocketClient,
  type WebSocketMessage,
} from "./document_001_client.ts";
import { until } from "./until.ts";

const ISSUER = "https://lms.example";

/** Clients of one server, all of which are closed with it. */
async function withClients(
  env: Record<string, string>,
  fn: (server: TestServer, make: {
    chat(options: Omit<ClientOptions, "url">): Promise<ChatWebSocketClient>;
    other(
      kind: "analytics" | "collaboration",
      options: Omit<ClientOptions, "url">,
    ): Promise<ScopedWebSocketClient>;
  }) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", { JWT_SECRET: SECRET, ...env });
  const clients: ScopedWebSocketClient[] = [];
  const open = async <C extends ScopedWebSocketClient>(client: C): Promise<C> => {
    clients.push(client);
    await client.connect();
    return client;
  };
  const url = (kind: string) => `${server.url.replace("http", "ws")}/api/${kind}/ws`;
  try {
    await fn(server, {
      chat: (options) => open(new ChatWebSocketClient({ url: url("chat"), ...options })),
      other: (kind, options) => open(new ScopedWebSocketClient({ url: url(kind), ...options })),
    });
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
  }
}

Deno.test("document 001: chat, metrics of a context, and sessions by name", async () => {
  await withClients({ PRESENCE_GRACE_MS: "0" }, async (server, make) => {
    const { token: agent } = await login(server);
    const contextId = "context_123";
    const ann = await make.chat({
      token: await sign({ sub: "1", name: "Ann", contextId }),
      contextId,
    });
    ann.say("Hello, everyone!");
    await until(() => ann.shown.length === 1, "one's own message is the first frame");
    assert.equal(ann.received[0]!.type, "message");
    const bob = await make.chat({
      token: await sign({ sub: "2", name: "Bob", context_id: contextId }),
      initialMessage: true,
    });
    await until(() => ann.of("user_joined").length === 1, "user_joined");
    assert.equal(ann.of("user_joined")[0]!.data.username, "Bob");
    bob.typing(true);
    bob.typing(false);
    await until(() => ann.of("typing").length === 2, "typing");
    assert.deepEqual(ann.of("typing").map(({ data }) => data.isTyping), [true, false]);
    bob.send({
      type: "history",
      data: { limit: 50, before: new Date(Date.now() + 1000).toISOString() },
    });
    await until(() => bob.of("history").length === 1, "history");
    assert.deepEqual(
      bob.of("history")[0]!.data.messages.map((one: { content: string }) => one.content),
      [
        "Hello, everyone!",
      ],
    );
    bob.startPing(20);
    await until(() => bob.pongs >= 2, "pongs");

    // The analytics client with a context: all three, and of that context alone.
    const dashboard = await make.other("analytics", { token: agent, contextId });
    const quiet = await make.other("analytics", { token: agent, contextId: "another" });
    const metrics = ["engagement", "performance", "activity"];
    for (const client of [dashboard, quiet]) client.send({ type: "subscribe", data: { metrics } });
    type Value = Record<string, number | null>;
    const last = (client: ScopedWebSocketClient, metric: string): Value =>
      client.of("metric_update").findLast(({ data }) => data.metric === metric)?.data.value ?? {};
    for (const client of [dashboard, quiet]) {
      await until(() =>
        metrics.every((one) =>
          "value" in { value: last(client, one) } &&
          Object.keys(last(client, one)).length > 0
        ), "all three");
      assert.deepEqual(client.of("subscribed")[0]!.data, { metrics, unavailable: [] });
      assert.deepEqual(client.of("error"), []);
    }
    const { data: { id: _ } } = ann.of("message")[0]!;
    const { conversationId } = ann.of("message")[0]!.data;
    await post(server, agent, conversationId, "An answer");
    await call(server, "PATCH", `/api/conversations/${conversationId}`, {
      token: agent,
      body: { status: "resolved" },
    });
    await until(() => last(dashboard, "engagement")["conversations_resolved"] === 1, "engagement");
    const engagement = last(dashboard, "engagement");
    assert.deepEqual(
      [engagement["messages_in"], engagement["messages_out"], engagement["people_writing"]],
      [1, 1, 2],
    );
    await until(() => last(dashboard, "performance")["resolution_median"] !== null, "performance");
    assert.ok((last(dashboard, "performance")["first_response_median"] ?? -1) >= 0);
    assert.deepEqual(last(dashboard, "activity"), { agents_online: 0, visitors_online: 2 });
    assert.deepEqual(last(quiet, "activity"), { agents_online: 0, visitors_online: 0 });
    assert.equal(last(quiet, "engagement")["messages_in"], 0);
    await bob.close();
    await until(() => ann.of("user_left").length === 1, "user_left");
    assert.equal(ann.of("user_left")[0]!.data.username, "Bob");

    // An agent without a context: sessions of the workspace by name.
    const join = { type: "join_session", data: { sessionId: "session_123", role: "participant" } };
    const [first, second] = [
      await make.other("collaboration", { token: agent }),
      await make.other("collaboration", { token: agent, initialMessage: true }),
    ];
    const within = await make.other("collaboration", { token: agent, contextId });
    const participant = await make.other("collaboration", {
      token: await sign({ sub: "1", contexts: [contextId] }),
    });
    for (const client of [first, second, within, participant]) {
      client.send(join);
      await until(() => client.of("session_joined").length === 1, "session_joined");
    }
    const { version } = first.of("session_joined")[0]!.data;
    first.send({
      type: "edit",
      data: { operation: "insert", position: 0, content: "Hello World", version },
    });
    await until(() => second.of("edit").length === 1, "the edit");
    const { operation, position, content, author } = second.of("edit")[0]!.data;
    assert.deepEqual([operation, position, content], ["insert", 0, "Hello World"]);
    assert.ok(author.userId);
    const late = await make.other("collaboration", { token: agent });
    late.send(join);
    await until(() => late.of("session_joined").length === 1, "the text");
    assert.equal(late.of("session_joined")[0]!.data.content, "Hello World");
    // The session of the same name in a context is another one.
    for (const client of [within, participant]) assert.deepEqual(client.of("edit"), []);
    late.send({ type: "leave_session", data: { sessionId: "session_123" } });
    await until(() => late.of("session_left").length === 1, "session_left");
    // Somebody with several contexts has to say which.
    const several = await make.other("collaboration", {
      token: await sign({ sub: "3", contexts: ["a", "b"] }),
    });
    await until(() => several.of("error").length === 1, "which context?");
    assert.match(several.of("error")[0]!.error!, /"contextId" is missing/);
  });
});

Deno.test("document 001: claims that name a context, and issuers that need none", async () => {
  await withClients(
    { JWT_ANY_CONTEXT_ISSUERS: ` ${ISSUER}, https://other` },
    async (server, make) => {
      const admitted = async (claims: Record<string, unknown>, contextId?: string) => {
        const client = await make.chat({
          token: await sign({ sub: "1", ...claims }),
          initialMessage: true,
          ...(contextId === undefined ? {} : { contextId }),
        });
        await until(() => client.received.length > 0, "an answer");
        return client.received[0]!;
      };
      for (
        const [claims, asked, expected] of [
          [{ contextId: "a" }, undefined, "a"],
          [{ context_id: "b" }, "b", "b"],
          [{ context_id: 42 }, undefined, "42"],
          [{ contexts: ["a"], contextId: "b" }, "b", "b"],
          [{ iss: ISSUER }, "any name", "any name"],
          [{ iss: "https://other" }, "c", "c"],
        ] as [Record<string, unknown>, string | undefined, string][]
      ) {
        const answer = await admitted(claims, asked);
        assert.equal(answer.type, "authenticated", JSON.stringify([claims, answer]));
        assert.equal(answer.data.contextId, expected);
      }
      const { conversationId } = (await admitted({ contextId: "a" })).data;
      for (
        const [claims, asked, code, sentence] of [
          [{}, "a", "invalid_token", /"contexts" is missing.*"contextId" and "context_id"/],
          [{ iss: "https://evil" }, "a", "invalid_token", /"contexts" is missing/],
          [{ contextId: "a" }, "b", "forbidden", /does not name "b"/],
          // What a token names holds, whoever made it.
          [{ iss: ISSUER, contextId: "a" }, "b", "forbidden", /does not name "b"/],
          // The id of a conversation may be anybody's.
          [{ iss: ISSUER }, conversationId, "forbidden", /does not name/],
          [{ iss: ISSUER }, undefined, "invalid", /"contextId" is missing/],
          [{ contextId: "" }, undefined, "invalid_token", /"contextId"/],
        ] as [Record<string, unknown>, string | undefined, string, RegExp][]
      ) {
        const answer = await admitted(claims, asked);
        assert.equal(answer.data.code, code, JSON.stringify([claims, asked]));
        assert.match(answer.error!, sentence);
      }
      // A new token on the connection has to be good for the context that was entered.
      const client = await make.chat({
        token: await sign({ sub: "9", iss: ISSUER }),
        contextId: "room",
        initialMessage: true,
      });
      client.send({
        type: "refresh",
        id: "1",
        data: { token: await sign({ sub: "9", iss: ISSUER }) },
      });
      client.send({
        type: "refresh",
        id: "2",
        data: { token: await sign({ sub: "9", contextId: "x" }) },
      });
      await until(() => client.received.some(({ id }) => id === "2"), "two answers");
      assert.equal(client.received.find(({ id }) => id === "1")!.type, "ack");
      assert.equal(client.received.find(({ id }) => id === "2")!.data.code, "forbidden");
      client.say("Still here");
      await until(() => client.shown.length === 1, "a message");
      assert.equal(server.errors.length, 0);
    },
  );
});

Deno.test("document 001: a room's rate is told to who exceeds it, one's own ends the connection", async () => {
  const env = { LIMIT_ROOM_BROADCASTS_PER_MINUTE: "5", LIMIT_MESSAGES_PER_MINUTE: "12" };
  await withClients(env, async (_server, make) => {
    const tokenOf = (sub: string) => sign({ sub, contexts: ["busy", "typing"] });
    const loud = await make.chat({ token: await tokenOf("1"), contextId: "busy" });
    const innocent = await make.chat({
      token: await tokenOf("2"),
      contextId: "busy",
      initialMessage: true,
    });
    await until(() => innocent.of("authenticated").length === 1, "authenticated");
    for (let i = 0; i < 5; i++) loud.say(`Loud ${i}`);
    await until(() => innocent.shown.length === 5, "what is loud");
    innocent.say("May I?");
    await until(() => innocent.of("error").length === 1, "the room's rate");
    const { error, data } = innocent.of("error")[0]!;
    assert.equal(error, "Rate limit exceeded");
    assert.deepEqual([data.code, data.limit], ["rate_limited", "LIMIT_ROOM_BROADCASTS_PER_MINUTE"]);
    assert.ok(data.retryAfter > 0);
    innocent.send({ type: "ping", data: {} });
    await until(() => innocent.pongs === 1, "the connection goes on");
    assert.deepEqual(innocent.closes, []);

    // That typing ends is told to the room as well, and counts.
    const typist = await make.chat({ token: await tokenOf("3"), contextId: "typing" });
    for (const isTyping of [true, false, true, false, true]) typist.typing(isTyping);
    typist.say("One too many");
    await until(() => typist.of("error").length === 1, "the room's rate by typing");
    assert.equal(typist.of("error")[0]!.data.limit, "LIMIT_ROOM_BROADCASTS_PER_MINUTE");
    assert.deepEqual(typist.closes, []);

    for (let i = 0; i < 13; i++) loud.send({ type: "ping", data: {} });
    await until(() => loud.closes.length === 1, "the end of who exceeds their own rate");
    assert.deepEqual(loud.closes[0], { code: 1008, reason: "Rate limit exceeded" });
    assert.equal(loud.of("error").at(-1)!.data.limit, "LIMIT_MESSAGES_PER_MINUTE");
  });
});

Deno.test("document 001: what is queued while the server restarts arrives once, in order", async () => {
  await withClients({}, async (server, make) => {
    const contextId = "context_123";
    const ann = await make.chat({ token: await sign({ sub: "1", contextId }), contextId });
    const bob = await make.chat({
      token: await sign({ sub: "2", contextId }),
      contextId,
      initialMessage: true,
    });
    await until(() => bob.of("authenticated").length === 1, "authenticated");
    ann.say("Before");
    await until(() => bob.shown.length === 1, "the first");
    await server.stop();
    await until(() => ann.closes.length === 1 && bob.closes.length === 1, "the end");
    assert.notEqual(ann.closes[0]!.code, 1000);
    const queued = Array.from({ length: 25 }, (_, i) => `Queued ${i}`);
    for (const content of queued) ann.say(content);
    await server.restart();
    await until(() => ann.shown.length === 26, "the queue");
    assert.deepEqual(ann.shown.map(({ content }) => content), ["Before", ...queued]);
    assert.deepEqual(ann.of("error"), []);
  });
});

/** The helper that the document's integration test calls and does not show. */
function waitForMessage(ws: WebSocket): Promise<WebSocketMessage> {
  return within(
    new Promise((resolve, reject) => {
      ws.onmessage = (event) => resolve(JSON.parse(event.data));
      ws.onclose = ({ code, reason }) => reject(new Error(`Closed: ${code} ${reason}`));
    }),
    "a message",
  );
}

Deno.test("document 001: its integration test", async () => {
  await withClients({}, async (server) => {
    const { token } = await login(server);
    // From here on as in the document, with this server's address and a token that is one.
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/api/chat/ws?token=${token}`);

    await new Promise((resolve) => {
      ws.onopen = resolve;
    });

    ws.send(
      JSON.stringify({
        type: "message",
        data: { content: "Test message" },
      }),
    );

    const response = await waitForMessage(ws);
    assert.equal(response.type, "message");
    // What the document says of messages elsewhere.
    const { id, content, author, timestamp } = response.data;
    assert.equal(content, "Test message");
    assert.equal(author.role, "agent");
    assert.ok(id && timestamp && response.timestamp);

    const closed = new Promise((resolve) => ws.onclose = resolve);
    ws.close();
    await within(closed, "the close");
  });
});
