/** Connection state recovery: exactly what was missed, in order, once; or not recovered, and told. */
import assert from "node:assert/strict";
import { call, cast, login, openSession, post } from "../support/http.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { type Network, network, SocketIoPeer, type Transport } from "./socket_io_peer.ts";

interface Stage {
  server: TestServer;
  net: Network;
}

function recoveryTest(
  name: string,
  fn: (stage: Stage, transports: Transport[]) => Promise<void>,
  { env = {}, both = false, engine = "pglite" as "pglite" | "postgres" } = {},
): void {
  for (const transports of both ? [["websocket"], ["polling"]] : [["websocket"]]) {
    const isStrict = transports[0] === "websocket";
    Deno.test({
      name: `Socket.IO recovery: ${name} [${transports}]`,
      // Over polling, the XMLHttpRequest that the client brings for servers leaves a timer.
      sanitizeOps: isStrict,
      sanitizeResources: isStrict,
      async fn() {
        const server = await startServer(engine, env);
        const net = network(server.url);
        try {
          await fn({ server, net }, transports as Transport[]);
          if (server.errors.length > 0) throw server.errors[0];
        } finally {
          await net.close();
          await server.close();
        }
      },
    });
  }
}

const contents = (peer: SocketIoPeer, event = "message_received") =>
  peer.all(event).map((data) => (data.message ?? data).content);

/** Cuts, does something meanwhile, and waits until the client is back. */
async function away(
  { net }: Stage,
  peer: SocketIoPeer,
  meanwhile: () => Promise<unknown>,
): Promise<boolean> {
  const from = peer.heard.length;
  net.cut();
  await peer.until("disconnect", undefined, from);
  await meanwhile();
  net.mend();
  return (await peer.until("connect", undefined, from)).recovered;
}

recoveryTest("a cut loses nothing and repeats nothing", async (stage, transports) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const say = (content: string) => post(server, visitor.sessionId, conversationId, content);
  const widget = new SocketIoPeer(net.url, { transports, auth: { sessionId: visitor.sessionId } });
  const admin = new SocketIoPeer(net.url, { transports, auth: { token: agent.token } });
  await Promise.all([widget.until("authenticated"), admin.until("authenticated")]);
  await admin.ask("join_conversation", conversationId);
  const { id } = admin.socket;
  const expected: string[] = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < round; i++) {
      expected.push(`live ${round}.${i}`);
      await say(expected.at(-1)!);
    }
    const from = widget.heard.length;
    const recovered = await away(stage, admin, async () => {
      await widget.until("disconnect", undefined, from);
      for (let i = 0; i < 3; i++) {
        expected.push(`missed ${round}.${i}`);
        await say(expected.at(-1)!);
      }
    });
    assert.equal(recovered, true);
    assert.equal((await widget.until("connect", undefined, from)).recovered, true);
    assert.equal(admin.socket.id, id, "its rooms and its id are its own again");
  }
  expected.push("live again");
  await say("live again");
  for (const peer of [widget, admin]) {
    await peer.until("message_received", ({ content }) => content === "live again");
    await peer.until("new_message", ({ message }) => message.content === "live again");
    assert.deepEqual(contents(peer), expected);
    assert.deepEqual(contents(peer, "new_message"), expected);
    assert.deepEqual(peer.all("error"), []);
  }
  // It is in the conversation again for everything else, too.
  const typing = await admin.ask("typing_start", conversationId);
  assert.equal(typing.success, true);
  await widget.until("typing_indicator", ({ isTyping }) => isTyping);
  await Promise.all([widget.close(), admin.close()]);
}, { both: true });

recoveryTest(
  "the same on Postgres, authenticated by the event, while others go on writing",
  async (stage) => {
    const { server, net } = stage;
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const admin = new SocketIoPeer(net.url);
    admin.socket.on("connect", () => admin.socket.emit("authenticate", { token: agent.token }));
    await admin.until("authenticated");
    await admin.ask("join_conversation", conversationId);
    const writer = await connect(server, { sessionId: visitor.sessionId });
    const sent: string[] = [];
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; isWriting; i++) {
        const content = `m${i}`;
        await writer.ack("message", { conversationId, content, clientMessageId: content });
        sent.push(content);
      }
    })();
    for (let round = 0; round < 5; round++) {
      const before = sent.length;
      const recovered = await away(stage, admin, async () => {
        while (sent.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
      });
      assert.equal(recovered, true);
    }
    isWriting = false;
    await writing;
    await admin.until("message_received", ({ content }) => content === sent.at(-1));
    await admin.until("new_message", ({ message }) => message.content === sent.at(-1));
    assert.deepEqual(contents(admin), sent);
    assert.deepEqual(contents(admin, "new_message"), sent);
    await Promise.all([admin.close(), writer.close()]);
  },
  {
    engine: "postgres",
    env: { LIMIT_MESSAGES_PER_MINUTE: "100000", LIMIT_ROOM_BROADCASTS_PER_MINUTE: "100000" },
  },
);

recoveryTest("works before any message was seen, for conversations old and new", async (stage) => {
  const { server, net } = stage;
  const { agent, key, visitor, conversation } = await cast(server);
  const newcomer = await openSession(server, key);
  const admin = new SocketIoPeer(net.url, { auth: { token: agent.token } });
  const widget = new SocketIoPeer(net.url, { auth: { sessionId: newcomer.sessionId } });
  await Promise.all([admin.until("authenticated"), widget.until("authenticated")]);
  const from = widget.heard.length;
  const recovered = await away(stage, admin, async () => {
    await widget.until("disconnect", undefined, from);
    await post(server, visitor.sessionId, conversation.id, "First");
    // The newcomer's conversation is opened, and written in, while they are away.
    const opened = await call<{ id: string }>(server, "POST", "/api/conversations", {
      token: agent.token,
      body: { contactId: newcomer.contact.id },
    });
    await post(server, agent.token, opened.body.id, "May I help you?");
  });
  assert.equal(recovered, true);
  assert.equal((await widget.until("connect", undefined, from)).recovered, true);
  await admin.until("new_message", ({ message }) => message.content === "May I help you?");
  assert.deepEqual(contents(admin, "new_message"), ["First", "May I help you?"]);
  await widget.until("message_received");
  assert.deepEqual(contents(widget), ["May I help you?"]);
  await Promise.all([admin.close(), widget.close()]);
});

recoveryTest("a client that notices the cut before the server does goes on, too", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const admin = new SocketIoPeer(net.url, { auth: { token: agent.token } });
  await admin.until("authenticated");
  await admin.ask("join_conversation", conversation.id);
  // Nothing of this arrives, and the server does not know.
  net.deafen();
  for (const content of ["one", "two"]) {
    await post(server, visitor.sessionId, conversation.id, content);
  }
  const from = admin.heard.length;
  net.mend();
  net.strand();
  await admin.until("disconnect", undefined, from);
  assert.equal((await admin.until("connect", undefined, from)).recovered, true);
  await admin.until("message_received", ({ content }) => content === "two");
  assert.deepEqual(contents(admin), ["one", "two"]);
  const health = await call<{ services: { websocket: { connections: number } } }>(
    server,
    "GET",
    "/health",
  );
  assert.equal(health.body.services.websocket.connections, 1, "the old connection is gone");
  await admin.close();
});

recoveryTest("notes stay the agents', and edits are as they are now", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const widget = new SocketIoPeer(net.url, { auth: { sessionId: visitor.sessionId } });
  await widget.until("authenticated");
  const native = await connect(server, { token: agent.token });
  const recovered = await away(stage, widget, async () => {
    const write = (content: string, isPrivate = false) =>
      native.ack("message", {
        conversationId,
        content,
        clientMessageId: content.slice(0, 4),
        isPrivate,
      });
    await write("note: a difficult customer", true);
    const { message: { id: messageId } } = await write("Tpyo");
    await native.ack("edit_message", { conversationId, messageId, content: "Typo" });
    const { message } = await write("gone: a secret");
    await native.ack("delete_message", { conversationId, messageId: message.id });
  });
  assert.equal(recovered, true);
  await widget.until("message_deleted");
  assert.deepEqual(contents(widget), ["Typo", ""]);
  assert.equal(widget.all("message_updated")[0].message.content, "Typo");
  assert.ok(!/secret|difficult/.test(JSON.stringify(widget.heard)));
  await Promise.all([widget.close(), native.close()]);
});

recoveryTest(
  "too late is not recovered, and the widget has its own conversation anyway",
  async (stage) => {
    const { server, net } = stage;
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const widget = new SocketIoPeer(net.url, { auth: { sessionId: visitor.sessionId } });
    const admin = new SocketIoPeer(net.url, { auth: { token: agent.token } });
    await Promise.all([widget.until("authenticated"), admin.until("authenticated")]);
    await admin.ask("join_conversation", conversationId);
    await post(server, agent.token, conversationId, "seen");
    for (const peer of [widget, admin]) await peer.until("message_received");
    const from = widget.heard.length;
    const adminFrom = admin.heard.length;
    const recovered = await away(stage, admin, async () => {
      await widget.until("disconnect", undefined, from);
      for (const content of ["one", "two"]) {
        await post(server, agent.token, conversationId, content);
      }
      // Only time says when it is too late.
      await new Promise((resolve) => setTimeout(resolve, 400));
    });
    assert.equal(recovered, false);
    assert.equal((await widget.until("connect", undefined, from)).recovered, false);
    await widget.until("message_received", ({ content }) => content === "two");
    assert.deepEqual(contents(widget), ["seen", "one", "two"]);
    // The dashboard joins again as in the document, and nothing is missing there either.
    await admin.until("authenticated", undefined, adminFrom);
    admin.socket.emit("join_conversation", conversationId);
    await admin.until("message_received", ({ content }) => content === "two");
    await post(server, agent.token, conversationId, "live");
    await admin.until("message_received", ({ content }) => content === "live");
    assert.deepEqual(contents(admin), ["seen", "one", "two", "live"]);
    assert.equal(admin.all("joined_conversation").at(-1).recovered, true);
    await Promise.all([widget.close(), admin.close()]);
  },
  { env: { RECOVERY_MS: "200" }, both: true },
);

recoveryTest("more than may be replayed is not recovered", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const widget = new SocketIoPeer(net.url, { auth: { sessionId: visitor.sessionId } });
  await widget.until("authenticated");
  const say = async (count: number) => {
    for (let i = 0; i < count; i++) await post(server, agent.token, conversationId, `m${i}`);
  };
  // Two packets each: three messages are as many as may be.
  assert.equal(await away(stage, widget, () => say(3)), true);
  assert.equal(contents(widget).length, 3);
  assert.equal(await away(stage, widget, () => say(4)), false);
  await say(1);
  await widget.until("message_received", ({ seq }) => seq === 8);
  const seqs = widget.all("message_received").map(({ seq }) => seq);
  assert.equal(new Set(seqs).size, seqs.length, "nothing twice");
  assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7, 8], "its own conversation goes on from its offset");
  await widget.close();
}, { env: { MAX_REPLAY_EVENTS: "6" } });

recoveryTest("what has arrived is forgotten, and the rest is not", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const widget = new SocketIoPeer(net.url, { auth: { sessionId: visitor.sessionId } });
  await widget.until("authenticated");
  const expected: string[] = [];
  const say = async () => {
    expected.push(`m${expected.length}`);
    await post(server, agent.token, conversationId, expected.at(-1)!);
  };
  // A quiet client has confirmed everything; a busy one all but the last.
  for (const messages of [0, 1, 0, 2]) {
    for (let pings = 0; pings < 3; pings++) {
      await new Promise<void>((resolve) => widget.socket.io.once("ping", resolve));
      for (let i = 0; i < messages; i++) await say();
    }
    assert.equal(await away(stage, widget, say), true);
    await say();
    await widget.until("message_received", ({ content }) => content === expected.at(-1));
    assert.deepEqual(contents(widget), expected);
  }
  await widget.close();
}, { env: { HEARTBEAT_MS: "1000" } });

recoveryTest("only so many are remembered, the latest first", async (stage) => {
  const { server, net } = stage;
  const { agent } = await cast(server);
  const peers: SocketIoPeer[] = [];
  for (let i = 0; i < 3; i++) {
    const peer = new SocketIoPeer(net.url, { auth: { token: agent.token } });
    await peer.until("authenticated");
    peers.push(peer);
  }
  net.cut();
  for (const peer of peers) await peer.until("disconnect");
  await until(server, 0);
  net.mend();
  const back = await Promise.all(
    peers.map(async (peer) =>
      (await peer.until("connect", undefined, peer.heard.length - 1)).recovered
    ),
  );
  assert.equal(back.filter(Boolean).length, 2);
  for (const peer of peers) await peer.close();
}, { env: { MAX_RECOVERABLE: "2" } });

/** Waits until the server has that many connections. */
async function until(server: TestServer, connections: number): Promise<void> {
  for (;;) {
    const { body } = await call<{ services: { websocket: { connections: number } } }>(
      server,
      "GET",
      "/health",
    );
    if (body.services.websocket.connections === connections) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

recoveryTest("who has lost their rights has lost the connection", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const admin = new SocketIoPeer(net.url, { auth: { token: agent.token } });
  const widget = new SocketIoPeer(net.url);
  widget.socket.on("connect", () => {
    if (!widget.socket.recovered) {
      widget.socket.emit("authenticate", { sessionId: visitor.sessionId });
    }
  });
  await Promise.all([admin.until("authenticated"), widget.until("authenticated")]);
  // By its session alone a visitor is recovered, without saying again who they are.
  const from = admin.heard.length;
  const again = await away(stage, widget, () => admin.until("disconnect", undefined, from));
  assert.equal(again, true);
  await admin.until("connect", undefined, from);
  await widget.ask("send_message", { content: "It is still me", conversationId: conversation.id });
  await admin.until("new_message");
  const other = await login(server);
  const recovered = await away(stage, widget, async () => {
    await admin.until("disconnect", undefined, from + 1);
    await call(server, "DELETE", "/api/sessions", { token: visitor.sessionId });
    await call(server, "POST", "/api/auth/logout", { token: agent.token });
    await post(server, other.token, conversation.id, "Not for you any more");
  });
  assert.equal(recovered, false);
  await widget.until("auth_error");
  assert.equal(widget.all("message_received").length, 1);
  assert.ok(!JSON.stringify(widget.heard).includes("Not for you"));
  await Promise.all([admin.close(), widget.close()]);
});

recoveryTest(
  "a restarted server does not pretend, and nothing is missing",
  async (stage, transports) => {
    const { server, net } = stage;
    const { agent, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const widget = new SocketIoPeer(net.url, {
      transports,
      auth: { sessionId: visitor.sessionId },
    });
    const admin = new SocketIoPeer(net.url, { transports, auth: { token: agent.token } });
    await Promise.all([widget.until("authenticated"), admin.until("authenticated")]);
    await admin.ask("join_conversation", conversationId);
    await widget.ask("send_message", { conversationId, content: "before" });
    for (const peer of [widget, admin]) await peer.until("message_received");
    const from = { widget: widget.heard.length, admin: admin.heard.length };
    await server.stop();
    // "transport close" or "transport error": the client comes back by itself.
    await widget.until("disconnect", (reason) => reason.startsWith("transport"), from.widget);
    await server.restart();
    await post(server, agent.token, conversationId, "after");
    assert.equal((await widget.until("connect", undefined, from.widget)).recovered, false);
    assert.equal((await admin.until("connect", undefined, from.admin)).recovered, false);
    await widget.until("message_received", ({ content }) => content === "after");
    await admin.until("authenticated", undefined, from.admin);
    const joined = await admin.ask("join_conversation", conversationId);
    assert.equal(joined.recovered, true);
    await admin.until("message_received", ({ content }) => content === "after");
    for (const peer of [widget, admin]) {
      assert.deepEqual(contents(peer), ["before", "after"]);
      await peer.close();
    }
  },
  { both: true },
);

recoveryTest("what a client makes up is not recovered", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const other = await cast(server);
  const admin = new SocketIoPeer(net.url, { auth: { token: agent.token } });
  await admin.until("authenticated");
  const { epoch } = await admin.ask("join_conversation", conversation.id);
  await post(server, visitor.sessionId, conversation.id, "Followed");
  await post(server, other.visitor.sessionId, other.conversation.id, "Not followed");
  await admin.until("new_message", ({ message }) => message.content === "Not followed");
  const pidOf = () => (admin.socket as unknown as { _pid: string })._pid;
  const live = [
    // Of a form that there is, and of nothing that was sent on this connection.
    `${epoch}.${conversation.id}.99r`,
    `${epoch}.${conversation.id}.1u`,
    `${epoch}.${other.conversation.id}.1r`,
    `${epoch}.${crypto.randomUUID()}.1n`,
    `another.${conversation.id}.1r`,
    "m99",
    // Of none.
    "nonsense",
    "",
    `${epoch}.${conversation.id}.1r"]`,
    `${epoch}.${conversation.id}.999999999999999999r`,
  ].map((offset) => () => ({ pid: pidOf(), offset }));
  const made: (() => Record<string, unknown>)[] = [
    ...live,
    () => ({ pid: "x", offset: "0" }),
    () => ({ pid: "x", offset: `${epoch}.${conversation.id}.1r` }),
    () => ({ pid: {}, offset: [] }),
  ];
  for (const make of made) {
    const from = admin.heard.length;
    const auth = make();
    const peer = new SocketIoPeer(net.url, { auth: { ...auth, sessionId: visitor.sessionId } });
    assert.equal((await peer.until("connect")).recovered, false, JSON.stringify(auth));
    const { userId } = await peer.until("authenticated");
    assert.equal(userId, visitor.contact.id);
    assert.doesNotMatch(JSON.stringify(peer.heard), /Not followed/);
    await peer.close();
    if (!live.includes(make as typeof live[number])) continue;
    // It ended the session that it named; the dashboard is back with a new one.
    await admin.until("disconnect", undefined, from);
    await admin.until("reconnect", undefined, from);
    assert.notEqual(pidOf(), auth["pid"]);
  }
  const thief = new SocketIoPeer(net.url, {
    auth: { pid: pidOf(), offset: "0", sessionId: visitor.sessionId },
  });
  assert.equal((await thief.until("auth_error")).code, "forbidden");
  assert.equal(await thief.until("disconnect"), "io server disconnect");
  assert.deepEqual(thief.all("authenticated"), []);
  await admin.close();
});

recoveryTest("rooms and places that a client makes up open and skip nothing", async (stage) => {
  const { server, net } = stage;
  const { agent, visitor, conversation } = await cast(server);
  const { epoch, id: foreign } = conversation;
  await post(server, visitor.sessionId, foreign, "Secret");
  const own = await cast(server);
  const { sessionId } = own.visitor;
  const { id } = own.conversation;
  for (const content of ["One", "Two"]) await post(server, agent.token, id, content);
  let seq = 2;
  const roomsOf = (offset = "") => offset.slice(offset.indexOf("~") + 1);
  for (
    const [offset, missed] of [
      // Behind somebody else's rooms stands their own.
      [`0~${epoch};${foreign}.0,${id}.1`, 1],
      [`${epoch}.${foreign}.1r~${epoch};${foreign}.0`, 0],
      // Ahead of the log, and of another log.
      [`0~${epoch};${id}.99`, 0],
      [`${epoch}.${id}.99r~${epoch};${id}.99`, 0],
      [`0~another;${id}.0`, 0],
      [`another.${id}.1r~another;${id}.1`, 0],
    ] as const
  ) {
    const peer = new SocketIoPeer(net.url, { auth: { pid: "made up", offset, sessionId } });
    await peer.until("authenticated");
    await post(server, agent.token, id, `Live ${++seq}`);
    await peer.until("message_received", ({ content }) => content === `Live ${seq}`);
    const heard = peer.all("message_received").map((message) => message.seq);
    const expected = Array.from({ length: missed + 1 }, (_, i) => seq - missed + i);
    assert.deepEqual(heard, expected, offset);
    // What it is told of where it is, is where it is.
    const told = peer.heard.flatMap((one) => one.offset ?? []);
    assert.equal(roomsOf(told.at(-1)), `${epoch};${id}.${seq}`, offset);
    assert.ok(told.every((one) => !one.includes(foreign)), offset);
    assert.deepEqual(peer.all("error"), [], offset);
    assert.doesNotMatch(JSON.stringify(peer.heard), /Secret/);
    await peer.close();
  }

  // An agent sees all that there is, each from a place that it has.
  const nowhere = crypto.randomUUID();
  const admin = new SocketIoPeer(net.url, {
    auth: {
      pid: "made up",
      offset: `0~${epoch};${nowhere}.3,${foreign}.0,${id}.99`,
      token: agent.token,
    },
  });
  const left = await admin.until("left_conversation");
  assert.equal(left.conversationId, nowhere);
  await admin.until("reconnect");
  const joined = admin.all("joined_conversation").map((one) => [one.conversationId, one.recovered]);
  assert.deepEqual(new Map(joined as [string, boolean][]), new Map([[foreign, true], [id, false]]));
  assert.deepEqual(contents(admin), ["Secret"]);
  await post(server, agent.token, id, "Live");
  await admin.until("message_received", ({ content }) => content === "Live");
  const { offset } = admin.heard.findLast(({ event }) => event === "message_received")!;
  assert.deepEqual(
    new Set(roomsOf(offset).slice(epoch.length + 1).split(",")),
    new Set([`${foreign}.1`, `${id}.${seq + 1}`]),
  );
  assert.deepEqual(admin.all("error"), []);
  await admin.close();
});
