/** A message may reply to another one of its conversation, and shows the beginning of it. */
import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import type { MessageList, Problem } from "../protocol/rest.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";

onBothEngines("a reply names its message, and shows what that says now", async (server) => {
  const { agent, key, visitor, conversation: { id } } = await cast(server);
  const { token } = agent;
  const { sessionId, contact } = visitor;
  const path = `/api/conversations/${id}/messages`;
  const send = <T = Message>(who: string, replyToId: string, more: object = {}, to = path) =>
    call<T>(server, "POST", to, {
      token: who,
      body: { content: "Yes", clientMessageId: crypto.randomUUID(), replyToId, ...more },
    });
  const question = await post(server, sessionId, id, "Is it **open**\n today?");
  const watching = await connect(server, { sessionId });
  await watching.ack("join", { conversationId: id });

  const clientMessageId = crypto.randomUUID();
  const { status, body: reply } = await send(token, question.id, { clientMessageId });
  const quote = {
    seq: question.seq,
    sender: { userId: contact.id, userName: contact.name, role: "visitor" },
    preview: "Is it open today?",
  };
  assert.deepEqual([status, reply.replyToId, reply.quote], [201, question.id, quote]);
  const live = await watching.event("message", (message) => message.id === reply.id);
  assert.deepEqual([live.replyToId, live.quote], [question.id, quote]);
  const again = await send(token, question.id, { clientMessageId });
  assert.deepEqual([again.status, again.body.quote], [200, quote]);
  const person = await connect(server, { sessionId });
  const back = await person.ack("message", {
    content: "Thanks",
    clientMessageId: "t1",
    replyToId: reply.id,
  });
  assert.equal(back.message.quote.preview, "Yes");

  // What it quotes is shown as it is now, on every way.
  const change = { conversationId: id, messageId: question.id };
  await person.ack("edit_message", { ...change, content: "Is it shut?" });
  const previews = async () => {
    const { body } = await call<MessageList>(server, "GET", path, { token: sessionId });
    const { snapshot } = await (await connect(server, { token })).ack("join", {
      conversationId: id,
    });
    const of = (all: Message[]) => all.find((one) => one.id === reply.id)!.quote!.preview;
    return [of(body.items), of(snapshot.messages)];
  };
  assert.deepEqual(await previews(), ["Is it shut?", "Is it shut?"]);
  await person.ack("delete_message", change);
  assert.deepEqual(await previews(), ["", ""]);

  // Only of the same conversation, and never more than the reader may see.
  const note = (await call<Message>(server, "POST", path, {
    token,
    body: { content: "Difficult", clientMessageId: "n1", isPrivate: true },
  })).body;
  const stranger = await openSession(server, key);
  const { body: other } = await call<{ id: string }>(server, "POST", "/api/conversations", {
    token: stranger.sessionId,
    body: {},
  });
  const theirs = await post(server, stranger.sessionId, other.id, "Hello");
  const before =
    (await call<{ lastSeq: number }>(server, "GET", `/api/conversations/${id}`, { token })).body;
  for (
    const [who, replyToId, why] of [
      [token, note.id, /must not be a note/],
      [sessionId, note.id, /must be a message of this conversation/],
      [sessionId, theirs.id, /must be a message of this conversation/],
      [token, theirs.id, /must be a message of this conversation/],
      [token, crypto.randomUUID(), /must be a message of this conversation/],
    ] as const
  ) {
    const { status, body } = await send<Problem>(who, replyToId);
    assert.deepEqual([status, body.fields?.map(({ path }) => path)], [422, ["replyToId"]]);
    assert.match(body.detail!, why);
  }
  const after =
    (await call<{ lastSeq: number }>(server, "GET", `/api/conversations/${id}`, { token })).body;
  assert.deepEqual(after, before);
  const inTeam = await send(token, note.id, { isPrivate: true });
  assert.equal(inTeam.body.quote?.preview, "Difficult");
  // A file, too, may answer; and a withdrawn message may still be replied to.
  assert.equal((await send(token, question.id)).body.quote?.preview, "");
});
