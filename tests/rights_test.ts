import assert from "node:assert/strict";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

onEitherEngine(
  "a visitor finds every way to another visitor's conversation closed",
  async (server) => {
    const { agent, key, visitor, conversation } = await cast(server);
    const secret = await post(
      server,
      visitor.sessionId,
      conversation.id,
      "My account number is 42",
    );
    const stranger = await openSession(server, key);
    const token = stranger.sessionId;
    const base = `/api/conversations/${conversation.id}`;

    const routes: [string, string, unknown?][] = [
      ["GET", base],
      ["PATCH", base, { status: "resolved" }],
      ["GET", `${base}/messages`],
      ["POST", `${base}/messages`, { content: "Hello", clientMessageId: "x" }],
      ["POST", `${base}/read`, { seq: 1 }],
      ["GET", "/api/conversations"],
      ["POST", "/api/conversations", { contactId: visitor.contact.id }],
      ["GET", "/api/users"],
      ["GET", "/api/contacts"],
      ["GET", `/api/contacts/${visitor.contact.id}`],
      ["PATCH", `/api/contacts/${visitor.contact.id}`, { name: "Mallory" }],
      ["GET", "/api/widget-configs"],
      ["GET", "/api/auth/me"],
    ];
    for (const [method, path, body] of routes) {
      const answer = await call(server, method, path, { token, ...(body ? { body } : {}) });
      assert.ok([403, 404].includes(answer.status), `${method} ${path} is ${answer.status}`);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      assert.ok(!JSON.stringify(answer.body).includes("account number"));
    }

    const socket = await connect(server, { sessionId: token });
    const conversationId = conversation.id;
    const commands: [string, unknown][] = [
      ["join", { conversationId }],
      ["history", { conversationId }],
      ["message", { conversationId, content: "Hello", clientMessageId: "y" }],
      ["edit_message", { conversationId, messageId: secret.id, content: "Changed" }],
      ["delete_message", { conversationId, messageId: secret.id }],
      ["typing", { conversationId, isTyping: true }],
      ["read", { conversationId, seq: 1 }],
      ["delivered", { conversationId, seq: 1 }],
      ["presence", { status: "away" }],
      ["refresh", { token: agent.token }],
    ];
    for (const [type, data] of commands) {
      const answer = await socket.ask(type, data);
      assert.equal(answer.type, "error", `${type} is refused`);
    }
    await post(server, agent.token, conversation.id, "Still secret");
    await post(server, visitor.sessionId, conversation.id, "Yes");
    // What they are told of their own conversation comes after what they could have heard of it.
    const { body: own } = await call<{ id: string }>(server, "POST", "/api/conversations", {
      token,
      body: {},
    });
    await socket.ack("join", { conversationId: own.id });
    await post(server, agent.token, own.id, "For you");
    await socket.event("message", ({ content }) => content === "For you");
    const heard = JSON.stringify(socket.received);
    assert.ok(!heard.includes("secret") && !heard.includes("account number"), heard);
    await socket.close();

    const untouched = await call<{ items: { content: string }[] }>(
      server,
      "GET",
      `${base}/messages`,
      {
        token: agent.token,
      },
    );
    assert.deepEqual(
      untouched.body.items.map(({ content }) => content),
      ["My account number is 42", "Still secret", "Yes"],
    );
  },
);

onEitherEngine(
  "a visitor never sees agents' notes, only that the log has no gap",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const v = await connect(server, { sessionId: visitor.sessionId });
    const conversationId = conversation.id;
    const { epoch } = await v.ack("join", { conversationId });
    const a = await connect(server, { token: agent.token });
    await a.ack("message", {
      conversationId,
      content: "She is difficult",
      clientMessageId: "n",
      isPrivate: true,
    });
    await a.ack("message", { conversationId, content: "Good day", clientMessageId: "m" });
    await v.event("message", ({ seq }) => seq === 2);
    assert.deepEqual(await v.event("hidden"), { conversationId, seq: 1 });

    const again = await connect(server, { sessionId: visitor.sessionId });
    const recovered = await again.ack("join", { conversationId, epoch, seq: 0 });
    assert.equal(recovered.recovered, true);
    assert.deepEqual(recovered.events.map(({ type }: { type: string }) => type), [
      "hidden",
      "message",
    ]);
    const fresh = await again.ack("join", { conversationId });
    assert.equal(fresh.snapshot.messages.length, 1);
    const rest = await call(server, "GET", `/api/conversations/${conversationId}`, {
      token: visitor.sessionId,
    });
    for (const seen of [v.received, again.received, rest.body]) {
      assert.ok(!JSON.stringify(seen).includes("difficult"));
    }
    const refused = await v.ask("message", {
      conversationId,
      content: "A note?",
      clientMessageId: "p",
      isPrivate: true,
    });
    assert.equal((refused.data as { code: string }).code, "forbidden");
    await Promise.all([a.close(), v.close(), again.close()]);
  },
);

onEitherEngine("only the writer edits a message; an admin may delete it", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const mine = await post(server, visitor.sessionId, conversationId, "Helo");
  const v = await connect(server, { sessionId: visitor.sessionId });
  const a = await connect(server, { token: agent.token });
  await a.ack("join", { conversationId });
  const refused = await a.ask("edit_message", {
    conversationId,
    messageId: mine.id,
    content: "Not what I wrote",
  });
  assert.equal((refused.data as { code: string }).code, "forbidden");
  const { message } = await v.ack("edit_message", {
    conversationId,
    messageId: mine.id,
    content: "Hello",
  });
  assert.equal(message.content, "Hello");
  assert.notEqual(message.editedAt, null);
  assert.equal((await a.event("message_updated")).seq, 2);
  await a.ack("delete_message", { conversationId, messageId: mine.id });
  assert.equal((await a.event("message_deleted")).messageId, mine.id);
  const late = await v.ask("edit_message", { conversationId, messageId: mine.id, content: "x" });
  assert.equal((late.data as { code: string }).code, "conflict");
  const { messages } = await v.ack("history", { conversationId });
  assert.equal(messages[0].content, "");
  await Promise.all([a.close(), v.close()]);
});

onEitherEngine("changed rights hold on connections that are open", async (server) => {
  const { agent, key, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const message = await post(server, visitor.sessionId, conversationId, "Delete me if you can");
  const grace = { email: "grace@example.com", password: "a long enough password" };
  const { body } = await call<{ id: string }>(server, "POST", "/api/users", {
    token: agent.token,
    body: { ...grace, name: "Grace", role: "admin" },
  });
  const hers = await connect(server, { token: (await login(server, grace)).token });
  await call(server, "PATCH", `/api/users/${body.id}`, {
    token: agent.token,
    body: { role: "agent", name: "Grace H." },
  });
  const refused = await hers.ask("delete_message", { conversationId, messageId: message.id });
  assert.equal((refused.data as { code: string }).code, "forbidden");
  const named = await hers.ack("message", {
    conversationId,
    content: "Hello",
    clientMessageId: "1",
  });
  assert.equal(named.message.sender.userName, "Grace H.");

  const v = await connect(server, { sessionId: visitor.sessionId });
  await call(server, "PATCH", `/api/contacts/${visitor.contact.id}`, {
    token: agent.token,
    body: { name: "Maya" },
  });
  const row = await hers.event("conversation", (data) => data.conversation.contact.name === "Maya");
  assert.equal(row.conversation.id, conversationId);
  const list = await v.ack("history", { conversationId });
  assert.equal(list.messages[0].sender.userName, "Maya");

  const widgets = await call<{ items: { id: string; widgetKey: string }[] }>(
    server,
    "GET",
    "/api/widget-configs",
    { token: agent.token },
  );
  const widget = widgets.body.items.find(({ widgetKey }) => widgetKey === key)!;
  await call(server, "PATCH", `/api/widget-configs/${widget.id}`, {
    token: agent.token,
    body: { enabled: false },
  });
  assert.equal((await v.closed).code, 3503);
  await hers.close();
});

Deno.test("agents who are no admins cannot manage people or widgets", async () => {
  const server = await startServer("pglite");
  try {
    const admin = await login(server);
    const grace = { email: "grace@example.com", password: "a long enough password" };
    const created = await call<{ id: string }>(server, "POST", "/api/users", {
      token: admin.token,
      body: { ...grace, name: "Grace", role: "agent" },
    });
    assert.equal(created.status, 201);
    const { token, user } = await login(server, grace);
    const forbidden: [string, string, unknown][] = [
      ["POST", "/api/users", { ...grace, name: "Eve", role: "admin" }],
      ["PATCH", `/api/users/${admin.user.id}`, { disabled: true }],
      ["PATCH", `/api/users/${user.id}`, { role: "admin" }],
      ["POST", "/api/widget-configs", { name: "Mine" }],
    ];
    for (const [method, path, body] of forbidden) {
      assert.equal((await call(server, method, path, { token, body })).status, 403, path);
    }
    const own = await call(server, "PATCH", `/api/users/${user.id}`, {
      token,
      body: { name: "Grace H." },
    });
    assert.equal(own.status, 200);
    const last = await call(server, "PATCH", `/api/users/${admin.user.id}`, {
      token: admin.token,
      body: { disabled: true },
    });
    assert.equal(last.status, 409);
    assert.ok((await widgetKey(server, token)).startsWith("wk_"));
  } finally {
    await server.close();
  }
});
