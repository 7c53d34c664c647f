import assert from "node:assert/strict";
import { cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onBothEngines, startServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

// deno-lint-ignore no-explicit-any -- what the protocol's document shows is checked field by field
type Line = any;

/** A client as the protocol's document has it: JSON messages, one a frame. */
async function open(url: string, query = "") {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws${query}`);
  const received: Line[] = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    received.push(JSON.parse(data));
    wake();
  };
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code);
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return {
    received,
    closed,
    send: (message: unknown) =>
      socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    async until(fits: (line: Line) => boolean): Promise<Line> {
      const deadline = Date.now() + 5000;
      for (;;) {
        const found = received.find(fits);
        if (found !== undefined) return found;
        assert.ok(Date.now() < deadline, `waited in vain; got ${JSON.stringify(received)}`);
        await Promise.race([
          new Promise<void>((resolve) => wake = resolve),
          new Promise((resolve) => setTimeout(resolve, 100)),
        ]);
      }
    },
    async close() {
      socket.close();
      await closed;
    },
  };
}

onBothEngines(
  "chat JSON: visitor, agent and a native client are in one conversation",
  async (server) => {
    const agent = await login(server);
    const visitor = await openSession(server, await widgetKey(server, agent.token));
    const stranger = await openSession(server, await widgetKey(server, agent.token));
    const v = await open(server.url);
    assert.deepEqual((await v.until(({ type }) => type === "system")).payload, {
      message: "Connected to WebSocket server",
    });
    v.send({ type: "ping", sentAt: "2026-01-01T00:00:00.000Z" });
    const pong = await v.until(({ type }) => type === "pong");
    assert.equal(pong.sentAt, "2026-01-01T00:00:00.000Z");
    assert.ok(!Number.isNaN(Date.parse(pong.timestamp)));
    v.send({ type: "chat", payload: { content: "Too early" } });
    const early = await v.until(({ type }) => type === "error");
    assert.equal(early.payload.code, "unauthenticated");

    v.send({ type: "auth", payload: { sessionId: visitor.sessionId } });
    const auth = await v.until(({ type }) => type === "auth_response");
    assert.deepEqual(auth.payload, {
      success: true,
      userId: visitor.contact.id,
      permissions: ["read", "write"],
    });
    const a = await open(server.url, `?token=${agent.token}`);
    const agentAuth = await a.until(({ type }) => type === "auth_response");
    assert.deepEqual(agentAuth.payload.permissions, ["read", "write", "admin"]);
    const other = await open(server.url);
    other.send({ type: "auth", sessionId: stranger.sessionId });
    await other.until(({ type }) => type === "auth_response");

    v.send({
      type: "chat",
      payload: { content: "Hello!", sender: "agent", timestamp: "2026-01-01T00:00:00.000Z" },
      clientId: "client-1",
    });
    for (const socket of [v, a]) {
      const heard = await socket.until(({ type }) => type === "chat");
      assert.equal(heard.payload.content, "Hello!");
      assert.equal(heard.payload.sender, "user", "nobody chooses who they are");
      assert.equal(heard.clientId, "client-1");
    }
    const { conversationId } = (await a.until(({ type }) => type === "chat")).payload;
    const native = await connect(server, { sessionId: visitor.sessionId });
    await native.ack("join", { conversationId });
    a.send({ type: "chat", payload: { content: "Hi!", conversationId }, clientId: "agent-7" });
    const answer = await v.until(({ payload }) => payload?.content === "Hi!");
    assert.equal(answer.payload.sender, "agent");
    assert.equal(answer.payload.seq, 2);
    await native.event("message", ({ content }) => content === "Hi!");
    await native.ack("message", { content: "From the widget", clientMessageId: "w" });
    const fromWidget = await a.until(({ payload }) => payload?.content === "From the widget");
    assert.equal(fromWidget.clientId, "unknown");
    // Again with the same id is the same message again.
    for (let i = 0; i < 2; i++) {
      v.send({ type: "chat", payload: { content: "Once", id: "m1" }, clientId: "client-1" });
    }
    v.send({ type: "chat", payload: { content: "Last" } });
    await v.until(({ payload }) => payload?.content === "Last");
    assert.equal(v.received.filter(({ payload }) => payload?.content === "Once").length, 1);

    const note = await connect(server, { token: agent.token });
    await note.ack("message", {
      conversationId,
      content: "A note",
      clientMessageId: "n",
      isPrivate: true,
    });
    await post(server, agent.token, conversationId, "After the note");
    await v.until(({ payload }) => payload?.content === "After the note");
    assert.ok(!JSON.stringify([v.received, a.received]).includes("A note"));
    assert.ok(!JSON.stringify(other.received).includes("chat"));
    other.send({ type: "chat", payload: { content: "Mine?", conversationId } });
    const refused = await other.until(({ type }) => type === "error");
    assert.equal(refused.payload.code, "not_found");
    await Promise.all([v, a, other, native, note].map((one) => one.close()));
  },
);

Deno.test("chat JSON: what is wrong is said, and the connection goes on", async () => {
  const server = await startServer("pglite", { AUTH_TIMEOUT_MS: "2000" });
  try {
    const { visitor, agent } = await cast(server);
    const socket = await open(server.url);
    const answers: [unknown, string][] = [
      ["{", "Invalid message format"],
      ["[]", "Invalid message format"],
      [{ payload: {} }, "Invalid message format"],
      [{ type: "chat", payload: "text" }, "Invalid message format"],
    ];
    for (const [frame, message] of answers) {
      const before = socket.received.length;
      socket.send(frame);
      const line = await socket.until((one) =>
        one.type === "error" && socket.received.indexOf(one) >= before
      );
      assert.equal(line.payload.message, message);
      assert.ok(line.timestamp);
    }
    for (const payload of [{}, { token: "a.b.c" }, { sessionId: "made up" }]) {
      const before = socket.received.length;
      socket.send({ type: "auth", payload });
      const line = await socket.until((one) => socket.received.indexOf(one) >= before);
      assert.equal(line.type, "auth_response");
      assert.equal(line.payload.success, false);
      assert.match(line.payload.message, /^Cannot authenticate/);
    }
    socket.send({ type: "auth", payload: { token: agent.token } });
    await socket.until(({ payload }) => payload?.success === true);
    const wrong: [unknown, RegExp][] = [
      [{ type: "nope" }, /unknown type "nope"/],
      [{ type: "chat", payload: { content: "" } }, /payload.content/],
      [{ type: "chat", payload: { content: "To whom?" } }, /conversationId/],
    ];
    for (const [frame, sentence] of wrong) {
      const before = socket.received.length;
      socket.send(frame);
      const line = await socket.until((one) => socket.received.indexOf(one) >= before);
      assert.equal(line.type, "error");
      assert.match(line.payload.message, sentence);
    }
    await socket.close();
    const silent = await open(server.url);
    assert.equal(await silent.closed, 3006);
    const late = await open(server.url, `?sessionId=${visitor.sessionId}`);
    await late.until(({ payload }) => payload?.success === true);
    await late.close();
  } finally {
    await server.close();
  }
});
