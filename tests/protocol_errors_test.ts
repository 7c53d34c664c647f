import assert from "node:assert/strict";
import { poll } from "./support/deadline.ts";
import { call, cast, openSession, widgetKey } from "./support/http.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { connect, TestSocket } from "./support/socket.ts";

type ErrorMessage = { type: string; id?: unknown; error: string; data: { code: string } };

Deno.test("every bad frame has its own error, and the connection goes on", async () => {
  const server = await startServer("pglite");
  try {
    const { visitor, conversation } = await cast(server);
    const socket = await connect(server, { sessionId: visitor.sessionId });
    const conversationId = conversation.id;
    const nul = '{"type":"message","id":"x","data":{"content":"a\\u0000b","clientMessageId":"c"}}';
    const cases: [string | Uint8Array<ArrayBuffer>, string, RegExp][] = [
      ["{", "bad_json", /not valid JSON/],
      ["null", "bad_frame", /message/],
      ["[]", "bad_frame", /message/],
      ['"hello"', "bad_frame", /message/],
      ["{}", "bad_frame", /type/],
      ['{"type":7}', "bad_frame", /type/],
      ['{"type":"nope"}', "unknown_type", /"nope"/],
      ['{"type":"constructor"}', "unknown_type", /"constructor"/],
      ['{"type":"__proto__"}', "unknown_type", /"__proto__"/],
      ['{"type":"join","data":{}}', "invalid", /conversationId/],
      ['{"type":"join","data":{"conversationId":"1"}}', "invalid", /conversationId/],
      ['{"type":"message","data":{"content":" ","clientMessageId":"a"}}', "invalid", /content/],
      ['{"type":"message","data":{"content":"a","clientMessageId":""}}', "invalid", /clientMess/],
      [
        '{"type":"message","data":{"content":"a","clientMessageId":"a","role":"agent"}}',
        "invalid",
        /role/,
      ],
      [nul, "bad_json", /U\+0000/],
      [
        `{"type":"typing","data":{"conversationId":"${conversationId}","isTyping":true}}`,
        "not_joined",
        /join/,
      ],
      [`{"type":"presence","data":{"status":"away"}}`, "forbidden", /agents/],
      [
        '{"type":"join","data":{"conversationId":"00000000-0000-7000-8000-000000000000"}}',
        "not_found",
        /conversation/,
      ],
      [new Uint8Array([1, 2, 3]), "bad_frame", /binary/],
      [JSON.stringify({ type: "ping", data: "x".repeat(70_000) }), "too_large", /65536/],
      [JSON.stringify({ type: "ping", data: "€".repeat(30_000) }), "too_large", /90\d\d\d bytes/],
    ];
    for (const [frame, code, sentence] of cases) {
      const before = socket.received.length;
      socket.raw(frame);
      const found = await socket.until(
        (message) => message.type === "error" && socket.received.indexOf(message) >= before,
        `${code} for ${frame}`,
      ) as unknown as ErrorMessage;
      assert.equal(found.data.code, code, String(frame).slice(0, 100));
      assert.match(found.error, sentence);
    }
    const fields = await socket.ask("message", { conversationId: 1, content: 2 });
    const { data } = fields as unknown as { data: { fields: { path: string }[] } };
    assert.deepEqual(
      new Set(data.fields.map(({ path }) => path)),
      new Set(["conversationId", "content", "clientMessageId"]),
    );
    const sent = await socket.ack("message", {
      content: "Half a surrogate \ud83d, whole 👋🏽",
      clientMessageId: "s",
    });
    assert.equal(sent.message.content, "Half a surrogate \ufffd, whole 👋🏽");
    await socket.close();
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});

Deno.test("several messages in one frame are handled in order", async () => {
  const server = await startServer("pglite");
  try {
    const { visitor, conversation } = await cast(server);
    const socket = new TestSocket(server.url);
    const line = (type: string, id: number, data: unknown) => JSON.stringify({ type, id, data });
    await socket.event("welcome");
    socket.raw([
      line("auth", 1, { sessionId: visitor.sessionId }),
      line("message", 2, { content: "One", clientMessageId: "1" }),
      "",
      line("message", 3, { content: "Two", clientMessageId: "2" }),
      line("history", 4, { conversationId: conversation.id }),
    ].join("\n"));
    await socket.until((message) => message.id === 4, "the last answer");
    const order = socket.received.map(({ id }) => id).filter((id) => id !== undefined);
    assert.deepEqual(order, [1, 2, 3, 4]);
    await socket.close();
  } finally {
    await server.close();
  }
});

Deno.test("a peer that does not authenticate in time is sent away", async () => {
  const server = await startServer("pglite", { AUTH_TIMEOUT_MS: "300" });
  try {
    const socket = new TestSocket(server.url);
    assert.equal((await socket.event("welcome")).authTimeoutMs, 300);
    const refused = await socket.ask("history", {
      conversationId: "00000000-0000-7000-8000-000000000000",
    });
    assert.equal((refused.data as { code: string }).code, "unauthenticated");
    assert.equal((await socket.ask("ping", {})).type, "ack");
    const error = await socket.until(({ type, id }) => type === "error" && id === undefined);
    assert.equal((error.data as { code: string }).code, "auth_timeout");
    assert.deepEqual(await socket.closed, { code: 3006, reason: "Authentication timed out" });
  } finally {
    await server.close();
  }
});

Deno.test("wrong credentials close the connection with a final code", async () => {
  const server = await startServer("pglite");
  try {
    for (const credentials of [{ token: "a.b.c" }, { sessionId: "nobody" }]) {
      const socket = new TestSocket(server.url);
      await socket.event("welcome");
      assert.equal((await socket.ask("auth", credentials)).type, "error");
      assert.equal((await socket.closed).code, 3500);
    }
    const both = new TestSocket(server.url);
    await both.event("welcome");
    const answer = await both.ask("auth", { token: "a", sessionId: "b" });
    assert.equal((answer.data as { code: string }).code, "invalid");
    await both.close();
  } finally {
    await server.close();
  }
});

Deno.test("what is sent before authentication is bounded", async () => {
  const server = await startServer("pglite", { MAX_PRE_AUTH_BYTES: "4096" });
  try {
    const socket = new TestSocket(server.url);
    await socket.event("welcome");
    for (let i = 0; i < 10; i++) {
      socket.raw(JSON.stringify({ type: "ping", data: "x".repeat(500) }));
    }
    assert.equal((await socket.closed).code, 1009);
  } finally {
    await server.close();
  }
});

onEitherEngine("a token in the subprotocol list authenticates at once", async (server) => {
  const { agent, visitor } = await cast(server);
  const a = new TestSocket(server.url, ["parley.v1", `parley.token.${agent.token}`]);
  const ack = await a.until(({ id }) => id === "auth");
  assert.equal((ack as unknown as { data: { role: string } }).data.role, "agent");
  assert.equal(a.socket.protocol, "parley.v1");
  const v = new TestSocket(server.url, ["parley.v1", `parley.session.${visitor.sessionId}`]);
  await v.until(({ id, type }) => id === "auth" && type === "ack");
  await Promise.all([a.close(), v.close()]);
});

Deno.test("the upgrade refuses what it cannot serve, in words", async () => {
  const server = await startServer("pglite");
  try {
    const plain = await call<string>(server, "GET", "/realtime");
    assert.equal(plain.status, 426);
    const upgrade = (headers: Record<string, string>) => rawUpgrade(server.url, headers);
    assert.match(
      await upgrade({ origin: "https://evil.example" }),
      /^HTTP\/1.1 403 .*evil\.example/s,
    );
    assert.match(await upgrade({ "sec-websocket-protocol": "other.v9" }), /^HTTP\/1.1 400 /);
    assert.match(await upgrade({ origin: server.url }), /^HTTP\/1.1 101 /);
  } finally {
    await server.close();
  }
});

/** The head of the answer to an upgrade with headers that a WebSocket client cannot set. */
async function rawUpgrade(url: string, headers: Record<string, string>): Promise<string> {
  const { hostname, port, host } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    "GET /realtime HTTP/1.1",
    `host: ${host}`,
    "upgrade: websocket",
    "connection: Upgrade",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const buffer = new Uint8Array(4096);
  const size = await connection.read(buffer) ?? 0;
  connection.close();
  return new TextDecoder().decode(buffer.subarray(0, size));
}

onEitherEngine("a bad body lists every bad field, and nothing is stored", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const path = `/api/conversations/${conversation.id}/messages`;
  const token = visitor.sessionId;
  const bad = await call<{ code: string; detail: string; fields: { path: string }[] }>(
    server,
    "POST",
    path,
    { token, body: { content: "", extra: 1 } },
  );
  assert.equal(bad.status, 422);
  assert.equal(bad.headers.get("content-type"), "application/problem+json");
  assert.equal(bad.body.code, "invalid");
  assert.deepEqual(bad.body.fields.map((field) => field.path).sort(), [
    "",
    "clientMessageId",
    "content",
  ]);
  const cases: [string, Record<string, unknown>, number, string][] = [
    [path, { token, body: "{" }, 400, "bad_json"],
    [path, { token, body: "{}", headers: { "content-type": "text/plain" } }, 422, "invalid"],
    [path, { token, body: JSON.stringify({ content: "x".repeat(70_000) }) }, 413, "too_large"],
    ["/api/conversations/1/messages", { token, body: {} }, 422, "invalid"],
    [path, { body: {} }, 401, "unauthenticated"],
    [path, { token: "wrong", body: {} }, 401, "invalid_session"],
    [path, { token: "a.b.c", body: {} }, 401, "invalid_token"],
    ["/api/nothing", { token: agent.token, body: {} }, 404, "not_found"],
  ];
  for (const [address, options, status, code] of cases) {
    const answer = await call<{ code: string; status: number }>(server, "POST", address, options);
    assert.equal(answer.status, status, `${address} ${JSON.stringify(options).slice(0, 80)}`);
    assert.equal(answer.body.code, code);
    assert.equal(answer.body.status, status);
  }
  const cursor = await call(server, "GET", "/api/conversations?cursor=zzz", { token: agent.token });
  assert.equal(cursor.status, 422);
  const forged = btoa(`2026-01-01T00:00:00.000Z ${"-".repeat(36)}`).replaceAll("=", "");
  const odd = await call(server, "GET", `/api/conversations?cursor=${forged}`, {
    token: agent.token,
  });
  assert.equal(odd.status, 422);
  const list = await call<{ items: unknown[] }>(server, "GET", path, { token });
  assert.deepEqual(list.body.items, []);
});

onEitherEngine(
  "a website that is not on the widget's list is refused everywhere",
  async (server) => {
    const { agent } = await cast(server);
    const created = await call<{ widgetKey: string; id: string }>(
      server,
      "POST",
      "/api/widget-configs",
      {
        token: agent.token,
        body: { name: "Shop", allowedOrigins: ["https://shop.example"] },
      },
    );
    assert.equal(created.status, 201);
    const { widgetKey: shopKey, id } = created.body;
    const open = (origin: string | null, key = shopKey) =>
      call<{ code: string; sessionId: string }>(server, "POST", "/api/sessions", {
        body: { widgetKey: key },
        headers: origin === null ? {} : { origin },
      });
    // The server goes on for some seconds with the list of origins that it knows.
    const allowed = await poll(
      () => open("https://shop.example"),
      ({ status }) => status === 200,
      "the website to be allowed",
    );
    assert.equal(allowed.headers.get("access-control-allow-origin"), "https://shop.example");
    assert.equal((await open("https://evil.example")).body.code, "origin_not_allowed");
    assert.equal((await open(null)).status, 200);
    assert.equal((await open(server.url)).status, 200);
    // Allowed for one widget is not allowed for another.
    const first = await widgetKey(server, agent.token);
    assert.equal((await open("https://shop.example", first)).body.code, "origin_not_allowed");
    // Nor may a session of the first widget be used from the shop's pages.
    const other = await openSession(server, first);
    const stolen = await call<{ code: string }>(server, "POST", "/api/conversations", {
      token: other.sessionId,
      body: {},
      headers: { origin: "https://shop.example" },
    });
    assert.equal(stolen.body.code, "origin_not_allowed");
    // An agent's token is not accepted from a customer's website.
    const agentThere = await call<{ code: string }>(server, "GET", "/api/conversations", {
      token: agent.token,
      headers: { origin: "https://shop.example" },
    });
    assert.equal(agentThere.body.code, "origin_not_allowed");
    assert.equal((await open(null, "wk_unknown")).status, 404);
    await call(server, "PATCH", `/api/widget-configs/${id}`, {
      token: agent.token,
      body: { enabled: false },
    });
    assert.equal((await open(null)).status, 404);
    const ended = await call<{ code: string }>(server, "POST", "/api/conversations", {
      token: allowed.body.sessionId,
      body: {},
    });
    assert.equal(ended.body.code, "invalid_session");
  },
);
