/** What should not be sent to `/socket.io/`: each is answered, and the server goes on. */
import assert from "node:assert/strict";
import { call, cast, openSession } from "../support/http.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { connectPeer, SocketIoPeer } from "./socket_io_peer.ts";

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

Deno.test("Socket.IO abuse: every event with wrong arguments says what is wrong", async () => {
  await withServer({ LIMIT_MESSAGES_PER_MINUTE: "1000" }, async (server) => {
    const { key, visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const stranger = await openSession(server, key);
    const theirs = await connectPeer(server, { sessionId: stranger.sessionId });
    const { conversationId: foreign } = await theirs.ask("send_message", { content: "Mine" });
    const unknown = crypto.randomUUID();
    const peer = await connectPeer(server, { sessionId: visitor.sessionId });
    const deep = JSON.parse("[".repeat(40) + "]".repeat(40));
    const table: [event: string, args: unknown[], code: string][] = [
      ["join_conversation", [], "invalid"],
      ["join_conversation", [null], "invalid"],
      ["join_conversation", ["conv-123"], "invalid"],
      ["join_conversation", [5], "invalid"],
      ["join_conversation", [[conversationId]], "invalid"],
      ["join_conversation", [conversationId, { after: -1 }], "invalid"],
      ["join_conversation", [conversationId, { after: "2" }], "invalid"],
      ["join_conversation", [conversationId, "after"], "invalid"],
      ["join_conversation", [{ conversationId, epoch: "" }], "invalid"],
      ["join_conversation", [unknown], "not_found"],
      ["join_conversation", [foreign], "not_found"],
      ["leave_conversation", [{}], "invalid"],
      ["send_message", [], "invalid"],
      ["send_message", ["Hello!"], "invalid"],
      ["send_message", [{ conversationId }], "invalid"],
      ["send_message", [{ conversationId, content: "" }], "invalid"],
      ["send_message", [{ conversationId, content: " \n " }], "invalid"],
      ["send_message", [{ conversationId, content: 5 }], "invalid"],
      ["send_message", [{ conversationId, content: { toString: "x" } }], "invalid"],
      ["send_message", [{ conversationId, content: "x".repeat(20_001) }], "invalid"],
      ["send_message", [{ conversationId, content: "a\0b" }], "bad_frame"],
      ["send_message", [{ conversationId: "conv-123", content: "x" }], "invalid"],
      ["send_message", [{ conversationId, content: "x", clientMessageId: "a b" }], "invalid"],
      ["send_message", [{ conversationId, content: "x", clientMessageId: "" }], "invalid"],
      ["send_message", [{ conversationId: unknown, content: "x" }], "not_found"],
      ["send_message", [{ conversationId: foreign, content: "x" }], "not_found"],
      ["send_message", [{ conversationId, content: "x".repeat(70_000) }], "too_large"],
      ["send_message", [{ conversationId, content: new Uint8Array([1, 2]) }], "bad_frame"],
      ["send_message", [deep], "bad_frame"],
      ["typing_start", [], "invalid"],
      ["typing_start", [foreign], "not_joined"],
      ["typing_stop", [{ conversationId: 1 }], "invalid"],
      ["message_read", [{ conversationId, seq: -1 }], "invalid"],
      ["message_read", [{ conversationId }], "invalid"],
      ["message_read", [conversationId, 1], "invalid"],
      ["message_read", [{ conversationId: foreign, seq: 1 }], "not_found"],
      ["message_delivered", [{ conversationId: foreign, seq: 1 }], "not_found"],
      ["set_presence", ["offline"], "invalid"],
      ["set_presence", ["away"], "forbidden"],
      ["message", ["Hello!"], "unknown_type"],
      ["__proto__", [], "unknown_type"],
      ["constructor", [], "unknown_type"],
      ["toString", [], "unknown_type"],
      ["x".repeat(1000), [], "unknown_type"],
    ];
    for (const [event, args, code] of table) {
      const shown = `${event.slice(0, 30)} ${JSON.stringify(args).slice(0, 80)}`;
      const from = peer.heard.length;
      // What is too large is not even read, so it cannot be acknowledged.
      if (code !== "too_large") {
        const answer = await peer.ask(event, ...args);
        assert.equal(answer.success, false, shown);
        assert.equal(answer.code, code, `${shown}: ${answer.error}`);
        assert.equal(answer.error, answer.message);
        assert.equal(peer.heard.length, from, "an acknowledgement is the only answer");
      }
      peer.socket.emit(event, ...args);
      const error = await peer.until("error", (data) => data.code === code, from);
      assert.equal(typeof error.message, "string", shown);
    }
    assert.equal(peer.all("disconnect").length, 0);
    assert.deepEqual(peer.all("message_received"), []);
    const good = await peer.ask("send_message", { conversationId, content: "Still here" });
    assert.equal(good.success, true);
    assert.ok(!JSON.stringify(peer.heard).includes("Mine"));
    await Promise.all([peer.close(), theirs.close()]);
  });
});

Deno.test("Socket.IO abuse: nothing is done before authentication, and not for long", async () => {
  await withServer({ MAX_PRE_AUTH_MESSAGES: "10" }, async (server) => {
    const { conversation } = await cast(server);
    const peer = new SocketIoPeer(server.url, { options: { reconnection: false } });
    await peer.until("connect");
    const events = ["join_conversation", "leave_conversation", "typing_start", "typing_stop"];
    for (const event of events) {
      const answer = await peer.ask(event, conversation.id);
      assert.equal(answer.code, "unauthenticated", event);
    }
    for (const event of ["send_message", "message_read", "message_delivered", "set_presence"]) {
      const data = { conversationId: conversation.id, content: "x", seq: 1, status: "away" };
      const answer = await peer.ask(event, data);
      assert.equal(answer.code, "unauthenticated", event);
    }
    for (let i = 0; i < 5; i++) peer.socket.emit("join_conversation", conversation.id);
    const error = await peer.until("error", ({ code }) => code === "too_large");
    assert.equal(error.limit, "MAX_PRE_AUTH_MESSAGES");
    await peer.until("disconnect");
    await peer.close();
  });
});

Deno.test("Socket.IO abuse: rates are told, and whoever ignores them is sent away", async () => {
  const env = { LIMIT_MESSAGES_PER_MINUTE: "5", LIMIT_TYPING_PER_MINUTE: "4" };
  await withServer(env, async (server) => {
    const { visitor, conversation } = await cast(server);
    const conversationId = conversation.id;
    const peer = await connectPeer(server, { sessionId: visitor.sessionId });
    for (let i = 0; i < 2; i++) {
      assert.equal((await peer.ask("typing_start", conversationId)).success, true);
      assert.equal((await peer.ask("typing_stop", conversationId)).success, true);
    }
    const typed = await peer.ask("typing_start", conversationId);
    assert.deepEqual([typed.code, typed.limit], ["rate_limited", "LIMIT_TYPING_PER_MINUTE"]);
    assert.ok(typed.retryAfter > 0);
    for (let i = 0; i < 5; i++) {
      const { success } = await peer.ask("send_message", { conversationId, content: `${i}` });
      assert.equal(success, true);
    }
    const sent = await peer.ask("send_message", { conversationId, content: "one more" });
    assert.deepEqual([sent.code, sent.limit], ["rate_limited", "LIMIT_MESSAGES_PER_MINUTE"]);
    for (let i = 0; i < 40; i++) peer.socket.emit("no_such_event");
    await peer.until("error", ({ code }) => code === "rate_limited");
    assert.equal(await peer.until("disconnect"), "io server disconnect");
    assert.deepEqual(peer.all("message_received").length, 5);
  });
});

Deno.test("Socket.IO abuse: connections have a rate, a user a number of them, and each its rooms", async () => {
  const env = {
    LIMIT_CONNECTIONS_PER_MINUTE: "4",
    MAX_CONNECTIONS_PER_USER: "2",
    MAX_SUBSCRIPTIONS: "1",
  };
  await withServer(env, async (server) => {
    const { agent, key, conversation } = await cast(server);
    const stranger = await openSession(server, key);
    const other = await call<{ id: string }>(server, "POST", "/api/conversations", {
      token: stranger.sessionId,
      body: {},
    });
    const peers: SocketIoPeer[] = [];
    for (let i = 0; i < 3; i++) peers.push(await connectPeer(server, { token: agent.token }));
    const told = await peers[0]!.until("error");
    assert.equal(told.code, "too_many_connections");
    assert.equal(await peers[0]!.until("disconnect"), "io server disconnect");
    assert.equal((await peers[1]!.ask("join_conversation", conversation.id)).success, true);
    const refused = await peers[1]!.ask("join_conversation", other.body.id);
    assert.equal(refused.code, "too_many_subscriptions");
    assert.equal((await peers[1]!.ask("join_conversation", conversation.id)).success, true);
    await peers[1]!.ask("leave_conversation", conversation.id);
    assert.equal((await peers[1]!.ask("join_conversation", other.body.id)).success, true);
    // The fourth is the last of this minute.
    for (const [status, body] of [[200, "0{"], [429, "Rate limit exceeded"]] as const) {
      const response = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
      assert.equal(response.status, status);
      assert.ok((await response.text()).startsWith(body));
    }
    const fifth = new SocketIoPeer(server.url, { options: { reconnection: false } });
    await fifth.until("connect_error");
    await Promise.all(peers.map((peer) => peer.close()));
  });
});

Deno.test("Socket.IO abuse: other namespaces are refused", async () => {
  await withServer({}, async (server) => {
    const { agent } = await cast(server);
    const peer = await connectPeer(server, { token: agent.token });
    for (const namespace of ["/admin", "/conversation", "/__proto__"]) {
      const other = peer.socket.io.socket(namespace, { auth: { token: agent.token } });
      const message = await new Promise((resolve) => {
        other.on("connect_error", (error) => resolve(error.message));
        other.on("connect", () => resolve("connected"));
      });
      assert.equal(message, "Invalid namespace", namespace);
      other.disconnect();
    }
    assert.equal((await peer.ask("set_presence", "online")).success, true);
    await peer.close();
  });
});

/** Engine.IO and nothing more. */
async function raw(server: TestServer) {
  const url = `${server.url.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url);
  const received: string[] = [];
  let wake = () => {};
  const closed = new Promise<void>((resolve) => {
    socket.onclose = () => {
      resolve();
      wake();
    };
  });
  socket.onmessage = ({ data }) => {
    received.push(typeof data === "string" ? data : "binary");
    wake();
  };
  await new Promise((resolve) => socket.onopen = resolve);
  return {
    socket,
    received,
    closed,
    /** A packet that begins so, or null when the socket was closed before. */
    async until(start: string): Promise<string | null> {
      for (;;) {
        const found = received.find((packet) => packet.startsWith(start));
        if (found !== undefined) return found;
        if (socket.readyState === WebSocket.CLOSED) return null;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
  };
}

Deno.test("Socket.IO abuse: packets that make no sense end their connection and nothing else", async () => {
  await withServer({ AUTH_TIMEOUT_MS: "1000" }, async (server) => {
    const { agent, conversation } = await cast(server);
    const witness = await connectPeer(server, { token: agent.token });
    // Sent to a connection that is authenticated; none of them is an event.
    const nonsense: (string | Uint8Array<ArrayBuffer>)[] = [
      "4",
      "42",
      "42{}",
      "42[]",
      "42[null]",
      "42[{}]",
      '42["connect"]',
      '42["disconnect","x"]',
      '42["newListener"]',
      "42[1",
      "43",
      "44{}",
      "451-[]",
      "45-[]",
      '451-["send_message",{"_placeholder":true,"num":5}]',
      '4599999999-["x",{"_placeholder":true,"num":0}]',
      "49",
      "4x",
      "40",
      '40{"token":"again"}',
      "4" + "[".repeat(100_000),
      "5",
      "6",
      "9",
      "x",
      new Uint8Array([1, 2, 3]),
    ];
    for (const packet of nonsense) {
      const shown = String(packet).slice(0, 40);
      const client = await raw(server);
      client.socket.send(`40${JSON.stringify({ token: agent.token })}`);
      assert.notEqual(await client.until('42["authenticated"'), null, shown);
      client.socket.send(packet);
      // Either it was no offence, or it is over.
      client.socket.send('421["set_presence","online"]');
      await client.until("431[");
      client.socket.close();
      await client.closed;
    }
    // Acknowledgements of what was never asked, and numbers that are none.
    const client = await raw(server);
    client.socket.send(`40${JSON.stringify({ token: agent.token })}`);
    await client.until('42["authenticated"');
    for (const packet of ["43[]", "4399[]", '42["typing_start"]', '4212["typing_start"]']) {
      client.socket.send(packet);
    }
    const answer = await client.until("4312[");
    assert.match(answer!, /"success":false/);
    client.socket.close();
    await client.closed;

    // Deeper than anything that is meant, and longer than anything that is taken.
    const deep = await raw(server);
    deep.socket.send(`40${JSON.stringify({ token: agent.token })}`);
    await deep.until('42["authenticated"');
    deep.socket.send(`427["send_message",${"[".repeat(50_000)}${"]".repeat(50_000)}]`);
    assert.match((await deep.until("437["))!, /nested deeper/);
    deep.socket.send("42" + JSON.stringify(["send_message", "x".repeat(300_000)]));
    await deep.closed;

    // Left and entered again: the limits do not begin anew with it.
    const twice = await raw(server);
    const credentials = JSON.stringify({ token: agent.token });
    for (const packet of [`40${credentials}`, "41", `40${credentials}`]) twice.socket.send(packet);
    await twice.closed;
    assert.ok(twice.received.filter((packet) => packet.startsWith("40")).length <= 1);

    // Opened, and then silence; or a CONNECT that is not one.
    for (const packets of [[], ["40[]"], ["40null"], ['40"x"'], ['42["x"]'], ["41"]]) {
      const silent = await raw(server);
      for (const packet of packets) silent.socket.send(packet);
      await silent.closed;
    }
    const sent = await witness.ask("set_presence", "online");
    assert.equal(sent.success, true);
    assert.equal((await witness.ask("join_conversation", conversation.id)).success, true);
    await witness.close();
  });
});

Deno.test("Socket.IO abuse: a peer that reads nothing is let go", async () => {
  const env = {
    MAX_QUEUE_BYTES: "65536",
    LIMIT_MESSAGES_PER_MINUTE: "100000",
    LIMIT_ROOM_BROADCASTS_PER_MINUTE: "100000",
  };
  await withServer(env, async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const witness = await connectPeer(server, { sessionId: visitor.sessionId });
    // A session over polling that never polls again.
    const base = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const sid = JSON.parse((await (await fetch(base)).text()).slice(1)).sid;
    const packet = `40${JSON.stringify({ token: agent.token })}`;
    await (await fetch(`${base}&sid=${sid}`, { method: "POST", body: packet })).text();
    await witness.until("presence_update", ({ role }) => role === "admin");
    const content = "x".repeat(10_000);
    for (let i = 0; i < 40; i++) {
      await witness.ask("send_message", { conversationId: conversation.id, content });
    }
    const last = await fetch(`${base}&sid=${sid}`);
    await last.text();
    assert.equal(last.status, 400, "its session is over");
    const { body } = await call<{ services: { websocket: Record<string, number> } }>(
      server,
      "GET",
      "/health",
    );
    assert.equal(body.services.websocket.connections, 1, "the silent one is gone");
    await witness.close();
  });
});
