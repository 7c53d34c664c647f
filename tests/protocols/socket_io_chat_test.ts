/** The chatbot's document: each of its examples, with the official client; widget and dashboard. */
import assert from "node:assert/strict";
import { call, cast, openSession, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { connectPeer, SocketIoPeer, type Transport } from "./socket_io_peer.ts";

async function withServer(
  env: Record<string, string>,
  fn: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", env);
  try {
    await fn(server);
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

onEitherEngine(
  "Socket.IO chat: widget and dashboard, as in the document's two flows",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const widget = new SocketIoPeer(server.url, { auth: { sessionId: visitor.sessionId } });
    const customer = await widget.until("authenticated");
    assert.equal(customer.userId, visitor.contact.id);
    assert.equal(customer.userName, visitor.contact.name);
    assert.equal(customer.role, "customer");
    assert.equal(customer.conversationId, conversationId);

    const admin = new SocketIoPeer(server.url, { auth: { token: agent.token } });
    const who = await admin.until("authenticated");
    assert.deepEqual([who.userId, who.userName, who.role], [
      agent.user.id,
      agent.user.name,
      "admin",
    ]);
    const present = await widget.until("presence_update", ({ userId }) => userId === agent.user.id);
    assert.equal(present.status, "online");
    assert.ok(!Number.isNaN(Date.parse(present.timestamp)));

    for (const peer of [widget, admin]) {
      peer.socket.emit("join_conversation", conversationId);
      const joined = await peer.until("joined_conversation");
      assert.equal(joined.conversationId, conversationId);
    }
    const sent = await widget.ask("send_message", { conversationId, content: "Hello!" });
    assert.equal(sent.success, true);
    assert.equal(sent.seq, 1);
    for (const peer of [widget, admin]) {
      const received = await peer.until("message_received");
      assert.equal(received.conversationId, conversationId);
      assert.equal(received.content, "Hello!");
      assert.equal(received.id, sent.messageId);
      assert.equal(received.seq, 1);
      assert.ok(!Number.isNaN(Date.parse(received.timestamp)));
      assert.deepEqual(received.sender, {
        userId: visitor.contact.id,
        userName: visitor.contact.name,
        role: "customer",
      });
    }
    assert.equal(widget.all("message_received").length, 1, "once, although it follows it twice");

    admin.socket.emit("typing_start", conversationId);
    const typing = await widget.until("typing_indicator");
    assert.deepEqual(
      [typing.userId, typing.userName, typing.isTyping],
      [agent.user.id, agent.user.name, true],
    );
    admin.socket.emit("typing_stop", conversationId);
    await widget.until("typing_indicator", ({ isTyping }) => !isTyping);
    const reply = await admin.ask("send_message", { conversationId, content: "Hello customer!" });
    assert.equal(reply.success, true);
    const answer = await widget.until("message_received", ({ sender }) => sender.role === "admin");
    assert.equal(answer.content, "Hello customer!");
    assert.deepEqual(admin.all("typing_indicator"), [], "nobody hears of their own typing");

    const read = await widget.ask("message_read", { conversationId, seq: reply.seq });
    assert.deepEqual([read.success, read.readSeq], [true, reply.seq]);
    const status = await admin.until("message_status_update", ({ status }) => status === "read");
    assert.equal(status.messageId, reply.messageId);

    // Every seq in its place: one message and each of its forms once, in order.
    assert.deepEqual(admin.all("message_received").map(({ seq }) => seq), [1, 2]);
    assert.deepEqual(admin.all("new_message").map(({ message }) => message.seq), [1, 2]);

    admin.socket.emit("leave_conversation", conversationId);
    assert.deepEqual(await admin.until("left_conversation"), { conversationId });
    const after = await widget.ask("send_message", { conversationId, content: "Still there?" });
    await admin.until("new_message", ({ message }) => message.id === after.messageId);
    assert.equal(admin.all("message_received").length, 2, "it left the conversation");
    await Promise.all([widget.close(), admin.close()]);
  },
);

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]] as Transport[][]) {
  const isStrict = transports[0] === "websocket";
  Deno.test({
    name: `Socket.IO chat: a whole conversation over ${transports.join(", then ")}`,
    // Over polling, the XMLHttpRequest that the client brings for servers leaves a timer.
    sanitizeOps: isStrict,
    sanitizeResources: isStrict,
    fn: () =>
      withServer({}, async (server) => {
        const { agent, visitor, conversation } = await cast(server);
        const conversationId = conversation.id;
        const widget = await connectPeer(server, { sessionId: visitor.sessionId }, transports);
        const admin = await connectPeer(server, { token: agent.token }, transports);
        await admin.ask("join_conversation", conversationId);
        const expected: string[] = [];
        for (let i = 0; i < 20; i++) {
          const content = `${i % 2 === 0 ? "Question" : "Answer"} ${i} ` + "é\u2028👋".repeat(i);
          expected.push(content);
          const from = i % 2 === 0 ? widget : admin;
          assert.equal((await from.ask("send_message", { conversationId, content })).success, true);
        }
        for (const peer of [widget, admin]) {
          await peer.until("message_received", ({ seq }) => seq === 20);
          assert.deepEqual(peer.all("message_received").map(({ content }) => content), expected);
        }
        await Promise.all([widget.close(), admin.close()]);
      }),
  });
}

Deno.test("Socket.IO chat: what is emitted before the answer to the handshake has its turn", async () => {
  await withServer({}, async (server) => {
    const { visitor, conversation } = await cast(server);
    // "Manual testing with DevTools": three lines, nothing awaited.
    const socket = new SocketIoPeer(server.url, { auth: { sessionId: visitor.sessionId } });
    socket.socket.emit("join_conversation", conversation.id);
    socket.socket.emit("send_message", { conversationId: conversation.id, content: "Hello!" });
    await socket.until("message_received", ({ content }) => content === "Hello!");
    assert.deepEqual(socket.all("error"), []);
    await socket.close();
    // And with the event, by someone whose conversation does not exist yet.
    const { key } = await cast(server);
    const session = await openSession(server, key);
    const fresh = new SocketIoPeer(server.url);
    fresh.socket.emit("authenticate", { sessionId: session.sessionId });
    const first = fresh.ask("send_message", { content: "First" });
    const second = fresh.ask("send_message", { content: "Second" });
    assert.deepEqual([(await first).seq, (await second).seq], [1, 2]);
    const opened = await fresh.until("conversation_opened");
    assert.equal(opened.conversationId, (await first).conversationId);
    const joined = await fresh.ask("join_conversation", opened.conversationId);
    assert.equal(joined.seq, 2);
    assert.deepEqual(fresh.all("message_received").map(({ seq }) => seq), [1, 2]);
    assert.deepEqual(
      joined.messages.map(({ content }: { content: string }) => content),
      ["First", "Second"],
    );
    await fresh.close();
  });
});

Deno.test("Socket.IO chat: bad credentials in the handshake are told, and end it", async () => {
  await withServer({}, async (server) => {
    const { agent, visitor } = await cast(server);
    const bad: [Record<string, unknown>, string][] = [
      [{ token: "your-jwt-token" }, "invalid_token"],
      [{ sessionId: "session-uuid" }, "invalid_session"],
      [{ token: { toString: "x" } }, "invalid"],
      [{ sessionId: 5 }, "invalid"],
      [{ token: "forged", sessionId: visitor.sessionId }, "invalid_token"],
      [{ sessionId: agent.token }, "invalid"],
    ];
    for (const [auth, code] of bad) {
      const peer = new SocketIoPeer(server.url, { auth });
      const told = await peer.until("auth_error");
      const error = await peer.until("error");
      assert.deepEqual([told.code, error.code], [code, code], JSON.stringify(auth).slice(0, 80));
      assert.equal(typeof error.message, "string");
      assert.equal(await peer.until("disconnect"), "io server disconnect");
      assert.equal(peer.socket.active, false, "it does not come back by itself");
    }
    // What is not there counts as none given, and there is time to authenticate.
    const empty = new SocketIoPeer(server.url, { auth: { token: null, other: 1 } });
    await empty.until("connect");
    assert.equal((await empty.ask("authenticate", { token: agent.token })).success, true);
    await empty.close();
  });
});

Deno.test("Socket.IO chat: typing ends by itself, and every keystroke may announce it", async () => {
  await withServer({ TYPING_MS: "500" }, async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const widget = await connectPeer(server, { sessionId: visitor.sessionId });
    const admin = await connectPeer(server, { token: agent.token });
    await admin.ask("join_conversation", conversationId);
    widget.socket.emit("typing_start", conversationId);
    await admin.until("typing_indicator", ({ isTyping }) => isTyping);
    await admin.until("typing_indicator", ({ isTyping }) => !isTyping);
    // As the document's input handler does it: 200 strokes of a fast typist.
    let from = admin.heard.length;
    for (let i = 0; i < 200; i++) widget.socket.emit("typing_start", conversationId);
    const last = await widget.ask("typing_start", conversationId);
    assert.equal(last.success, true);
    assert.deepEqual(widget.all("error"), []);
    await admin.until("typing_indicator", ({ isTyping }) => isTyping, from);
    from = admin.heard.length;
    await widget.ask("send_message", { conversationId, content: "Done" });
    await admin.until("message_received", () => true, from);
    // The next stroke is typing anew.
    await widget.ask("typing_start", conversationId);
    await admin.until("typing_indicator", ({ isTyping }) => isTyping, from);
    const turns = admin.all("typing_indicator").map(({ isTyping }) => isTyping);
    assert.ok(turns.every((isTyping, i) => isTyping === (i % 2 === 0)), String(turns));
    await widget.ask("typing_stop", conversationId);
    await widget.ask("typing_stop", conversationId);
    const outside = await admin.ask("leave_conversation", conversationId);
    assert.equal(outside.success, true);
    const refused = await admin.ask("typing_start", conversationId);
    assert.equal(refused.code, "not_joined");
    assert.equal((await admin.ask("typing_start", conversationId)).code, "not_joined");
    await Promise.all([widget.close(), admin.close()]);
  });
});

Deno.test("Socket.IO chat: presence is by person, and an agent may be away", async () => {
  await withServer({ PRESENCE_GRACE_MS: "100" }, async (server) => {
    const { agent, visitor } = await cast(server);
    const widget = await connectPeer(server, { sessionId: visitor.sessionId });
    const one = await connectPeer(server, { token: agent.token });
    const two = await connectPeer(server, { token: agent.token });
    const { presence } = await two.until("authenticated");
    assert.deepEqual(
      presence.map(({ userId, role, status }: Record<string, string>) => [userId, role, status]),
      [[agent.user.id, "admin", "online"], [visitor.contact.id, "customer", "online"]],
    );
    await one.ask("set_presence", "away");
    const away = await widget.until("presence_update", ({ status }) => status === "away");
    assert.equal(away.userId, agent.user.id);
    assert.equal((await widget.ask("set_presence", "away")).code, "forbidden");
    await one.close();
    await two.ask("set_presence", { status: "online" });
    const states = () => widget.all("presence_update").map(({ status }) => status);
    await widget.until("presence_update", () => states().length === 3);
    assert.deepEqual(states(), ["online", "away", "online"], "one of two tabs makes no difference");
    await two.close();
    await widget.until("presence_update", ({ status }) => status === "offline");
    const left = await connectPeer(server, { token: agent.token });
    await widget.close();
    const gone = await left.until("presence_update", ({ status }) => status === "offline");
    assert.equal(gone.userId, visitor.contact.id);
    await left.close();
  });
});

Deno.test("Socket.IO chat: a message sent again is the same message", async () => {
  await withServer({}, async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const widget = await connectPeer(server, { sessionId: visitor.sessionId });
    const admin = await connectPeer(server, { token: agent.token });
    const native = await connect(server, { token: agent.token });
    await native.ack("join", { conversationId });
    const data = { conversationId, content: "Once", clientMessageId: "c-1" };
    const answers = await Promise.all([1, 2, 3].map(() => widget.ask("send_message", data)));
    assert.deepEqual(answers.map(({ duplicate }) => duplicate), [false, true, true]);
    assert.equal(new Set(answers.map(({ messageId }) => messageId)).size, 1);
    await widget.ask("send_message", { conversationId, content: "Last" });
    await native.event("message", ({ content }) => content === "Last");
    await admin.until("new_message", ({ message }) => message.content === "Last");
    assert.equal(native.count("message"), 2);
    assert.equal(admin.all("new_message").length, 2);
    assert.equal(widget.all("message_received").length, 2);
    // What others do to a message is heard in the conversation.
    const [{ messageId }] = answers as [{ messageId: string }];
    await admin.ask("join_conversation", conversationId);
    const mine = await admin.ask("send_message", { conversationId, content: "Tpyo" });
    await native.ack("edit_message", {
      conversationId,
      messageId: mine.messageId,
      content: "Typo",
    });
    const edited = await widget.until("message_updated");
    assert.deepEqual([edited.message.id, edited.message.content], [mine.messageId, "Typo"]);
    await native.ack("delete_message", { conversationId, messageId });
    const deleted = await widget.until("message_deleted");
    assert.deepEqual([deleted.messageId, deleted.actor.role], [messageId, "admin"]);
    await call(server, "PATCH", `/api/conversations/${conversationId}`, {
      token: agent.token,
      body: { status: "resolved" },
    });
    const changed = await widget.until("conversation_changed");
    assert.deepEqual([changed.status, changed.conversationId], ["resolved", conversationId]);
    await Promise.all([widget, admin, native].map((one) => one.close()));
  });
});

Deno.test("Socket.IO chat: who joins from a position gets what came after it, and no more", async () => {
  await withServer({ MAX_REPLAY_EVENTS: "5" }, async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const say = (content: string) => post(server, visitor.sessionId, conversationId, content);
    for (const content of ["1", "2", "3", "4"]) await say(content);
    const received = (peer: SocketIoPeer) =>
      peer.all("message_received").map(({ content }) => content);

    const admin = await connectPeer(server, { token: agent.token });
    const joined = await admin.ask("join_conversation", conversationId, { after: 2 });
    assert.deepEqual([joined.recovered, joined.seq, joined.messages], [true, 4, []]);
    const { epoch } = await admin.until("joined_conversation");
    await say("5");
    await admin.until("message_received", ({ seq }) => seq === 5);
    assert.deepEqual(received(admin), ["3", "4", "5"]);
    // In already, and further back: only what it has not had.
    const back = await admin.ask("join_conversation", { conversationId, after: 1, epoch });
    assert.equal(back.recovered, true);
    assert.deepEqual(received(admin), ["3", "4", "5", "2"]);
    // Once more without a position changes nothing, and tells the latest.
    const again = await admin.ask("join_conversation", conversationId);
    assert.deepEqual(
      again.messages.map(({ content }: { content: string }) => content),
      ["1", "2", "3", "4", "5"],
    );
    await say("6");
    await admin.until("message_received", ({ seq }) => seq === 6);
    assert.deepEqual(received(admin), ["3", "4", "5", "2", "6"]);

    // Too far, from the future, or of another database: told, with the latest instead.
    const others = [{ after: 0 }, { after: 99 }, { after: 5, epoch: "otherEpoch" }];
    for (const position of others) {
      const peer = await connectPeer(server, { token: agent.token });
      const answer = await peer.ask("join_conversation", conversationId, position);
      assert.equal(answer.recovered, false, JSON.stringify(position));
      assert.equal(answer.messages.at(-1).seq, answer.seq);
      assert.equal((await peer.until("joined_conversation")).recovered, false);
      await say("more");
      await peer.until("message_received", ({ content }) => content === "more");
      assert.equal(received(peer).length, 1);
      await peer.close();
    }
    await admin.close();
  });
});
