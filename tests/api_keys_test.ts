import assert from "node:assert/strict";
import { io } from "socket.io-client";
import type { Message } from "../protocol/model.ts";
import type { ApiKey, CreatedApiKey, Scope } from "../protocol/programs.ts";
import { call, cast, login, post } from "./support/http.ts";
import { onNodes } from "./support/nodes.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const GRACE = { email: "grace@example.com", password: "a long enough password" };
const SOMEBODY = "01a1f905-b485-7004-91ff-9a78c06738dd";

async function makeKey(server: TestServer, token: string, ...scopes: Scope[]) {
  const body = { name: "Order system", scopes };
  const made = await call<CreatedApiKey>(server, "POST", "/api/api-keys", { token, body });
  assert.equal(made.status, 201);
  return made.body;
}

onEitherEngine("a key is shown once, found by its hash, and ends when it is revoked", async (
  server,
) => {
  const { agent, conversation } = await cast(server);
  const { token } = agent;
  const key = await makeKey(server, token, "conversations:read", "conversations:read");
  assert.match(key.key, /^pk_[\w-]{43}$/);
  assert.deepEqual(key.scopes, ["conversations:read"]);
  assert.equal(key.prefix, key.key.slice(0, 9));
  assert.equal(key.createdBy, agent.user.id);

  const path = `/api/conversations/${conversation.id}`;
  const read = () => call(server, "GET", path, { token: key.key });
  assert.equal((await read()).status, 200);
  const list = await call<{ items: ApiKey[] }>(server, "GET", "/api/api-keys", { token });
  assert.equal(list.body.items.length, 1);
  assert.notEqual(list.body.items[0]!.lastUsedAt, null);
  assert.ok(!JSON.stringify(list.body).includes(key.key.slice(10)));

  const revoke = () => call(server, "DELETE", `/api/api-keys/${key.id}`, { token });
  assert.equal((await revoke()).status, 204);
  const refused = await read();
  assert.equal(refused.status, 401);
  assert.equal(refused.body["code"], "invalid_token");
  const first = await call<ApiKey>(server, "GET", `/api/api-keys/${key.id}`, { token });
  assert.notEqual(first.body.revokedAt, null);
  // Again changes nothing.
  assert.equal((await revoke()).status, 204);
  const again = await call<ApiKey>(server, "GET", `/api/api-keys/${key.id}`, { token });
  assert.equal(again.body.revokedAt, first.body.revokedAt);
});

onEitherEngine("a key works until its end, which has to lie ahead", async (server) => {
  const { agent, conversation } = await cast(server);
  const { token } = agent;
  const make = (expiresAt: string) =>
    call<CreatedApiKey>(server, "POST", "/api/api-keys", {
      token,
      body: { name: "Brief", scopes: ["conversations:read"], expiresAt },
    });
  const past = await make(new Date(Date.now() - 1000).toISOString());
  assert.equal(past.status, 422);
  assert.deepEqual(past.body["fields" as never], [{
    path: "expiresAt",
    message: "must be in the future",
  }]);

  const read = ({ key }: CreatedApiKey) =>
    call(server, "GET", `/api/conversations/${conversation.id}`, { token: key });
  const { body: long } = await make(new Date(Date.now() + 600_000).toISOString());
  assert.equal((await read(long)).status, 200);
  const end = Date.now() + 1500;
  const { body: brief } = await make(new Date(end).toISOString());
  let answer = await read(brief);
  while (answer.status === 200) answer = await read(brief);
  assert.ok(Date.now() >= end);
  assert.equal(answer.body["code"], "token_expired");
});

onEitherEngine("a program writes as a bot or as an agent, once, and sockets hear it", async (
  server,
) => {
  const { agent, visitor, conversation } = await cast(server);
  const { key } = await makeKey(server, agent.token, "messages:write");
  const conversationId = conversation.id;
  const v = await connect(server, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId });
  const a = await connect(server, { token: agent.token });
  const send = (body: Record<string, unknown>) =>
    call<Message>(server, "POST", `/api/conversations/${conversationId}/messages`, {
      token: key,
      body,
    });

  const parcel = { content: "Your parcel has left", clientMessageId: "order-17" };
  const asBot = await send(parcel);
  assert.equal(asBot.status, 201);
  assert.equal(asBot.body.sender.role, "bot");
  assert.equal(asBot.body.sender.userName, "Order system");
  assert.deepEqual(await v.event("message"), asBot.body);
  assert.equal((await a.event("conversation")).conversation.lastMessage?.preview, parcel.content);
  const again = await send({ ...parcel, content: "Something else" });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, asBot.body);

  const named = await send({
    content: "Track it here",
    clientMessageId: "order-18",
    sender: { userName: "Parcel bot" },
  });
  assert.equal(named.body.sender.userName, "Parcel bot");
  const asAgent = await send({
    content: "Anything else?",
    clientMessageId: "order-19",
    sender: { userId: agent.user.id },
  });
  const { userId, role } = asAgent.body.sender;
  assert.deepEqual({ userId, role }, { userId: agent.user.id, role: "agent" });
  const heard = await v.event("message", ({ seq }) => seq === asAgent.body.seq);
  assert.deepEqual(heard, asAgent.body);

  const note = await send({ content: "Fragile", clientMessageId: "order-20", isPrivate: true });
  assert.equal(note.status, 201);
  await v.event("hidden", ({ seq }) => seq === note.body.seq);
  const nobody = await send({ content: "x", clientMessageId: "x", sender: { userId: SOMEBODY } });
  assert.equal(nobody.status, 422);
  const stolen = await call(server, "POST", `/api/conversations/${conversationId}/messages`, {
    token: visitor.sessionId,
    body: { content: "x", clientMessageId: "x", sender: { userId: agent.user.id } },
  });
  assert.equal(stolen.status, 403);
  assert.ok(!JSON.stringify(v.received).includes("Fragile"));
  await Promise.all([v.close(), a.close()]);
});

onEitherEngine("a program reads, assigns and resolves as far as its scopes go", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  await post(server, visitor.sessionId, conversation.id, "Hello");
  const path = `/api/conversations/${conversation.id}`;
  const reader = await makeKey(server, agent.token, "conversations:read");
  const writer = await makeKey(server, agent.token, "conversations:write");
  const ask = (token: string, method: string, path: string, body?: unknown) =>
    call<Record<string, never>>(server, method, path, { token, body });

  for (const read of [path, `${path}/messages`, "/api/conversations"]) {
    assert.equal((await ask(reader.key, "GET", read)).status, 200, read);
    assert.equal((await ask(writer.key, "GET", read)).status, 403, read);
  }
  assert.equal((await ask(reader.key, "PATCH", path, { status: "resolved" })).status, 403);
  const a = await connect(server, { token: agent.token });
  await a.ack("join", { conversationId: conversation.id });
  const changes = { status: "resolved", assigneeId: agent.user.id };
  const changed = await ask(writer.key, "PATCH", path, changes);
  assert.equal(changed.status, 200);
  const { actor } = await a.event("conversation_changed", ({ status }) => status === "resolved");
  assert.deepEqual(actor, { userId: writer.id, userName: "Order system", role: "bot" });
  const mine = await ask(writer.key, "POST", "/api/conversations", {
    contactId: visitor.contact.id,
  });
  assert.equal(mine.body["id"], conversation.id);
  await a.close();
});

onEitherEngine("events of programs reach a user, all agents, or a conversation", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { key: token } = await makeKey(server, agent.token, "users:notify", "broadcast:write");
  const conversationId = conversation.id;
  const a = await connect(server, { token: agent.token });
  const v = await connect(server, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId });
  const plain = io(server.url, { auth: { token: agent.token }, transports: ["websocket"] });
  const emitted = new Promise((resolve) => plain.on("order_paid", resolve));
  await new Promise((resolve) => plain.on("authenticated", resolve));
  const send = (path: string, body: unknown) =>
    call<{ connections: number }>(server, "POST", path, { token, body });

  const order = { event: "order_paid", data: { order: 17, items: ["pot"] } };
  const sent = await send(`/api/users/${agent.user.id.toUpperCase()}/events`, order);
  assert.deepEqual(sent.body, { connections: 2 });
  const expected = { name: order.event, data: order.data };
  assert.deepEqual(await a.event("user_event"), expected);
  assert.deepEqual(await emitted, order.data);

  const toVisitor = { event: "refund", data: {} };
  await send(`/api/users/${visitor.contact.id}/events`, toVisitor);
  assert.deepEqual(await v.event("user_event"), { name: "refund", data: {} });

  const toAgents = await send("/api/broadcast", { room: "agents", event: "deploy" });
  assert.equal(toAgents.status, 204);
  assert.deepEqual(await a.event("user_event", ({ name }) => name === "deploy"), {
    name: "deploy",
    data: {},
  });
  await send("/api/broadcast", { conversationId, event: "price", data: { now: 9 } });
  assert.deepEqual(await v.event("user_event", ({ name }) => name === "price"), {
    name: "price",
    data: { now: 9 },
  });
  const heard = v.received.map(({ data }) => (data as { name?: string } | undefined)?.name);
  assert.ok(!heard.includes("deploy") && !heard.includes("order_paid"), String(heard));

  const told = ["new_message", "message", "typing", "presence", "unread", "chat"];
  const control = ["authenticated", "disconnect", "welcome", "pong", "ack", "reconnect", "error"];
  for (const event of [...told, ...control]) {
    const refused = await send("/api/broadcast", { room: "agents", event });
    assert.equal(refused.status, 422, event);
    assert.equal((await send(`/api/users/${agent.user.id}/events`, { event })).status, 422, event);
  }
  // A right of its own, which does not reach as far as what steers the clients.
  const { key: emitter } = await makeKey(server, agent.token, "users:notify", "events:emit");
  const emit = (event: string) =>
    call(server, "POST", `/api/users/${agent.user.id}/events`, { token: emitter, body: { event } });
  for (const event of told) assert.equal((await emit(event)).status, 200, event);
  for (const event of control) assert.equal((await emit(event)).status, 422, event);
  const unknown = await send("/api/broadcast", { conversationId: SOMEBODY, event: "x" });
  assert.equal(unknown.status, 404);
  plain.close();
  await Promise.all([a.close(), v.close()]);
});

onEitherEngine("a program sees who is connected, and ends connections", async (server) => {
  const { agent, visitor } = await cast(server);
  const { key: token } = await makeKey(
    server,
    agent.token,
    "connections:read",
    "connections:write",
  );
  const get = async (path: string) => (await call(server, "GET", path, { token })).body;
  const connections = `/api/users/${agent.user.id}/connections`;
  assert.deepEqual(await get(connections), { connected: false, count: 0 });
  assert.deepEqual(await get("/api/connections/stats"), {
    totalConnections: 0,
    authenticatedUsers: 0,
    averageConnectionsPerUser: 0,
  });
  const first = await connect(server, { token: agent.token });
  const second = await connect(server, { token: agent.token });
  const v = await connect(server, { sessionId: visitor.sessionId });
  assert.deepEqual(await get(connections), { connected: true, count: 2 });
  assert.deepEqual(await get("/api/connections/stats"), {
    totalConnections: 3,
    authenticatedUsers: 2,
    averageConnectionsPerUser: 1.5,
  });
  const { body } = await call(server, "POST", `/api/users/${agent.user.id}/disconnect`, { token });
  assert.deepEqual(body, { disconnected: 2 });
  assert.equal((await first.closed).code, 3503);
  assert.equal((await second.closed).code, 3503);
  assert.deepEqual(await get(connections), { connected: false, count: 0 });
  await v.close();
});

onNodes("a program reaches and counts people wherever they are connected", async ([one, other]) => {
  const { agent, conversation, visitor } = await cast(one);
  const { key: token } = await makeKey(
    one,
    agent.token,
    "connections:read",
    "connections:write",
    "users:notify",
    "broadcast:write",
  );
  const here = await connect(one, { token: agent.token });
  const there = await connect(other, { token: agent.token });
  const v = await connect(other, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId: conversation.id });
  const path = `/api/users/${agent.user.id}`;
  const count = await call(one, "GET", `${path}/connections`, { token });
  assert.deepEqual(count.body, { connected: true, count: 2 });
  const stats = await call(one, "GET", "/api/connections/stats", { token });
  assert.equal(stats.body["totalConnections"], 3);

  const body = { event: "order_paid", data: { order: 17 } };
  const sent = await call(one, "POST", `${path}/events`, { token, body });
  assert.deepEqual(sent.body, { connections: 2 });
  assert.equal((await there.event("user_event")).name, "order_paid");
  const conversationId = conversation.id;
  await call(one, "POST", "/api/broadcast", { token, body: { ...body, conversationId } });
  assert.deepEqual((await v.event("user_event")).data, { order: 17 });

  const ended = await call(one, "POST", `${path}/disconnect`, { token });
  assert.deepEqual(ended.body, { disconnected: 2 });
  assert.deepEqual([(await here.closed).code, (await there.closed).code], [3503, 3503]);
  await v.close();
});

Deno.test("only admins make keys, and every key has a rate of its own", async () => {
  const server = await startServer("pglite", { LIMIT_API_REQUESTS_PER_MINUTE: "2" });
  try {
    const { agent } = await cast(server);
    await call(server, "POST", "/api/users", {
      token: agent.token,
      body: { ...GRACE, name: "Grace", role: "agent" },
    });
    const grace = await login(server, GRACE);
    const body = { name: "Mine", scopes: ["messages:write"] };
    for (const [method, path] of [["GET", "/api/api-keys"], ["POST", "/api/api-keys"]] as const) {
      const answer = await call(server, method, path, {
        token: grace.token,
        ...(method === "POST" ? { body } : {}),
      });
      assert.equal(answer.status, 403, method);
    }
    const one = await makeKey(server, agent.token, "connections:read");
    const other = await makeKey(server, agent.token, "connections:read");
    const ask = (token: string) => call(server, "GET", "/api/connections/stats", { token });
    assert.deepEqual([(await ask(one.key)).status, (await ask(one.key)).status], [200, 200]);
    const third = await ask(one.key);
    assert.equal(third.status, 429);
    assert.equal(third.body["limit"], "LIMIT_API_REQUESTS_PER_MINUTE");
    assert.ok(Number(third.headers.get("retry-after")) > 0);
    assert.equal((await ask(other.key)).status, 200);
  } finally {
    await server.close();
  }
});
