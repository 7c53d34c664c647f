import assert from "node:assert/strict";
import { poll } from "./support/deadline.ts";
import { call, cast, login, openSession, post } from "./support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

/** Who is asked for, as soon as they were seen later than that. */
async function untilSeenAfter(server: TestServer, path: string, token: string, before: string) {
  const look = async () =>
    (await call<{ lastSeenAt: string }>(server, "GET", path, { token })).body;
  await poll(look, ({ lastSeenAt }) => lastSeenAt > before, `a later lastSeenAt at ${path}`);
}

Deno.test("presence is by person: a second tab or a page change does not flicker", async () => {
  const server = await startServer("pglite", { PRESENCE_GRACE_MS: "400" });
  try {
    const { agent, key, visitor } = await cast(server);
    const other = await openSession(server, key);
    const a = await connect(server, { token: agent.token });
    const own = a.received.find(({ type }) => type === "ack")!.data as { presence: unknown[] };
    assert.deepEqual(own.presence.map((one) => (one as { role: string }).role), ["agent"]);
    const of = () =>
      a.received.flatMap((message) =>
        message.type === "presence" && message.data.userId === visitor.contact.id
          ? [message.data.status]
          : []
      );
    const v1 = await connect(server, { sessionId: visitor.sessionId });
    await a.event("presence", ({ userId }) => userId === visitor.contact.id);
    const v2 = await connect(server, { sessionId: visitor.sessionId });
    await v1.close();
    await v2.close();
    const v3 = await connect(server, { sessionId: visitor.sessionId });
    // Who left after them, and is told to be gone.
    const v4 = await connect(server, { sessionId: other.sessionId });
    await v4.close();
    await a.event(
      "presence",
      ({ userId, status }) => userId === other.contact.id && status === "offline",
    );
    assert.deepEqual(of(), ["online"]);
    await v3.ack("page", { url: "https://shop.example/cart", title: "Cart" });
    const seen = await a.event("presence", ({ page }) => page !== undefined);
    assert.equal(seen.page?.title, "Cart");
    const before = new Date().toISOString();
    await v3.close();
    await a.event(
      "presence",
      ({ userId, status }) => userId === visitor.contact.id && status === "offline",
    );
    const { token } = agent;
    await untilSeenAfter(server, `/api/contacts/${visitor.contact.id}`, token, before);
    const later = new Date().toISOString();
    await a.close();
    await untilSeenAfter(server, `/api/users/${agent.user.id}`, token, later);
  } finally {
    await server.close();
  }
});

Deno.test("visitors hear which agents are there, and nothing about other visitors", async () => {
  const server = await startServer("pglite", { PRESENCE_GRACE_MS: "0" });
  try {
    const one = await cast(server);
    const two = await cast(server);
    const v = await connect(server, { sessionId: one.visitor.sessionId });
    const other = await connect(server, { sessionId: two.visitor.sessionId });
    await other.ack("page", { url: "https://shop.example/secret" });
    const a = await connect(server, { token: one.agent.token });
    assert.equal((await v.event("presence")).role, "agent");
    await a.ack("presence", { status: "away" });
    await v.event("presence", ({ status }) => status === "away");
    await a.close();
    await v.event("presence", ({ status }) => status === "offline");
    await other.close();
    // What comes after it.
    const again = await connect(server, { token: one.agent.token });
    const onlines = () =>
      v.received.filter(({ type, data }) => type === "presence" && data.status === "online").length;
    await v.until(() => onlines() === 2, "the agent again");
    await again.close();
    assert.ok(!JSON.stringify(v.received).includes(two.visitor.contact.id));
    await v.close();
  } finally {
    await server.close();
  }
});

onEitherEngine("members of a conversation join and leave by name", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const v = await connect(server, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId });
  const a = await connect(server, { token: agent.token });
  const { members } = await a.ack("join", { conversationId });
  assert.deepEqual(members.map(({ role }: { role: string }) => role).sort(), ["agent", "visitor"]);
  assert.equal((await v.event("user_joined")).userId, agent.user.id);
  await a.ack("leave", { conversationId });
  assert.equal((await v.event("user_left")).userId, agent.user.id);
  await Promise.all([a.close(), v.close()]);
}, { PRESENCE_GRACE_MS: "50" });

Deno.test("members and people come in pages, then as they change, or as a number only", async () => {
  const server = await startServer("pglite", {
    PRESENCE_GRACE_MS: "50",
    LIMIT_SESSIONS_PER_MINUTE: "1000",
  });
  try {
    const { agent, key, conversation } = await cast(server);
    const conversationId = conversation.id;
    const agents = [];
    for (let i = 0; i < 4; i++) {
      const account = { email: `a${i}@example.com`, password: "a long enough password" };
      await call(server, "POST", "/api/users", {
        token: agent.token,
        body: { ...account, name: `A${i}`, role: "agent" },
      });
      const socket = await connect(server, { token: (await login(server, account)).token });
      await socket.ack("join", { conversationId, members: "none" });
      agents.push(socket);
    }
    const counting = await connect(server, { token: agent.token });
    const joined = await counting.ack("join", { conversationId, members: "count" });
    assert.deepEqual([joined.members, joined.memberCount, joined.membersCursor], [[], 5, null]);
    const listing = await connect(server, { token: agent.token });
    await listing.ack("join", { conversationId });
    const names: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await listing.ack("members", { conversationId, cursor, limit: 2 });
      names.push(...page.members.map(({ userName }: { userName: string }) => userName));
      if (page.membersCursor === null) break;
      cursor = page.membersCursor;
    }
    assert.deepEqual(names, ["A0", "A1", "A2", "A3", "ada"]);
    await agents[0]!.close();
    await agents[1]!.close();
    const told = await counting.event("member_count", ({ count }) => count === 3);
    assert.equal(told.conversationId, conversationId);
    assert.equal(counting.count("user_left"), 0);
    await listing.event("user_left", ({ userName }) => userName === "A1");
    assert.equal(listing.count("member_count"), 0);
    assert.equal(agents[2]!.count("user_left") + agents[2]!.count("member_count"), 0);
    const outside = await connect(server, { token: agent.token });
    const refused = await outside.ask("members", { conversationId });
    assert.equal((refused.data as { code: string }).code, "not_joined");

    const visitors = [];
    for (let i = 0; i < 5; i++) {
      const { sessionId } = await openSession(server, key);
      visitors.push(await connect(server, { sessionId }));
    }
    const all: string[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await listing.ack("presence_list", { cursor: next, limit: 3 });
      all.push(...page.presence.map(({ role }: { role: string }) => role));
      if (page.presenceCursor === null) break;
      next = page.presenceCursor;
    }
    assert.deepEqual(all, [...Array(3).fill("agent"), ...Array(5).fill("visitor")]);
    const seen = await visitors[0]!.ack("presence_list", { role: "visitor" });
    assert.ok(seen.presence.every(({ role }: { role: string }) => role === "agent"));
    await Promise.all(
      [...visitors, ...agents, counting, listing, outside].map((one) => one.close()),
    );
  } finally {
    await server.close();
  }
});

onEitherEngine("typing ends by itself, with the message, and with leaving", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const v = await connect(server, { sessionId: visitor.sessionId });
  const a = await connect(server, { token: agent.token });
  await v.ack("join", { conversationId });
  await a.ack("join", { conversationId });
  const heard = () =>
    a.received.flatMap((message) => message.type === "typing" ? [message.data.isTyping] : []);

  await v.ack("typing", { conversationId, isTyping: true });
  await v.ack("typing", { conversationId, isTyping: true });
  await a.event("typing", ({ isTyping }) => !isTyping);
  assert.deepEqual(heard(), [true, false]);

  await v.ack("typing", { conversationId, isTyping: true });
  await post(server, visitor.sessionId, conversationId, "Done");
  await a.until(() => heard().length === 4, "the end of typing");
  assert.deepEqual(heard(), [true, false, true, false]);

  await v.ack("typing", { conversationId, isTyping: true });
  await v.close();
  await a.until(() => heard().length === 6, "the end of typing");
  assert.deepEqual(heard(), [true, false, true, false, true, false]);
  assert.equal(v.count("typing"), 0);
  await a.close();
}, { TYPING_MS: "300" });

onEitherEngine("that a note is being written is told to agents only", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const who = { email: "bea@example.com", password: "a long enough password" };
  await call(server, "POST", "/api/users", {
    token: agent.token,
    body: { ...who, name: "Bea", role: "agent" },
  });
  const a = await connect(server, { token: agent.token });
  const b = await connect(server, { token: (await login(server, who)).token });
  const v = await connect(server, { sessionId: visitor.sessionId });
  for (const one of [a, b, v]) await one.ack("join", { conversationId });
  const typing = { conversationId, isTyping: true };
  await a.ack("typing", { ...typing, isPrivate: true });
  const note = await b.event("typing", ({ isTyping }) => isTyping);
  assert.equal(note.isPrivate, true);
  // From the note to a reply: the one ends, the other begins.
  await a.ack("typing", typing);
  await a.ack("typing", { conversationId, isTyping: false });
  await v.event("typing", ({ isTyping }) => !isTyping);
  const heard = (one: typeof v) =>
    one.received.flatMap(({ type, data }) =>
      type === "typing" ? [[data.isTyping, data.isPrivate ?? false]] : []
    );
  assert.deepEqual(heard(b), [[true, true], [false, true], [true, false], [false, false]]);
  assert.deepEqual(heard(v), [[true, false], [false, false]]);
  const refused = await v.ask("typing", { ...typing, isPrivate: true });
  assert.equal((refused.data as { code: string }).code, "forbidden");
  for (const one of [a, b, v]) await one.close();
});

onEitherEngine("read marks move on, never back, and clear the reader's unread", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  for (const content of ["One", "Two", "Three"]) {
    await post(server, visitor.sessionId, conversationId, content);
  }
  const a = await connect(server, { token: agent.token });
  const elsewhere = await connect(server, { token: agent.token });
  const v = await connect(server, { sessionId: visitor.sessionId });
  await v.ack("join", { conversationId });
  const unread = async () => {
    const list = await call<{ items: { unread: number }[] }>(server, "GET", "/api/conversations", {
      token: agent.token,
    });
    return list.body.items[0]!.unread;
  };
  assert.equal(await unread(), 3);
  assert.equal((await a.ack("read", { conversationId, seq: 2 })).readSeq, 2);
  assert.equal(await unread(), 1);
  assert.deepEqual(await elsewhere.event("unread"), {
    conversationId,
    unread: 1,
    readSeq: 2,
    totalUnread: 1,
    unreadCounts: { web: 1 },
  });
  const status = await v.event("message_status");
  assert.equal(status.pointers.agentReadSeq, 2);
  assert.equal((await a.ack("read", { conversationId, seq: 1 })).readSeq, 2);
  assert.equal((await a.ack("read", { conversationId, seq: 1000 })).readSeq, 3);
  assert.equal(await unread(), 0);
  const { messages } = await v.ack("history", { conversationId });
  assert.deepEqual(
    messages.map((message: { status: string }) => message.status),
    ["read", "read", "read"],
  );
  // Another agent has read nothing of it.
  const grace = { email: "grace@example.com", password: "a long enough password" };
  await call(server, "POST", "/api/users", {
    token: agent.token,
    body: { ...grace, name: "Grace", role: "agent" },
  });
  const hers = await login(server, grace);
  const list = await call<{ items: { unread: number }[] }>(server, "GET", "/api/conversations", {
    token: hers.token,
  });
  assert.equal(list.body.items[0]!.unread, 3);
  await Promise.all([a.close(), elsewhere.close(), v.close()]);
});

onEitherEngine("status and assignment are logged, listed and seen live", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  await post(server, visitor.sessionId, conversationId, "Hello");
  const v = await connect(server, { sessionId: visitor.sessionId });
  const a = await connect(server, { token: agent.token });
  await v.ack("join", { conversationId });
  await a.ack("join", { conversationId });
  const change = (body: unknown) =>
    call<{ status: string; assignee: { userName: string } | null; waitingSince: string | null }>(
      server,
      "PATCH",
      `/api/conversations/${conversationId}`,
      { token: agent.token, body },
    );
  const mine = await change({ assigneeId: agent.user.id, status: "resolved" });
  assert.equal(mine.status, 200);
  assert.equal(mine.body.assignee?.userName, agent.user.name);
  assert.equal(mine.body.waitingSince, null);
  const assigned = await a.event("conversation_changed", ({ seq }) => seq === 2);
  assert.equal(assigned.message?.content, `${agent.user.name} took the conversation`);
  const resolved = await v.event("conversation_changed", ({ seq }) => seq === 3);
  assert.equal(resolved.status, "resolved");
  assert.equal(resolved.message, undefined);
  // The same again changes nothing and logs nothing.
  await change({ status: "resolved" });
  // A message from the visitor opens it again.
  await post(server, visitor.sessionId, conversationId, "One more thing");
  const reopened = await a.event("conversation_changed", ({ seq }) => seq === 4);
  assert.equal(reopened.status, "open");
  await a.event("message", ({ seq }) => seq === 5);
  const lists = async (query: string) =>
    (await call<{ items: unknown[] }>(server, "GET", `/api/conversations?${query}`, {
      token: agent.token,
    })).body.items.length;
  assert.deepEqual(
    await Promise.all(
      ["", "status=open", "status=resolved", "view=mine", "view=unassigned"].map(lists),
    ),
    [1, 1, 0, 1, 0],
  );
  assert.equal((await change({ assigneeId: null })).body.assignee, null);
  assert.equal((await change({})).status, 422);
  assert.equal((await change({ assigneeId: visitor.contact.id })).status, 422);
  await Promise.all([a.close(), v.close()]);
});
