/** Markdown in messages: as elements beside the text, wherever a message travels. */
import assert from "node:assert/strict";
import type { Conversation, Message } from "../protocol/model.ts";
import type { MessageList } from "../protocol/rest.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, post } from "./support/http.ts";
import { onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const BOLD = [{ tag: "p", content: ["It is ", { tag: "strong", content: ["here"] }] }];

onEitherEngine(
  "a message with Markdown has its elements, and others cost nothing",
  async (server) => {
    const { agent: { token }, visitor: { sessionId }, conversation: { id } } = await cast(server);
    const path = `/api/conversations/${id}`;
    const agent = await connect(server, { token });
    const visitor = await connect(server, { sessionId });
    for (const socket of [agent, visitor]) await socket.ack("join", { conversationId: id });
    await agent.ack("subscribe", { table: "chat_messages" });

    const plain = await post(server, sessionId, id, "2*3*4 is 24");
    assert.ok(!("formatted" in plain));
    const clientMessageId = crypto.randomUUID();
    const sent = await post(server, token, id, "It is **here**", clientMessageId);
    assert.deepEqual([sent.content, sent.formatted], ["It is **here**", BOLD]);
    const again = await post(server, token, id, "It is **here**", clientMessageId);
    assert.deepEqual([again.id, again.formatted], [sent.id, BOLD]);
    const live = await visitor.event("message", (message) => message.id === sent.id);
    assert.deepEqual(live.formatted, BOLD);
    const { body: row } = await call<Conversation>(server, "GET", path, { token });
    assert.equal(row.lastMessage?.preview, "It is here");
    // It follows from the content, so the change feed does without.
    const change = await agent.event("database_change", ({ data }) => data["id"] === sent.id);
    assert.equal(change.data["content"], "It is **here**");
    assert.ok(!JSON.stringify(change).includes("strong"));

    // What is edited is read again, by all who follow it and by those who come later.
    const edit = { conversationId: id, messageId: sent.id };
    const { message } = await agent.ack("edit_message", { ...edit, content: "> _now_" });
    const quote = [{
      tag: "blockquote",
      content: [{ tag: "p", content: [{ tag: "em", content: ["now"] }] }],
    }];
    assert.deepEqual(message.formatted, quote);
    const updated = await visitor.event("message_updated");
    assert.deepEqual(updated.message.formatted, quote);
    await agent.ack("edit_message", { ...edit, content: "plain again" });
    const later = await connect(server, { sessionId });
    const joined = await later.ack("join", { conversationId: id });
    const inSnapshot = joined.snapshot?.messages.find((one: Message) => one.id === sent.id);
    assert.deepEqual([inSnapshot?.content, inSnapshot?.formatted], ["plain again", undefined]);

    await agent.ack("edit_message", { ...edit, content: "a `secret`" });
    await agent.ack("delete_message", edit);
    const { body: page } = await call<MessageList>(server, "GET", `${path}/messages`, { token });
    const deleted = page.items.find((one) => one.id === sent.id)!;
    assert.deepEqual([deleted.content, "formatted" in deleted], ["", false]);
    const stored = await inDatabase(
      server,
      (query) => query(`select formatted from chat_messages where id = '${sent.id}'`),
    );
    assert.deepEqual(stored, [{ formatted: null }]);
  },
);
