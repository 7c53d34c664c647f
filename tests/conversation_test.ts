import assert from "node:assert/strict";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import type { Message } from "../protocol/model.ts";

onBothEngines("visitor and agent talk live, each message once and in order", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const a = await connect(server, { token: agent.token });
  const v = await connect(server, { sessionId: visitor.sessionId });
  const joined = await a.ack("join", { conversationId: conversation.id });
  assert.equal(joined.recovered, false);
  assert.equal(joined.seq, 0);
  await v.ack("join", { conversationId: conversation.id });

  const sent = await v.ack("message", { content: "Hello?", clientMessageId: "one" });
  assert.equal(sent.message.seq, 1);
  assert.equal(sent.message.conversationId, conversation.id);
  assert.equal(sent.message.sender.role, "visitor");
  const arrived = await a.event("message");
  assert.deepEqual(arrived, sent.message);
  const row = await a.event("conversation", (data) => data.conversation.lastSeq === 1);
  assert.equal(row.conversation.lastMessage?.preview, "Hello?");
  assert.equal(row.conversation.inboundCount, 1);

  const again = await v.ack("message", { content: "Hello?", clientMessageId: "one" });
  assert.equal(again.duplicate, true);
  assert.deepEqual(again.message, sent.message);

  const answer = await post(server, agent.token, conversation.id, "Hi there");
  assert.equal(answer.seq, 2);
  assert.equal((await v.event("message", (m) => m.seq === 2)).content, "Hi there");
  assert.equal(a.count("message"), 2);

  const history = await call<{ items: Message[]; nextCursor: string | null }>(
    server,
    "GET",
    `/api/conversations/${conversation.id}/messages`,
    { token: visitor.sessionId },
  );
  assert.equal(history.status, 200);
  assert.deepEqual(history.body.items.map((m) => m.content), ["Hello?", "Hi there"]);
  await Promise.all([a.close(), v.close()]);
});

onBothEngines("a visitor's other tabs learn that their conversation was opened", async (server) => {
  const agent = await login(server);
  const visitor = await openSession(server, await widgetKey(server, agent.token));
  assert.equal(visitor.conversationId, null);
  const one = await connect(server, { sessionId: visitor.sessionId });
  const two = await connect(server, { sessionId: visitor.sessionId });
  const { message } = await one.ack("message", { content: "Hello", clientMessageId: "1" });
  const { conversationId } = await two.event("conversation_opened");
  assert.equal(conversationId, message.conversationId);
  const back = await openSession(server, visitor.widget.widgetKey, visitor.sessionId);
  assert.equal(back.sessionId, visitor.sessionId);
  assert.equal(back.conversationId, conversationId);
  assert.equal(back.unread, 0);
  await post(server, agent.token, conversationId, "Hi");
  const unread = await openSession(server, visitor.widget.widgetKey, visitor.sessionId);
  assert.equal(unread.unread, 1);
  const foreign = await openSession(server, visitor.widget.widgetKey, "made up");
  assert.notEqual(foreign.sessionId, "made up");
  assert.equal(foreign.conversationId, null);
  await Promise.all([one.close(), two.close()]);
});
