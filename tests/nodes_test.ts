/** Two nodes on one database: wherever people are connected, they meet. */
import assert from "node:assert/strict";
import type { Message, Presence } from "../protocol/model.ts";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onNodes } from "./support/nodes.ts";
import { connect } from "./support/socket.ts";
import { openChatJson } from "./protocols/chat_json_peer.ts";

const onEveryBroker = (name: string, fn: Parameters<typeof onNodes>[1], env = {}) =>
  onNodes(name, fn, env, 2, ["channel", "redis", "postgres"]);

onEveryBroker("a visitor and an agent on different nodes talk live", async ([a, b]) => {
  const { agent, visitor, conversation } = await cast(a);
  const conversationId = conversation.id;
  const v = await connect(a, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId });
  const g = await connect(b, { token: agent.token });
  await g.ack("join", { conversationId });
  assert.equal((await v.event("user_joined")).userId, agent.user.id);

  await v.ack("typing", { conversationId, isTyping: true });
  await g.event("typing", ({ isTyping }) => isTyping);
  const { message } = await v.ack("message", {
    conversationId,
    content: "Hello from the other node",
    clientMessageId: "1",
  });
  assert.deepEqual(await g.event("message"), { ...message, clientMessageId: "1" });
  await g.event("typing", ({ isTyping }) => !isTyping);
  const row = await g.event("conversation", (data) => data.conversation.lastSeq === message.seq);
  assert.equal(row.conversation.id, conversationId);

  await g.ack("read", { conversationId, seq: message.seq });
  const status = await v.event("message_status", ({ pointers }) => pointers.agentReadSeq === 1);
  assert.equal(status.userId, agent.user.id);
  await g.event("unread", ({ unread }) => unread === 0);

  const answer = await g.ack("message", {
    conversationId,
    content: "Hello back",
    clientMessageId: "2",
  });
  await v.event("message", ({ id }) => id === answer.message.id);
  await g.ack("edit_message", { conversationId, messageId: answer.message.id, content: "Hi" });
  assert.equal((await v.event("message_updated")).message.content, "Hi");
  await g.ack("delete_message", { conversationId, messageId: answer.message.id });
  await v.event("message_deleted");

  await g.ack("leave", { conversationId });
  assert.equal((await v.event("user_left")).userId, agent.user.id);
  assert.equal(v.count("user_joined"), 1);
  assert.equal(v.count("user_left"), 1);
  assert.equal(g.count("message"), 2);
  await Promise.all([v.close(), g.close()]);
});

onNodes(
  "a message over HTTP at one node ends typing and counts unread at the other",
  async ([a, b]) => {
    const { agent, visitor, conversation } = await cast(a);
    const conversationId = conversation.id;
    const v = await connect(a, { sessionId: visitor.sessionId });
    await v.ack("join", { conversationId });
    const g = await connect(b, { token: agent.token });
    await g.ack("join", { conversationId });
    await v.ack("typing", { conversationId, isTyping: true });
    await g.event("typing", ({ isTyping }) => isTyping);
    await post(b, visitor.sessionId, conversationId, "Written in another tab");
    await g.event("typing", ({ isTyping }) => !isTyping);
    const types = g.received.map(({ type }) => type);
    assert.ok(types.lastIndexOf("typing") > types.indexOf("message"), "the message comes first");
    assert.equal(g.count("typing"), 2);
    // Read over HTTP at the visitor's node: the agent's other devices hear of it.
    await call(a, "POST", `/api/conversations/${conversationId}/read`, {
      token: agent.token,
      body: { seq: 1 },
    });
    const unread = await g.event("unread", (data) => data.unread === 0);
    assert.equal(unread.conversationId, conversationId);
    await Promise.all([v.close(), g.close()]);
  },
  { TYPING_MS: "60000" },
);

onNodes("typing in two tabs on two nodes goes on while one of them types", async ([a, b]) => {
  const { agent, visitor, conversation } = await cast(a);
  const conversationId = conversation.id;
  const tabs = [
    await connect(a, { sessionId: visitor.sessionId }),
    await connect(b, { sessionId: visitor.sessionId }),
  ];
  const g = await connect(a, { token: agent.token });
  await g.ack("join", { conversationId });
  for (const tab of tabs) {
    await tab.ack("join", { conversationId });
    await tab.ack("typing", { conversationId, isTyping: true });
  }
  await g.until(() => g.count("typing") === 2, "both to begin");
  await tabs[0]!.ack("typing", { conversationId, isTyping: false });
  await g.until(() => g.count("typing") === 4, "one to end and the other to go on");
  const said = g.received.filter(({ type }) => type === "typing")
    .map(({ data }) => (data as { isTyping: boolean }).isTyping);
  assert.deepEqual(said, [true, true, false, true]);
  await Promise.all([g.close(), ...tabs.map((tab) => tab.close())]);
}, { TYPING_MS: "60000" });

onNodes("presence is by person over all nodes", async ([a, b]) => {
  const { agent, visitor } = await cast(a);
  const watcher = await connect(a, { token: agent.token });
  const userId = visitor.contact.id;
  const here = await connect(a, { sessionId: visitor.sessionId });
  await watcher.event("presence", (data) => data.userId === userId && data.status === "online");
  const there = await connect(b, { sessionId: visitor.sessionId });
  const other = await connect(b, { token: agent.token });
  const list = await other.ack("presence_list", {});
  const ids = (list.presence as Presence[]).map((one) => one.userId);
  assert.deepEqual(ids.toSorted(), [agent.user.id, userId].toSorted());
  const known = await there.ack("presence_list", {});
  assert.deepEqual(known.presence.map((one: Presence) => one.userId), [agent.user.id]);

  // A status and a page that are set on one node hold on the other.
  await watcher.ack("presence", { status: "away" });
  await other.event("presence", (data) => data.userId === agent.user.id && data.status === "away");
  await there.event("presence", (data) => data.status === "away");
  const page = { url: "https://shop.example/tea", title: "Tea" };
  await there.ack("page", page);
  await watcher.event("presence", (data) => data.page?.url === page.url);

  // One of two nodes is left: nothing happens. The last one is left: gone, once, on both.
  await here.close();
  const brief = await connect(a, { sessionId: visitor.sessionId });
  await brief.close();
  await there.ack("page", { ...page, title: "Later" });
  await watcher.event("presence", (data) => data.page?.title === "Later");
  await there.close();
  const gone = (data: Presence) => data.userId === userId && data.status === "offline";
  await Promise.all([watcher.event("presence", gone), other.event("presence", gone)]);
  for (const socket of [watcher, other]) {
    const offline = socket.received.filter(({ type, data }) =>
      type === "presence" && gone(data as Presence)
    );
    assert.equal(offline.length, 1);
  }
  const auth = await other.ack("presence_list", {});
  assert.deepEqual(auth.presence.map((one: Presence) => one.userId), [agent.user.id]);
  await Promise.all([watcher.close(), other.close()]);
});

onEveryBroker(
  "a node that comes later knows who is there, and says goodbye when it stops",
  async ([a, b]) => {
    const { agent, visitor, conversation } = await cast(a);
    const conversationId = conversation.id;
    const v = await connect(a, { sessionId: visitor.sessionId });
    await v.ack("join", { conversationId });
    await b.stop();
    await b.restart();
    const g = await connect(b, { token: agent.token });
    const has = (list: Presence[]) => list.some(({ userId }) => userId === visitor.contact.id);
    // The other node's answer may still be on its way.
    const first = await g.ack("presence_list", {});
    if (!has(first.presence)) await g.event("presence", (data) => has([data]));
    const joined = await g.ack("join", { conversationId });
    assert.equal(joined.memberCount, 2);
    await v.event(
      "presence",
      ({ userId, status }) => userId === agent.user.id && status === "online",
    );
    await b.stop();
    await g.closed;
    await v.event(
      "presence",
      ({ userId, status }) => userId === agent.user.id && status === "offline",
    );
    await v.event("user_left", ({ userId }) => userId === agent.user.id);
    await v.close();
  },
);

onEveryBroker("whose rights end is disconnected from every node", async ([a, b]) => {
  const { agent, key, visitor } = await cast(a);
  const grace = { email: "grace@example.com", password: "a long enough password" };
  const { body } = await call<{ id: string }>(a, "POST", "/api/users", {
    token: agent.token,
    body: { ...grace, name: "Grace", role: "agent" },
  });

  await (async function ended() {
    const v = await connect(b, { sessionId: visitor.sessionId });
    await call(a, "DELETE", "/api/sessions", { token: visitor.sessionId });
    assert.equal((await v.closed).code, 3503);
  })();

  await (async function disconnectedByAdmin() {
    const next = await openSession(a, key);
    const sockets = [
      await connect(a, { sessionId: next.sessionId }),
      await connect(b, { sessionId: next.sessionId }),
      await connect(b, { sessionId: next.sessionId }),
    ];
    const answer = await call(a, "POST", "/api/connections/disconnect", {
      token: agent.token,
      body: { sessionId: next.sessionId },
    });
    assert.deepEqual(answer.body, { disconnected: 3 });
    for (const { closed } of sockets) assert.equal((await closed).code, 3503);
  })();

  await (async function signedOut() {
    const signedIn = await fetch(`${a.url}/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(grace),
    });
    const { token } = await signedIn.json();
    const cookie = signedIn.headers.getSetCookie()[0]!.split(";")[0]!;
    const hers = await connect(b, { token });
    await call(a, "POST", "/api/auth/logout", { token, headers: { cookie } });
    assert.equal((await hers.closed).code, 3503);
  })();

  await (async function renamedAndDisabled() {
    const hers = await connect(b, { token: (await login(a, grace)).token });
    const change = (changes: unknown) =>
      call(a, "PATCH", `/api/users/${body.id}`, { token: agent.token, body: changes });
    await change({ name: "Grace H.", role: "admin" });
    await hers.event("presence", ({ userName }) => userName === "Grace H.");
    assert.equal((await change({ disabled: true })).status, 200);
    assert.equal((await hers.closed).code, 3503);
  })();

  await (async function widgetSwitchedOff() {
    const next = await openSession(a, key);
    const v = await connect(b, { sessionId: next.sessionId });
    const widgets = await call<{ items: { id: string; widgetKey: string }[] }>(
      a,
      "GET",
      "/api/widget-configs",
      { token: agent.token },
    );
    const widget = widgets.body.items.find(({ widgetKey }) => widgetKey === key)!;
    await call(a, "PATCH", `/api/widget-configs/${widget.id}`, {
      token: agent.token,
      body: { enabled: false },
    });
    assert.equal((await v.closed).code, 3503);
  })();
});

onNodes("concurrent posts on two nodes into one conversation are one log", async ([a, b]) => {
  const { agent, visitor, conversation } = await cast(a);
  const conversationId = conversation.id;
  const nodes = [a, b];
  const sockets = [];
  for (const node of nodes) {
    sockets.push(await connect(node, { sessionId: visitor.sessionId }));
    sockets.push(await connect(node, { token: agent.token }));
  }
  for (const socket of sockets) await socket.ack("join", { conversationId });
  const COUNT = 50;
  const acks = sockets.flatMap((socket, s) =>
    Array.from({ length: COUNT }, (_, n) =>
      socket.ack("message", {
        conversationId,
        content: `${s}`,
        // The same message from both nodes at once, as after a lost answer.
        clientMessageId: `${s % 2}-${n}`,
      }))
  );
  const answers = await Promise.all(acks) as { message: Message; duplicate: boolean }[];
  const total = 2 * COUNT;
  assert.equal(answers.filter(({ duplicate }) => !duplicate).length, total);
  const seqs = [...new Set(answers.map(({ message }) => message.seq))].toSorted((x, y) => x - y);
  assert.deepEqual([seqs.length, seqs[0]], [total, 1]);
  // The other node may not know yet that replies assign nothing, which is a line.
  assert.ok(seqs.at(-1)! <= total + 1, `${seqs.at(-1)}`);
  for (const socket of sockets) {
    const received = () =>
      socket.received.flatMap(({ type, data }) =>
        type === "message" && (data as Message).type === "text" ? (data as Message).seq : []
      );
    await socket.until(() => received().length >= total, "all messages", 15_000);
    assert.deepEqual(received(), seqs, "each once, in order");
  }
  await Promise.all(sockets.map((socket) => socket.close()));
}, { LIMIT_MESSAGES_PER_MINUTE: "100000", LIMIT_ROOM_BROADCASTS_PER_MINUTE: "100000" });

onEveryBroker(
  "joining one node while the other writes neither misses nor repeats",
  async ([a, b]) => {
    const { agent, visitor, conversation } = await cast(a);
    const conversationId = conversation.id;
    const writer = await connect(a, { sessionId: visitor.sessionId });
    const COUNT = 300;
    let written = 0;
    const writing = (async () => {
      for (; written < COUNT; written++) {
        await writer.ack("message", {
          conversationId,
          content: "x",
          clientMessageId: `${written}`,
        });
      }
    })();
    const readers = [];
    while (written < COUNT) {
      const reader = await connect(b, { token: agent.token });
      const state = await reader.ack("join", { conversationId, members: "none" });
      readers.push({ reader, seq: state.seq as number });
      if (readers.length > 15) await readers.shift()!.reader.close();
    }
    await writing;
    for (const { reader, seq } of readers) {
      await reader.until(() => seq + reader.count("message") >= COUNT, "the rest", 15_000);
      const seqs = reader.received.filter(({ type }) => type === "message")
        .map(({ data }) => (data as Message).seq);
      assert.deepEqual(seqs, Array.from({ length: COUNT - seq }, (_, i) => seq + 1 + i));
      await reader.close();
    }
    await writer.close();
  },
  { LIMIT_MESSAGES_PER_MINUTE: "100000", LIMIT_ROOM_BROADCASTS_PER_MINUTE: "100000" },
);

onNodes(
  "who follows without asking hears a new conversation from its first message on",
  async ([a, b]) => {
    const agent = await login(a);
    const key = await widgetKey(a, agent.token);
    for (let round = 0; round < 5; round++) {
      const { sessionId } = await openSession(a, key);
      const [writing, other] = [await openChatJson(a.url), await openChatJson(b.url)];
      const answering = await openChatJson(b.url);
      await Promise.all([writing.auth({ sessionId }), other.auth({ sessionId })]);
      await answering.auth({ token: agent.token });
      for (let n = 0; n < 5; n++) {
        writing.send({ type: "chat", payload: { content: `${n}`, id: `${n}` } });
      }
      for (const peer of [writing, other, answering]) {
        await peer.until(() => peer.chats().length >= 5);
        const contents = peer.chats().map(({ payload }) => payload.content);
        assert.deepEqual(contents, ["0", "1", "2", "3", "4"]);
      }
      await Promise.all([writing.close(), other.close(), answering.close()]);
    }
  },
);
