/** A blocked contact cannot write, on any protocol and over HTTP, until they are unblocked. */
import assert from "node:assert/strict";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onEitherEngine, type TestServer } from "./support/server.ts";
import { uploaded } from "./support/files.ts";
import { connect } from "./support/socket.ts";
import type { Seat } from "./protocols/peers.ts";
import { openChatJson } from "./protocols/chat_json_peer.ts";
import { chatJson, JSON_PEERS } from "./protocols/peers_json.ts";
import { SOCKET_IO_PEERS } from "./protocols/peers_socket_io.ts";
import { enter, mint } from "./protocols/scoped_peer.ts";

const block = async (server: TestServer, token: string, id: string, blocked: boolean) => {
  const path = `/api/contacts/${id}/block`;
  const answer = await call(server, "POST", path, { token, body: { blocked } });
  assert.equal(answer.status, 200);
};

onEitherEngine(
  "a blocked contact writes on no protocol, and again when unblocked",
  async (server) => {
    const { token } = await login(server);
    const key = await widgetKey(server, token);
    // Chat JSON, whose peer takes an error for an answer, has a client of its own below.
    for (const kind of [...JSON_PEERS, ...SOCKET_IO_PEERS].filter((one) => one !== chatJson)) {
      const seat = await seatOf(server, token, key, kind.visitors === "participant");
      const peer = await kind.open(seat);
      const contents = async () => {
        const path = `/api/conversations/${seat.conversationId}/messages`;
        const { body } = await call<{ items: { content: string }[] }>(server, "GET", path, {
          token,
        });
        return body.items.map(({ content }) => content);
      };
      await peer.say("before");
      await block(server, token, seat.userId, true);
      await assert.rejects(peer.say("while blocked"), /blocked/, kind.name);
      assert.deepEqual(await contents(), ["before"], kind.name);
      // The connection is the same, and a new one has no other rights.
      await block(server, token, seat.userId, false);
      await peer.say("after");
      assert.deepEqual(await contents(), ["before", "after"], kind.name);
      await peer.goAway();
    }
    const { sessionId, contact } = await openSession(server, key);
    const socket = await openChatJson(server.url);
    await socket.auth({ sessionId });
    await block(server, token, contact.id, true);
    const say = (id: string) =>
      socket.ask(
        { type: "chat", payload: { content: "Hello", id } },
        ({ payload }) => payload.id === id,
      );
    const refused = await say("1");
    assert.deepEqual([refused.type, refused.payload.code], ["error", "blocked"]);
    await block(server, token, contact.id, false);
    assert.equal((await say("2")).type, "chat");
    await socket.close();
  },
);

async function seatOf(
  server: TestServer,
  token: string,
  key: string,
  isParticipant: boolean,
): Promise<Seat> {
  const role = "visitor";
  if (isParticipant) {
    const contextId = `block_${crypto.randomUUID()}`;
    const minted = await mint(server, token, contextId, { userId: crypto.randomUUID() });
    const first = await enter(server, minted.token, contextId);
    const { conversationId } = first.me;
    await first.close();
    const credentials = { token: minted.token };
    return { server, role, userId: minted.contactId, conversationId, credentials, contextId };
  }
  const { sessionId, contact } = await openSession(server, key);
  const { body } = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token: sessionId,
    body: {},
  });
  return { server, role, userId: contact.id, conversationId: body.id, credentials: { sessionId } };
}

onEitherEngine(
  "over HTTP a blocked contact reads, and writes, uploads and rates nothing",
  async (server) => {
    const { agent: { token }, visitor, conversation } = await cast(server);
    const { sessionId } = visitor;
    const message = await post(server, sessionId, conversation.id, "before");
    const path = `/api/conversations/${conversation.id}`;
    await call(server, "PATCH", path, { token, body: { status: "resolved" } });
    await block(server, token, visitor.contact.id, true);
    const tries: [method: string, path: string, body: unknown][] = [
      ["POST", "/api/conversations", {}],
      ["POST", `${path}/messages`, { content: "x", clientMessageId: "m" }],
      ["POST", `${path}/rating`, { rating: 1 }],
    ];
    for (const [method, path, body] of tries) {
      const answer = await call(server, method, path, { token: sessionId, body });
      assert.deepEqual([answer.status, answer.body["code"]], [403, "blocked"], path);
    }
    await assert.rejects(uploaded(server, sessionId, "bytes"), /blocked|403/);
    const socket = await connect(server, { sessionId });
    await socket.ack("join", { conversationId: conversation.id });
    for (
      const [type, data] of [
        ["edit_message", { messageId: message.id, content: "changed" }],
        ["delete_message", { messageId: message.id }],
        ["typing", { isTyping: true }],
      ] as const
    ) {
      await assert.rejects(
        socket.ack(type, { conversationId: conversation.id, ...data }),
        /blocked/,
        type,
      );
    }
    const { body } = await call<{ items: unknown[] }>(server, "GET", `${path}/messages`, {
      token: sessionId,
    });
    assert.equal(body.items.length, 1);
    // What is read is marked as read.
    assert.equal(
      (await call(server, "POST", `${path}/read`, { token: sessionId, body: { seq: 1 } })).status,
      200,
    );
  },
);
