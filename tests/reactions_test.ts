/** Reactions to messages: one's own, bounded, in the log, and recovered after an absence. */
import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import { MAX_REACTIONS } from "../protocol/native.ts";
import type { MessageList, Problem } from "../protocol/rest.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";

interface LoggedReaction {
  type: string;
  data: { seq: number; reaction?: { isAdded: boolean } };
}

onBothEngines("people react to messages, and everybody sees it in order", async (server) => {
  const { agent, key, visitor, conversation: { id } } = await cast(server);
  const { token, user } = agent;
  const { sessionId, contact } = visitor;
  const path = `/api/conversations/${id}/messages`;
  const message = await post(server, sessionId, id, "It fits, thanks!");
  const there = await connect(server, { sessionId });
  const joined = await there.ack("join", { conversationId: id });
  const person = await connect(server, { token });
  await person.ack("join", { conversationId: id });
  await there.close();

  const about = { conversationId: id, messageId: message.id };
  const thumb = await person.ack("react", { ...about, emoji: "👍" });
  assert.deepEqual(thumb.message.reactions, [{ emoji: "👍", userIds: [user.id] }]);
  const { userId, userName, role } = { userId: user.id, userName: user.name, role: "agent" };
  const live = await person.event("message_updated");
  assert.deepEqual(live.reaction, {
    emoji: "👍",
    isAdded: true,
    actor: { userId, userName, role },
  });
  assert.deepEqual([live.seq, live.message.editedAt], [message.seq + 1, null]);
  // Twice is once, and takes no seq.
  await person.ack("react", { ...about, emoji: "👍" });
  const over = await call<Message>(server, "POST", `${path}/${message.id}/reactions`, {
    token: sessionId,
    body: { emoji: "👍" },
  });
  assert.deepEqual(over.body.reactions, [{ emoji: "👍", userIds: [user.id, contact.id] }]);
  await person.ack("react", { ...about, emoji: "👩🏽‍💻" });
  await person.ack("react", { ...about, emoji: "👍", remove: true });
  await person.ack("react", { ...about, emoji: "👍", remove: true });
  const now = [{ emoji: "👍", userIds: [contact.id] }, { emoji: "👩🏽‍💻", userIds: [user.id] }];
  const { body: page } = await call<MessageList>(server, "GET", path, { token });
  assert.deepEqual(page.items[0]!.reactions, now);

  // Who was away gets exactly these changes, each with its seq.
  const back = await connect(server, { sessionId });
  const { epoch, seq } = joined;
  const missed = await back.ack("join", { conversationId: id, epoch, seq });
  assert.equal(missed.recovered, true);
  const events = missed.events.map((
    { type, data }: LoggedReaction,
  ) => [type, data.seq, data.reaction?.isAdded]);
  assert.deepEqual(events, [
    ["message_updated", seq + 1, true],
    ["message_updated", seq + 2, true],
    ["message_updated", seq + 3, true],
    ["message_updated", seq + 4, false],
  ]);
  assert.deepEqual(missed.events.at(-1).data.message.reactions, now);

  // Only emoji, only so many, and only where one may see the message.
  for (const emoji of ["", "a", "👍👍", "<b>", "5", "👍 ", "x".repeat(100)]) {
    const answer = await call<Problem>(server, "POST", `${path}/${message.id}/reactions`, {
      token,
      body: { emoji },
    });
    assert.deepEqual([answer.status, answer.body.fields?.[0]?.path], [422, "emoji"], emoji);
  }
  const some = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓"];
  for (const emoji of some.slice(2, MAX_REACTIONS)) await person.ack("react", { ...about, emoji });
  const full = await person.ask("react", { ...about, emoji: "🎉" });
  assert.match(JSON.stringify(full), /"code":"conflict"/);
  await person.ack("react", { ...about, emoji: "👍" });

  const { body: note } = await call<Message>(server, "POST", path, {
    token,
    body: { content: "Nice one", clientMessageId: "n1", isPrivate: true },
  });
  const stranger = await openSession(server, key);
  for (const [who, target] of [[sessionId, note], [stranger.sessionId, message]] as const) {
    const answer = await call<Problem>(server, "POST", `${path}/${target.id}/reactions`, {
      token: who,
      body: { emoji: "👍" },
    });
    assert.equal(answer.status, 404);
  }
  await person.ack("react", { conversationId: id, messageId: note.id, emoji: "👍" });
  const later = await connect(server, { sessionId });
  const seen = JSON.stringify(await later.ack("join", { conversationId: id, epoch, seq }));
  assert.ok(!seen.includes(note.id));

  // They go with their message.
  await back.ack("delete_message", about);
  const after = await call<MessageList>(server, "GET", path, { token });
  assert.ok(!("reactions" in after.body.items[0]!));
  assert.match(
    JSON.stringify(await person.ask("react", { ...about, emoji: "👍" })),
    /it was deleted/,
  );
});
