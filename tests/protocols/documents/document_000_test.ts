import assert from "node:assert/strict";
import { cast, post } from "../../support/http.ts";
import { startServer } from "../../support/server.ts";
import { SocketIoPeer } from "../socket_io_peer.ts";
import { DocumentClient, type WebSocketMessage } from "../document_client.ts";
import { Line } from "./line.ts";
import { until } from "./until.ts";

const NUMBERS = Array.from({ length: 25 }, (_, number) => `Queued ${number}`);

Deno.test("document 000: the queue is sent before the credentials, and nothing of it is lost", async () => {
  const server = await startServer("pglite");
  const { visitor, agent } = await cast(server);
  const url = `${server.url.replace("http", "ws")}/ws`;
  const client = new DocumentClient(url, "widget-1");
  try {
    const received: WebSocketMessage[] = [];
    client.addMessageHandler((message) => received.push(message));
    // The document's order in `onopen`: the queue, the heartbeat, then who waits for the connection.
    client.onConnect(() => {
      void client.send({ type: "auth", payload: { sessionId: visitor.sessionId } });
    });
    const said = () =>
      received.filter(({ type }) => type === "chat").map(({ payload }) => payload.content);
    const errors = () => received.filter(({ type }) => type === "error");
    for (const content of NUMBERS) {
      await client.send({
        type: "chat",
        payload: { content, sender: "user", timestamp: new Date().toISOString() },
      });
    }
    await until(() => said().length === NUMBERS.length, "the queue");
    assert.deepEqual(said(), NUMBERS);
    assert.deepEqual(errors(), []);

    // Again after a restart, with what was said meanwhile.
    await server.stop();
    await until(() => client.connectionState === "RECONNECTING", "RECONNECTING");
    await client.send({ type: "chat", payload: { content: "Meanwhile" } });
    await server.restart();
    await until(() => said().includes("Meanwhile"), "what was said meanwhile");
    await post(
      server,
      agent.token,
      received.find(({ type }) => type === "chat")!.payload
        .conversationId,
      "An answer",
    );
    await until(() => said().includes("An answer"), "an answer");
    assert.deepEqual(errors(), []);
    assert.deepEqual(said().slice(NUMBERS.length), ["Meanwhile", "An answer"]);
  } finally {
    await client.disconnect();
    await server.close();
  }
});

Deno.test("what comes before credentials waits for them a moment, and is then refused", async () => {
  const server = await startServer("pglite", { MAX_PENDING_COMMANDS: "10" });
  try {
    const { visitor, conversation } = await cast(server);
    const chat = (content: string) => ({ type: "chat", payload: { content, id: content } });
    // Without credentials each is told.
    const nobody = new Line(`${server.url}/ws`, {
      onopen: (send) => ["a", "b", "c"].forEach((id) => send(chat(id))),
    });
    const refused = await nobody.untilAll(3, ({ type }) => type === "error", "refusals");
    assert.deepEqual(refused.map(({ payload }) => [payload.code, payload.id]), [
      ["unauthenticated", "a"],
      ["unauthenticated", "b"],
      ["unauthenticated", "c"],
    ]);
    nobody.send(chat("d"));
    await nobody.until(({ type, payload }) => type === "error" && payload.id === "d", "at once");
    await nobody.close();
    // With bad ones, too.
    const forged = new Line(`${server.url}/ws`, {
      onopen: (send) => [chat("e"), { type: "auth", payload: { token: "forged" } }].forEach(send),
    });
    const answer = await forged.until(({ type }) => type === "auth_response", "auth_response");
    assert.equal(answer.payload.success, false);
    const { payload } = await forged.until(({ type }) => type === "error", "the refusal");
    assert.deepEqual([payload.code, payload.id], ["unauthenticated", "e"]);
    await forged.close();

    // The official client sends what was emitted before it was connected ahead of "connect".
    const peer = new SocketIoPeer(server.url);
    peer.socket.on("connect", () => {
      peer.socket.emit("authenticate", { sessionId: visitor.sessionId });
    });
    peer.socket.emit("join_conversation", conversation.id);
    for (const content of ["One", "Two"]) {
      peer.socket.emit("send_message", { conversationId: conversation.id, content });
    }
    await peer.until("message_received", ({ content }) => content === "Two");
    assert.deepEqual(peer.all("message_received").map(({ content }) => content), ["One", "Two"]);
    assert.deepEqual(peer.all("error"), []);
    await peer.close();
  } finally {
    await server.close();
  }
});

Deno.test("what is sent before and behind the credentials is handled in the order sent", async () => {
  const server = await startServer("pglite");
  try {
    const { visitor, conversation } = await cast(server);
    const { sessionId } = visitor;
    const [before, behind] = [NUMBERS.slice(0, 12), NUMBERS.slice(12)];
    const chat = (content: string) => ({ type: "chat", payload: { content } });
    const line = new Line(`${server.url}/ws`, {
      onopen(send) {
        for (const content of before) send(chat(content));
        send({ type: "auth", payload: { sessionId } });
        for (const content of behind) send(chat(content));
      },
    });
    const said = await line.untilAll(NUMBERS.length, ({ type }) => type === "chat", "a chat");
    assert.deepEqual(said.map(({ payload }) => payload.content), NUMBERS);
    await line.close();

    const peer = new SocketIoPeer(server.url);
    const say = (content: string) =>
      peer.socket.emit("send_message", { conversationId: conversation.id, content });
    peer.socket.on("connect", () => {
      peer.socket.emit("authenticate", { sessionId });
      behind.forEach(say);
    });
    // The official client sends these ahead of "connect".
    before.forEach(say);
    await peer.until("message_received", () => peer.all("message_received").length === 25);
    assert.deepEqual(peer.all("message_received").map(({ content }) => content), NUMBERS);
    for (const errors of [line.frames.filter(({ type }) => type === "error"), peer.all("error")]) {
      assert.deepEqual(errors, []);
    }
    await peer.close();
  } finally {
    await server.close();
  }
});
