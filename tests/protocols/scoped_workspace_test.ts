/** The workspace's chat: where agents are at `/api/chat/ws` who name no context. */
import assert from "node:assert/strict";
import { WORKSPACE_CHAT } from "../../domain/workspace/chat.ts";
import { call, cast, openSession, post } from "../support/http.ts";
import { onNodes } from "../support/nodes.ts";
import { colleagues } from "../support/notifications.ts";
import { onEitherEngine } from "../support/server.ts";
import { connect, TestSocket } from "../support/socket.ts";
import { type Line, open, type ScopedPeer, SECRET, sign } from "./scoped_peer.ts";
import { connectPeer } from "./socket_io_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };

/** An agent in the workspace's chat, by a first message. */
async function inside(
  server: { url: string },
  token: string,
  more: Record<string, unknown> = {},
): Promise<ScopedPeer & { me: Line }> {
  const peer = await open(server, "chat");
  peer.send({ type: "auth", token, ...more });
  const { data } = await peer.until(({ type }) => type === "authenticated", "authenticated");
  return Object.assign(peer, { me: data });
}

const texts = ({ received }: ScopedPeer) =>
  received.filter(({ type }) => type === "message").map(({ data }) => data.content);

onEitherEngine(
  "workspace chat: agents write, see each other, and go on where they were",
  async (server) => {
    const [ada, bea] = await colleagues(server, "Bea");
    const a = await inside(server, ada!.token);
    assert.deepEqual([a.me.contextId, a.me.conversationId, a.me.seq], [null, null, 0]);
    assert.deepEqual(a.me.members.map(({ userId }: Line) => userId), [ada!.id]);
    const b = await inside(server, bea!.token);
    assert.equal((await a.until(({ type }) => type === "user_joined")).data.username, "Bea");
    await b.ask("typing", { isTyping: true });
    await a.until(({ type, data }) => type === "typing" && data.isTyping);

    const first = (await b.ask("message", { content: "One", clientMessageId: "c1" })).data;
    assert.deepEqual([first.seq, first.conversationId, first.duplicate], [1, null, false]);
    assert.deepEqual(first.author, { id: bea!.id, name: "Bea", role: "agent" });
    // The same again is the same message, for everybody.
    const again = (await b.ask("message", { content: "One", clientMessageId: "c1" })).data;
    assert.deepEqual([again.id, again.duplicate], [first.id, true]);
    const second = (await a.ask("message", { content: "Two" })).data;
    for (const peer of [a, b]) {
      await peer.until(({ type, data }) => type === "message" && data.content === "Two");
      assert.deepEqual(texts(peer), ["One", "Two"]);
    }
    const page = async (data: unknown) => {
      const { messages, hasMore } = (await a.ask("history", data)).data;
      return [messages.map(({ content }: Line) => content), hasMore];
    };
    assert.deepEqual(await page({}), [["One", "Two"], false]);
    assert.deepEqual(await page({ limit: 1 }), [["Two"], true]);
    assert.deepEqual(await page({ before: 2 }), [["One"], false]);
    assert.deepEqual(await page({ before: second.timestamp, limit: 1 }), [["One"], false]);
    assert.deepEqual(await page({ after: 0, limit: 1 }), [["One"], true]);

    // Away, over a restart: what was missed, once and in order, before anything live.
    const { epoch } = b.me;
    await b.close();
    assert.equal((await a.until(({ type }) => type === "user_left")).data.userId, bea!.id);
    for (const content of ["Three", "Four"]) await a.ask("message", { content });
    const ended = a.closed;
    await server.stop();
    await ended;
    await server.restart();
    const back = await inside(server, bea!.token, { lastSeq: 2, epoch });
    assert.deepEqual([back.me.recovered, back.me.seq], [true, 4]);
    const byAddress = await open(server, "chat", { token: ada!.token, lastSeq: 3 });
    await back.ask("message", { content: "Five" });
    for (const [peer, expected] of [[back, "Three,Four,Five"], [byAddress, "Four,Five"]] as const) {
      await peer.until(({ type, data }) => type === "message" && data.content === "Five");
      assert.equal(texts(peer).join(), expected);
    }
    for (const more of [{ lastSeq: 1, epoch: "another" }, { lastSeq: 99 }]) {
      const lost = await inside(server, ada!.token, more);
      assert.equal(lost.me.recovered, false);
      assert.deepEqual(texts(lost), []);
      await lost.close();
    }
    await Promise.all([back.close(), byAddress.close()]);
  },
  ENV,
);

onEitherEngine(
  "workspace chat: nothing that is about conversations has anything of it",
  async (server) => {
    const [ada, bea] = await colleagues(server, "Bea");
    const { visitor, conversation } = await cast(server);
    const { token } = bea!;
    const native = await connect(server, { token });
    await native.ack("subscribe", { table: "chat_messages", events: ["INSERT"] });
    await native.ack("subscribe", { table: "conversations", events: ["INSERT"] });
    await native.ack("subscribe", { metrics: ["messages_in", "messages_out"] });
    const io = await connectPeer(server, { token });
    const widget = await connect(server, { sessionId: visitor.sessionId });
    await widget.ack("join", { conversationId: conversation.id });
    const a = await inside(server, ada!.token);
    for (const content of ["Backstage @Bea", "Backstage again"]) {
      await a.ask("message", {
        content,
      });
    }
    // What comes behind it on every way is there: so would it be.
    await post(server, visitor.sessionId, conversation.id, "On stage");
    await native.event("database_change", ({ data }) => data["content"] === "On stage");
    await native.event("notification");
    await native.event("metric_update", ({ metric, value }) => metric === "messages_in" && !!value);
    await io.until("new_message", ({ message }) => message.content === "On stage");
    await widget.event("message", ({ content }) => content === "On stage");
    const heard = JSON.stringify([native.received, io.heard, widget.received]);
    assert.doesNotMatch(heard, /Backstage|workspace/);
    assert.ok(!heard.includes(WORKSPACE_CHAT));

    assert.deepEqual(
      native.received.flatMap(({ type, data }) =>
        type === "metric_update" && data.metric === "messages_out" ? [data.value] : []
      ),
      [0],
    );

    const get = async (path: string) => {
      const { status, body } = await call<Line>(server, "GET", path, { token });
      assert.equal(status, 200, path);
      return body;
    };
    const list = await get("/api/conversations");
    assert.deepEqual(list.items.map(({ id }: Line) => id), [conversation.id]);
    assert.equal((await get("/api/contacts")).items.length, 1);
    const { items: notifications } = await get("/api/notifications");
    assert.deepEqual(notifications.map(({ kind }: Line) => kind), ["new_conversation"]);
    const found = await get("/api/search?q=backstage");
    for (const kind of ["messages", "conversations", "contacts"]) {
      assert.deepEqual(found[kind].items, [], kind);
    }
    // It is no conversation for who asks for one by its id, either.
    const path = `/api/conversations/${WORKSPACE_CHAT}`;
    for (const at of [path, `${path}/messages`]) {
      assert.equal((await call(server, "GET", at, { token })).status, 404, at);
    }
    const join = await native.ask("join", { conversationId: WORKSPACE_CHAT });
    assert.equal((join.data as Line).code, "not_found");
    await Promise.all([native, io, widget, a].map((one) => one.close()));
  },
  ENV,
);

onEitherEngine("workspace chat: agents only, and with a rate of its own", async (server) => {
  const [ada] = await colleagues(server);
  const { visitor, conversation, key } = await cast(server);
  const a = await inside(server, ada!.token);
  await a.ask("message", { content: "Among us" });
  const other = await openSession(server, key);
  const trusted = { sub: "1", iss: "https://lms.example" };
  for (
    const [token, contextId, code, sentence] of [
      [
        await sign({ sub: "1", contexts: ["A", "B"] }),
        undefined,
        "invalid",
        /"contextId" is missing/,
      ],
      [await sign(trusted), undefined, "invalid", /"contextId" is missing/],
      [await sign(trusted), "", "invalid", /"contextId"/],
      [await sign(trusted), WORKSPACE_CHAT, "forbidden", /does not name/],
      [await sign({ sub: "1", contextId: WORKSPACE_CHAT }), undefined, "not_found", /Cannot find/],
      [other.sessionId, undefined, "invalid_token", /not a JWT/],
      [ada!.token, WORKSPACE_CHAT, "not_found", /Cannot find/],
    ] as [string, string | undefined, string, RegExp][]
  ) {
    const peer = await open(server, "chat");
    peer.send({ type: "auth", token, ...(contextId === undefined ? {} : { contextId }) });
    const answer = await peer.until(() => true, "an answer");
    assert.equal(answer.data.code, code, JSON.stringify(answer));
    assert.match(answer.error, sentence);
    peer.send({ type: "message", data: { content: "Let me in" } });
    await peer.close();
    assert.doesNotMatch(JSON.stringify(peer.received), /Among us/);
  }
  const bySession = await open(server, "chat", { sessionId: visitor.sessionId });
  assert.match((await bySession.until(() => true)).error, /"token" is needed here/);
  await bySession.close();
  const native = new TestSocket(server.url, ["parley.v1", `parley.session.${visitor.sessionId}`]);
  await native.until(({ id }) => id === "auth");
  for (const type of ["join", "message", "typing"] as const) {
    const data = { conversationId: WORKSPACE_CHAT, ...MORE[type] };
    const { code } = (await native.ask(type, data)).data as Line;
    assert.match(code, /^not_(found|joined)$/, type);
  }
  native.socket.close();
  await native.closed;

  // The fourth message of the minute; the conversations' rates are others.
  for (const content of ["2", "3"]) await a.ask("message", { content });
  const refused = await a.ask("message", { content: "4" });
  assert.equal(refused.data.limit, "LIMIT_ROOM_BROADCASTS_PER_MINUTE");
  await post(server, visitor.sessionId, conversation.id, "Hello");
  const { messages } = (await a.ask("history")).data;
  assert.deepEqual(messages.map(({ content }: Line) => content), ["Among us", "2", "3"]);
  await a.close();
}, {
  ...ENV,
  LIMIT_ROOM_BROADCASTS_PER_MINUTE: "3",
  JWT_ANY_CONTEXT_ISSUERS: "https://lms.example",
});

const MORE = {
  join: {},
  message: { content: "Let me in", clientMessageId: "x" },
  typing: { isTyping: true },
};

onNodes("workspace chat: one order on all nodes, without a gap", async (nodes) => {
  const [ada, bea] = await colleagues(nodes[0], "Bea");
  const peers = [await inside(nodes[0], ada!.token), await inside(nodes[1], bea!.token)];
  await Promise.all(
    peers.flatMap((peer, node) =>
      Array.from({ length: 20 }, (_, i) => peer.ask("message", { content: `${node}.${i}` }))
    ),
  );
  const lines = await Promise.all(peers.map(async (peer) => {
    await peer.until(({ type, data }) => type === "message" && data.seq === 40, "the last one");
    return peer.received.filter(({ type }) => type === "message").map(({ data }) => data);
  }));
  for (const line of lines) {
    assert.deepEqual(line.map(({ seq }) => seq), Array.from({ length: 40 }, (_, i) => i + 1));
  }
  assert.deepEqual(...lines.map((line) => line.map(({ content }) => content)) as [Line, Line]);
  await Promise.all(peers.map((peer) => peer.close()));
}, ENV);
