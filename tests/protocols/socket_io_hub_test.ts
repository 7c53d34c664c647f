/** The messaging hub's document: each of its examples, with the official client. */
import assert from "node:assert/strict";
import { call, cast, login, openSession, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
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

onEitherEngine(
  "Socket.IO hub: the document's client, from connecting to every event",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    // "Authenticate immediately after connection".
    const socket = new SocketIoPeer(server.url, { transports: ["websocket", "polling"] });
    socket.socket.on("connect", () => {
      socket.socket.emit("authenticate", { token: agent.token });
    });
    const authenticated = await socket.until("authenticated");
    assert.equal(authenticated.userId, agent.user.id);
    assert.equal(authenticated.email, "ada@example.com");
    assert.deepEqual(socket.all("auth_error"), []);

    // A message that came in over HTTP, as from a webhook.
    const message = await post(
      server,
      visitor.sessionId,
      conversation.id,
      "Do you ship to Norway?",
    );
    const news = await socket.until("new_message");
    assert.equal(news.message.id, message.id);
    assert.equal(news.message.content, "Do you ship to Norway?");
    assert.equal(news.message.conversationId, conversation.id);
    assert.deepEqual(news.message.sender, {
      userId: visitor.contact.id,
      userName: visitor.contact.name,
      role: "customer",
    });
    assert.ok(!Number.isNaN(Date.parse(news.timestamp)));

    const unread = await socket.until(
      "unread_count_update",
      ({ totalUnread }) => totalUnread === 1,
    );
    assert.deepEqual(unread.unreadCounts, { web: 1 });
    assert.ok(!Number.isNaN(Date.parse(unread.timestamp)));

    const updated = await socket.until(
      "conversation_update",
      (data) => data.conversation.lastSeq === message.seq,
    );
    assert.equal(updated.conversation.id, conversation.id);
    assert.equal(updated.conversation.lastMessage.preview, "Do you ship to Norway?");
    assert.ok(!Number.isNaN(Date.parse(updated.timestamp)));

    // "Marked as read", by this agent in another place.
    const elsewhere = await connect(server, { token: agent.token });
    await elsewhere.ack("delivered", { conversationId: conversation.id, seq: message.seq });
    await elsewhere.ack("read", { conversationId: conversation.id, seq: message.seq });
    for (const status of ["delivered", "read"]) {
      const update = await socket.until("message_status_update", (data) => data.status === status);
      assert.equal(update.messageId, message.id);
      assert.equal(update.conversationId, conversation.id);
      assert.ok(!Number.isNaN(Date.parse(update.timestamp)));
    }
    const read = await socket.until("unread_count_update", ({ totalUnread }) => totalUnread === 0);
    assert.deepEqual(read.unreadCounts, { web: 0 });
    // Resolved conversations do not count.
    await call(server, "PATCH", `/api/conversations/${conversation.id}`, {
      token: agent.token,
      body: { status: "resolved" },
    });
    await socket.until("conversation_update", (data) => data.conversation.status === "resolved");
    await socket.until("unread_count_update", ({ unreadCounts }) => unreadCounts.web === undefined);

    socket.socket.emit("no_such_event", {});
    const error = await socket.until("error");
    assert.match(error.error, /unknown name "no_such_event"/);
    assert.equal(error.code, "unknown_type");
    assert.ok(!Number.isNaN(Date.parse(error.timestamp)));
    assert.equal(socket.all("disconnect").length, 0);
    await Promise.all([socket.close(), elsewhere.close()]);
  },
);

Deno.test("Socket.IO hub: every device of a user has the same events, and counts apart", async () => {
  await withServer({}, async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const devices = await Promise.all(
      [1, 2, 3].map(() => connectPeer(server, { token: agent.token })),
    );
    const phone = await connectPeer(server, { sessionId: visitor.sessionId });
    const message = await post(server, visitor.sessionId, conversation.id, "To all of you");
    for (const device of [...devices, phone]) {
      const { message: same } = await device.until("new_message");
      assert.equal(same.id, message.id);
    }
    for (const device of devices) {
      await device.until("unread_count_update", ({ totalUnread }) => totalUnread === 1);
    }
    const health = await call<{ services: { websocket: Record<string, unknown> } }>(
      server,
      "GET",
      "/health",
    );
    const { websocket } = health.body.services;
    assert.equal(websocket.connections, 4);
    assert.equal(websocket.authenticatedUsers, 2);
    await devices[0]!.close();
    await post(server, visitor.sessionId, conversation.id, "To the others");
    for (const device of [devices[1]!, devices[2]!]) {
      await device.until("new_message", (data) => data.message.content === "To the others");
    }
    assert.equal(devices[0]!.all("new_message").length, 1);
    // "Disconnect all sockets for a user (e.g., on logout)".
    const ended = await call<{ disconnected: number }>(
      server,
      "POST",
      "/api/connections/disconnect",
      { token: agent.token, body: { userId: agent.user.id } },
    );
    assert.equal(ended.body.disconnected, 2);
    for (const device of [devices[1]!, devices[2]!]) {
      assert.equal(await device.until("disconnect"), "io server disconnect");
    }
    await phone.close();
  });
});

Deno.test("Socket.IO hub: who does not authenticate, or badly, is told and sent away", async () => {
  await withServer({ AUTH_TIMEOUT_MS: "300" }, async (server) => {
    const { agent, visitor } = await cast(server);
    const silent = new SocketIoPeer(server.url);
    const late = await silent.until("auth_error");
    assert.equal(late.code, "auth_timeout");
    assert.match(late.message, /no authentication within 300 ms/);
    assert.equal(await silent.until("disconnect"), "io server disconnect");

    const [head, body] = agent.token.split(".");
    const none = btoa(JSON.stringify({ alg: "none", typ: "JWT" })).replaceAll("=", "");
    const bad: [unknown, RegExp][] = [
      [{ token: "YOUR_JWT_TOKEN" }, /not valid/],
      [{ token: `${head}.${body}.AAAA` }, /not valid/],
      [{ token: `${none}.${body}.` }, /not valid/],
      [{ token: null }, /is needed/],
      [{ token: 5 }, /is needed/],
      [{ token: "" }, /is needed/],
      [{ token: "x".repeat(9000) }, /is needed/],
      [{ sessionId: "no such session" }, /unknown or has ended/],
      [{ sessionId: visitor.sessionId, token: "forged" }, /not valid/],
      [{}, /is needed/],
      [undefined, /is needed/],
      ["token", /is needed/],
      [[], /is needed/],
    ];
    for (const [payload, sentence] of bad) {
      const peer = new SocketIoPeer(server.url);
      await peer.until("connect");
      const answer = peer.ask("authenticate", ...(payload === undefined ? [] : [payload]));
      const { message } = await peer.until("auth_error");
      assert.match(message, sentence, JSON.stringify(payload)?.slice(0, 60));
      assert.equal((await answer).success, false);
      assert.equal(await peer.until("disconnect"), "io server disconnect");
      assert.deepEqual(peer.all("authenticated"), []);
    }
    assert.equal(server.errors.length, 0);
  });
});

Deno.test("Socket.IO hub: a token that ends is told, may be renewed, and ends the connection", async () => {
  const env = { ACCESS_TOKEN_MS: "5000", TOKEN_GRACE_MS: "300" };
  await withServer(env, async (server) => {
    const first = await login(server);
    const kept = await connectPeer(server, { token: first.token });
    const left = await connectPeer(server, { token: first.token });
    const second = await login(server);
    const answer = await kept.ask("authenticate", { token: second.token });
    assert.equal(answer.success, true);
    assert.ok(answer.expiresAt >= (await left.until("authenticated")).expiresAt);
    const somebody = await kept.ask("authenticate", { token: "nobody's" });
    assert.equal(somebody.code, "invalid_token");
    assert.equal(kept.all("disconnect").length, 0, "it goes on with the token that it has");
    const told = await left.until("error", ({ code }) => code === "token_expired");
    assert.equal(told.retryAfter, 300);
    // It comes back by itself, with the token that is over, and is sent away for good.
    await left.until("disconnect", (reason) => reason === "transport close");
    const refused = await left.until("auth_error");
    assert.equal(refused.code, "token_expired");
    await left.until("disconnect", (reason) => reason === "io server disconnect");
    await kept.close();
  });
});

Deno.test("Socket.IO hub: nobody hears of what is not theirs", async () => {
  await withServer({}, async (server) => {
    const { agent, key, visitor, conversation } = await cast(server);
    const stranger = await openSession(server, key);
    const [a, v, s] = await Promise.all([
      connectPeer(server, { token: agent.token }),
      connectPeer(server, { sessionId: visitor.sessionId }),
      connectPeer(server, { sessionId: stranger.sessionId }),
    ]);
    const nobody = new SocketIoPeer(server.url);
    await nobody.until("connect");
    const note = await connect(server, { token: agent.token });
    const conversationId = conversation.id;
    await note.ack("message", {
      conversationId,
      content: "A note for colleagues",
      clientMessageId: "n",
      isPrivate: true,
    });
    await a.ask("send_message", { conversationId, content: "For the visitor" });
    const read = await v.ask("message_read", { conversationId, seq: 2 });
    assert.equal(read.success, true);
    await a.until("message_status_update");
    const own = await s.ask("send_message", { content: "From the stranger" });
    await a.until("new_message", ({ message }) => message.id === own.messageId);
    await v.until("new_message");
    const heardBy = (peer: SocketIoPeer) => JSON.stringify(peer.heard);
    assert.ok(!heardBy(v).includes("A note"), "notes are the agents'");
    assert.ok(!heardBy(v).includes("stranger") && !heardBy(v).includes(stranger.contact.id));
    assert.ok(!heardBy(s).includes(conversationId) && !heardBy(s).includes(visitor.contact.id));
    for (const event of ["conversation_update", "unread_count_update"]) {
      assert.deepEqual([...v.all(event), ...s.all(event)], []);
    }
    assert.deepEqual(nobody.heard.map(({ event }) => event), ["connect"]);
    await Promise.all([a, v, s, nobody, note].map((one) => one.close()));
  });
});

Deno.test("Socket.IO hub: pages of FRONTEND_URL may read the answers, with credentials", async () => {
  await withServer({ FRONTEND_URL: "http://localhost:5173" }, async (server) => {
    const { agent } = await cast(server);
    const handshake = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const get = async (origin: string) => {
      const response = await fetch(handshake, { headers: { origin } });
      await response.body?.cancel();
      return response;
    };
    const allowed = await get("http://localhost:5173");
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get("access-control-allow-origin"), "http://localhost:5173");
    assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
    const preflight = await fetch(handshake, {
      method: "OPTIONS",
      headers: {
        origin: "http://localhost:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    await preflight.body?.cancel();
    assert.ok(preflight.ok);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "http://localhost:5173");
    const other = await get("https://evil.example");
    assert.equal(other.status, 403);
    assert.equal(other.headers.get("access-control-allow-origin"), null);
    const headers = { origin: "https://evil.example" };
    const socket = new SocketIoPeer(server.url, {
      auth: { token: agent.token },
      options: { extraHeaders: headers, reconnection: false },
    });
    await socket.until("connect_error");
  });
});
