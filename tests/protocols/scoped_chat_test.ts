import assert from "node:assert/strict";
import type { Conversation } from "../../protocol/model.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import { call, login, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { enter, type Line, mint, open, type ScopedPeer, SECRET, sign } from "./scoped_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };

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

function everyEnvelope({ received }: ScopedPeer): void {
  for (const line of received) {
    assert.equal(typeof line.type, "string");
    assert.ok(!Number.isNaN(Date.parse(line.timestamp)), JSON.stringify(line));
    assert.ok("data" in line, JSON.stringify(line));
    if ("id" in line) assert.equal(typeof line.id, "string");
    assert.equal("error" in line, line.type === "error");
  }
}

onEitherEngine("scoped chat: every example of its document", async (server) => {
  const agent = await login(server);
  const annToken = await mint(server, agent.token, "context_123", {
    userId: "user_1",
    userName: "Ann",
  });
  const bobToken = await sign({ sub: "user_2", username: "Bob", contexts: ["context_123"] });

  // Query parameter authentication.
  const ann = await open(server, "chat", { token: annToken.token, contextId: "context_123" });
  ann.send({ type: "ping" });
  assert.deepEqual((await ann.until(({ type }) => type === "pong")).data, {});
  // Initial message authentication.
  const bob = await open(server, "chat");
  bob.send({ type: "auth", token: bobToken, contextId: "context_123" });
  const { data: me } = await bob.until(({ type }) => type === "authenticated");
  assert.equal(me.username, "Bob");
  assert.equal(me.role, "visitor");
  assert.equal(me.contextId, "context_123");
  assert.equal(me.seq, 0);
  assert.deepEqual(me.members.map(({ username }: Line) => username), ["Ann", "Bob"]);
  assert.equal(me.members[0].userId, annToken.contactId);
  assert.ok(Date.parse(me.expiresAt) > Date.now());
  // An agent, with the credentials inside data and an id.
  const ada = await open(server, "chat");
  const ready = await ada.ask("auth", { token: agent.token, contextId: "context_123" });
  assert.equal(ready.type, "authenticated");
  assert.equal(ready.data.role, "agent");

  // User joined.
  for (const [who, userId] of [["Bob", me.userId], [agent.user.name, agent.user.id]]) {
    const joined = await ann.until(({ type, data }) =>
      type === "user_joined" && data.username === who
    );
    assert.equal(joined.data.userId, userId);
  }
  // Send chat message; the sender gets the new message, too.
  ann.send({ type: "message", data: { content: "Hello, everyone!", messageType: "text" } });
  for (const peer of [ann, bob, ada]) {
    const { id, content, author, timestamp, ...rest } = (await peer.until(({ type }) =>
      type === "message"
    )).data;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(content, "Hello, everyone!");
    assert.deepEqual(author, { id: annToken.contactId, name: "Ann", role: "visitor" });
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
    assert.equal(rest.messageType, "text");
    assert.equal(rest.seq, 1);
    assert.equal(rest.conversationId, me.conversationId);
  }
  assert.ok(!ann.received.some(({ type }) => type === "ack"), "nobody asked for an ack");
  // Typing indicator: to the others.
  ann.send({ type: "typing", data: { isTyping: true } });
  const typing = await bob.until(({ type }) => type === "typing");
  assert.deepEqual(typing.data, {
    userId: annToken.contactId,
    username: "Ann",
    role: "visitor",
    isTyping: true,
  });
  ann.send({ type: "typing", data: { isTyping: false } });
  await bob.until(({ type, data }) => type === "typing" && !data.isTyping);

  // With an id there is an answer with that id.
  const sent = await bob.ask("message", { content: "Hi Ann", clientMessageId: "b1" });
  assert.equal(sent.type, "ack");
  assert.equal(sent.data.seq, 2);
  assert.equal(sent.data.duplicate, false);
  assert.equal(
    (await bob.ask("message", { content: "Hi Ann", clientMessageId: "b1" })).data.id,
    sent.data.id,
  );
  assert.equal((await bob.ask("typing", { isTyping: false })).type, "ack");
  assert.equal((await bob.ask("ping")).type, "pong");

  // Request message history.
  ann.send({ type: "history", data: { limit: 50, before: "2024-01-01T00:00:00Z" } });
  const before = await ann.until(({ type }) => type === "history");
  assert.deepEqual(before.data, { messages: [], hasMore: false });
  const all = await bob.ask("history", { limit: 50, before: "2999-01-01T00:00:00+02:00" });
  assert.equal(all.type, "history");
  assert.deepEqual(
    all.data.messages.map(({ content, author }: Line) => [content, author.name]),
    [["Hello, everyone!", "Ann"], ["Hi Ann", "Bob"]],
  );
  const last = await bob.ask("history", { limit: 1 });
  assert.deepEqual(last.data.messages.map(({ seq }: Line) => seq), [2]);
  assert.equal(last.data.hasMore, true);
  const older = await bob.ask("history", { limit: 1, before: 2 });
  assert.deepEqual(older.data.messages.map(({ seq }: Line) => seq), [1]);
  assert.equal(older.data.hasMore, false);
  assert.equal((await bob.ask("history", {})).data.messages.length, 2);
  assert.equal((await bob.ask("history", { after: 1, limit: 1000 })).data.messages.length, 1);

  // User left.
  await ada.close();
  const left = await ann.until(({ type }) => type === "user_left");
  assert.equal(left.data.userId, agent.user.id);
  assert.equal(left.data.username, agent.user.name);
  for (const peer of [ann, bob, ada]) everyEnvelope(peer);
  await Promise.all([ann.close(), bob.close()]);
}, ENV);

Deno.test("scoped chat: the integration test of its document, word for word", () =>
  withServer({}, async (server) => {
    const test = await sign({ sub: "test", contexts: ["only"] });
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/api/chat/ws?token=${test}`);
    const first = new Promise<Line>((resolve) => {
      ws.onmessage = ({ data }) => resolve(JSON.parse(data));
    });
    await new Promise((resolve) => {
      ws.onopen = resolve;
    });
    ws.send(JSON.stringify({ type: "message", data: { content: "Test message" } }));
    const response = await first;
    assert.equal(response.type, "message");
    assert.equal(response.data.content, "Test message");
    const closed = new Promise((resolve) => ws.onclose = resolve);
    ws.close();
    await closed;
  }));

onEitherEngine("scoped chat: a context is a conversation of the inbox", async (server) => {
  const agent = await login(server);
  const token = agent.token;
  const inbox = async () =>
    (await call<ConversationList>(server, "GET", "/api/conversations", { token })).body.items;
  // Twenty people at the same moment open one conversation.
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, i) => sign({ sub: `u${i}`, name: `P${i}`, contexts: ["room"] })),
  );
  const peers = await Promise.all(tokens.map((one) => enter(server, one, "room")));
  const ids = new Set(peers.map(({ me }) => me.conversationId));
  assert.equal(ids.size, 1);
  const [conversationId] = [...ids] as [string];
  assert.equal((await inbox()).length, 1);
  // The same person at the same moment is one contact.
  const tabs = await Promise.all(
    Array.from({ length: 5 }, () => sign({ sub: "same", contexts: ["room"] })),
  );
  const same = await Promise.all(tabs.map((one) => enter(server, one, "room")));
  assert.equal(new Set(same.map(({ me }) => me.userId)).size, 1);
  assert.match(same[0]!.me.username, /^Visitor [0-9a-f]{4}$/);

  const opener = peers.find(({ me }) => me.members.length === 1) ?? peers[0]!;
  const others = peers.filter((peer) => peer !== opener);
  const native = await connect(server, { token });
  await native.ack("join", { conversationId });
  // What any of them writes is inbound: unread for agents, and waits for an answer.
  await others[0]!.ask("message", { content: "One" });
  await others[1]!.ask("message", { content: "Two" });
  let [row] = await inbox() as [Conversation];
  assert.equal(row.contextId, "room");
  assert.equal(row.platform, "context");
  assert.equal(row.unread, 2);
  assert.equal(row.inboundCount, 2);
  assert.ok(row.waitingSince !== null);
  assert.equal(row.lastMessage?.userName, others[1]!.me.username);
  assert.equal(
    (await native.event("message", ({ content }) => content === "Two")).sender.userId,
    others[1]!.me.userId,
  );
  // An agent's answer goes to all of them, is read by those who write below it, and ends the wait.
  const answer = await post(server, token, conversationId, "Three");
  for (const peer of [...peers, ...same]) {
    const heard = await peer.until(({ data }) => data?.content === "Three");
    assert.deepEqual(heard.data.author, {
      id: agent.user.id,
      name: agent.user.name,
      role: "agent",
    });
  }
  [row] = await inbox() as [Conversation];
  assert.equal(row.waitingSince, null);
  assert.equal(row.unread, 0, "who answers has read");
  assert.ok(row.pointers.contactReadSeq < answer.seq);
  await opener.ask("message", { content: "Four" });
  [row] = await inbox() as [Conversation];
  assert.ok(row.pointers.contactReadSeq > answer.seq);
  assert.equal(row.unread, 1);
  assert.equal(
    (await call<{ unread: number }>(server, "POST", `/api/conversations/${conversationId}/read`, {
      token,
      body: { seq: row.lastSeq },
    })).body.unread,
    0,
  );
  // Notes and activity lines stay away, live and in the history, for an agent here as well.
  const ada = await enter(server, token, conversationId);
  assert.equal(ada.me.contextId, conversationId);
  await native.ack("message", {
    conversationId,
    content: "A note",
    clientMessageId: "note",
    isPrivate: true,
  });
  await call(server, "PATCH", `/api/conversations/${conversationId}`, {
    token,
    body: { status: "resolved" },
  });
  // A participant's message opens it again.
  await others[2]!.ask("message", { content: "Five" });
  [row] = await inbox() as [Conversation];
  assert.equal(row.status, "open");
  for (const peer of [ada, opener]) {
    await peer.until(({ data }) => data?.content === "Five");
    const { messages } = (await peer.ask("history")).data;
    const contents = messages.map(({ content }: Line) => content);
    assert.deepEqual(contents, ["One", "Two", "Three", "Four", "Five"]);
    assert.ok(!JSON.stringify(peer.received).includes("A note"));
    assert.ok(!JSON.stringify(peer.received).includes("resolved"));
  }
  // A new name is theirs everywhere, also where the conversation is another's.
  const renamed = await sign({ sub: "renamed", name: "Before", contexts: ["room"] });
  const then = await enter(server, renamed, "room");
  await then.ask("message", { content: "Six" });
  const now = await enter(
    server,
    await sign({ sub: "renamed", name: "After", contexts: ["room"] }),
    "room",
  );
  assert.equal(now.me.userId, then.me.userId);
  const { messages } = (await now.ask("history", { limit: 1 })).data;
  assert.equal(messages[0].author.name, "After");
  [row] = await inbox() as [Conversation];
  assert.equal(row.lastMessage?.userName, "After");
  // What is edited and deleted elsewhere is told.
  await native.ack("edit_message", { conversationId, messageId: answer.id, content: "Three!" });
  assert.equal(
    (await opener.until(({ type }) => type === "message_updated")).data.content,
    "Three!",
  );
  await native.ack("delete_message", { conversationId, messageId: answer.id });
  assert.equal((await opener.until(({ type }) => type === "message_deleted")).data.id, answer.id);
  await Promise.all([...peers, ...same, ada, native, then, now].map((one) => one.close()));
}, { ...ENV, LIMIT_MESSAGES_PER_MINUTE: "1000" });

onEitherEngine(
  "scoped chat: an agent may come first, and the first participant is the contact",
  async (server) => {
    const { token } = await login(server);
    const ada = await enter(server, token, "Räume / 7 & mehr");
    const get = async () =>
      (await call<Conversation>(server, "GET", `/api/conversations/${ada.me.conversationId}`, {
        token,
      })).body;
    assert.equal((await get()).contact.name, "Räume / 7 & mehr");
    await ada.ask("message", { content: "Is anybody here?" });
    const native = await connect(server, { token });
    const minted = await mint(server, token, "Räume / 7 & mehr", { userId: "1", userName: "Ann" });
    const ann = await enter(server, minted.token, "Räume / 7 & mehr", { lastSeq: 0 });
    assert.equal(ann.me.conversationId, ada.me.conversationId);
    await ann.until(({ data }) => data?.content === "Is anybody here?");
    await native.event("conversation", ({ conversation }) => conversation.contact.name === "Ann");
    const second = await sign({ sub: "2", name: "Bob", contexts: ["Räume / 7 & mehr"] });
    const bob = await enter(server, second, "Räume / 7 & mehr");
    const { contact, lastMessage } = await get();
    assert.deepEqual([contact.id, contact.name], [minted.contactId, "Ann"]);
    assert.equal(lastMessage?.role, "agent");
    const contacts = await call<{ items: { name: string }[] }>(server, "GET", "/api/contacts", {
      token,
    });
    assert.deepEqual(contacts.body.items.map(({ name }) => name).sort(), ["Ann", "Bob"]);
    await Promise.all([ada, ann, bob, native].map((one) => one.close()));
  },
  ENV,
);

onEitherEngine(
  "scoped chat: who comes back gets what they missed, once and in order",
  async (server) => {
    const { token } = await login(server);
    const own = await sign({ sub: "1", contexts: ["c"] });
    const first = await enter(server, own, "c");
    const { conversationId, epoch } = first.me;
    await first.ask("message", { content: "Seen" });
    await first.close();
    for (const content of ["M1", "M2", "M3"]) await post(server, token, conversationId, content);
    const texts = ({ received }: ScopedPeer) =>
      received.filter(({ type }) => type === "message").map(({ data }) => data.content);

    // By message and by address, with and without the epoch; live ones follow.
    const again = await enter(server, own, "c", { lastSeq: 1, epoch });
    assert.equal(again.me.recovered, true);
    assert.equal(again.me.seq, 4);
    const byAddress = await open(server, "chat", { token: own, contextId: "c", lastSeq: 2 });
    await post(server, token, conversationId, "M4");
    await again.until(({ data }) => data?.content === "M4");
    await byAddress.until(({ data }) => data?.content === "M4");
    assert.deepEqual(texts(again), ["M1", "M2", "M3", "M4"]);
    assert.equal(byAddress.received[0].type, "authenticated");
    assert.deepEqual(texts(byAddress), ["M2", "M3", "M4"]);
    // What cannot be complete is said and not sent in part.
    for (const [lastSeq, more] of [[1, { epoch: "another" }], [99, {}]] as const) {
      const lost = await enter(server, own, "c", { lastSeq, ...more });
      assert.equal(lost.me.recovered, false);
      assert.equal((await lost.ask("history")).data.messages.length, 5);
      assert.deepEqual(texts(lost), []);
      await lost.close();
    }
    // Over a restart of the server.
    const ended = again.closed;
    await server.stop();
    assert.equal((await ended).code, 3001);
    assert.ok(again.received.some(({ type }) => type === "reconnect"));
    await server.restart();
    const native = await connect(server, { token });
    await native.ack("message", { conversationId, content: "M5", clientMessageId: "m5" });
    const after = await enter(server, own, "c", { lastSeq: 5, epoch });
    await after.until(({ data }) => data?.content === "M5");
    assert.deepEqual(texts(after), ["M5"]);
    await Promise.all([after.close(), native.close()]);
  },
  ENV,
);

Deno.test("scoped chat: past MAX_REPLAY_EVENTS nothing is sent in part", () =>
  withServer({ MAX_REPLAY_EVENTS: "2" }, async (server) => {
    const own = await sign({ sub: "1", contexts: ["c"] });
    const first = await enter(server, own, "c");
    for (const content of ["1", "2", "3"]) await first.ask("message", { content });
    assert.equal((await enter(server, own, "c", { lastSeq: 0 })).me.recovered, false);
    assert.equal((await enter(server, own, "c", { lastSeq: 1 })).me.recovered, true);
  }));
