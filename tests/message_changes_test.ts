/** Messages are edited and withdrawn by their authors, for as long as the workspace allows. */
import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import type { MessageList, Problem } from "../protocol/rest.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, login, openSession, post } from "./support/http.ts";
import { colleagues } from "./support/notifications.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";

onEitherEngine("people change their own messages, on sockets and over HTTP", async (server) => {
  const { agent: { token }, key, visitor: { sessionId }, conversation: { id } } = await cast(
    server,
  );
  const [, bea] = await colleagues(server, "Bea");
  const stranger = await openSession(server, key);
  const path = (message: Message) => `/api/conversations/${id}/messages/${message.id}`;
  const mine = await post(server, sessionId, id, "Hullo");
  const theirs = await post(server, bea!.token, id, "Hi");
  const watching = await connect(server, { token });
  await watching.ack("join", { conversationId: id });

  const edited = await call<Message>(server, "PATCH", path(mine), {
    token: sessionId,
    body: { content: "Hello" },
  });
  assert.deepEqual([edited.status, edited.body.content], [200, "Hello"]);
  assert.ok(edited.body.editedAt !== null);
  assert.equal((await watching.event("message_updated")).message.content, "Hello");
  const patch = (token: string, message: Message) =>
    call<Problem>(server, "PATCH", path(message), { token, body: { content: "Changed" } });
  const remove = (token: string, message: Message) =>
    call<Problem>(server, "DELETE", path(message), { token });
  assert.equal((await patch(bea!.token, mine)).body.code, "forbidden");
  assert.equal((await patch(sessionId, theirs)).body.code, "forbidden");
  assert.equal((await patch(token, theirs)).body.code, "forbidden");
  assert.equal((await patch(stranger.sessionId, mine)).body.code, "not_found");
  assert.equal((await remove(stranger.sessionId, mine)).body.code, "not_found");
  assert.equal((await remove(bea!.token, mine)).body.code, "forbidden");

  // Switched off, nobody changes anything; admins may still delete.
  const setting = (editMinutes: unknown) =>
    call(server, "PATCH", "/api/queue-settings", { token, body: { editMinutes } });
  assert.equal((await setting(-1)).status, 422);
  assert.equal((await setting(1.5)).status, 422);
  await setting(0);
  const off = /this is switched off here/;
  for (const { body } of [await patch(sessionId, mine), await remove(sessionId, mine)]) {
    assert.equal(body.code, "conflict");
    assert.match(body.detail!, off);
  }
  const visitor = await connect(server, { sessionId });
  const identity = await visitor.until(({ type }) => type === "ack");
  assert.equal((identity.data as { editWindowMs: number }).editWindowMs, 0);
  const change = { conversationId: id, messageId: mine.id };
  for (const type of ["edit_message", "delete_message"] as const) {
    const data = type === "edit_message" ? { ...change, content: "x" } : change;
    const answer = JSON.stringify(await visitor.ask(type, data));
    assert.match(answer, off);
    assert.match(answer, /"code":"conflict"/);
  }
  assert.equal((await remove(token, mine)).status, 204);
  assert.equal((await remove(token, mine)).status, 204);
  await setting(15);
  assert.equal((await remove(bea!.token, theirs)).status, 204);
  const { body: page } = await call<MessageList>(
    server,
    "GET",
    `/api/conversations/${id}/messages`,
    {
      token: sessionId,
    },
  );
  assert.deepEqual(page.items.map(({ content }) => content), ["", ""]);
  assert.equal((await patch(bea!.token, theirs)).body.code, "conflict");
});

testWith(["postgres"], "after the window a message stays as it is", async () => {
  const server = await startServer("postgres");
  try {
    const { visitor: { sessionId }, conversation: { id } } = await cast(server);
    const message = await post(server, sessionId, id, "Hello");
    const age = (minutes: number) =>
      inDatabase(
        server,
        (query) =>
          query(`update chat_messages set created_at = now() - interval '${minutes} minutes'`),
      );
    const path = `/api/conversations/${id}/messages/${message.id}`;
    await age(14);
    const edit = (content: string) =>
      call<Problem>(server, "PATCH", path, { token: sessionId, body: { content } });
    assert.equal((await edit("Hello!")).status, 200);
    await age(16);
    for (
      const answer of [
        await edit("?"),
        await call<Problem>(server, "DELETE", path, { token: sessionId }),
      ]
    ) {
      assert.deepEqual([answer.status, answer.body.code], [409, "conflict"]);
      assert.match(answer.body.detail!, /it is older than 15 minutes/);
    }
    const { token } = await login(server);
    await call(server, "PATCH", "/api/queue-settings", { token, body: { editMinutes: 60 } });
    assert.equal((await edit("Hello?")).status, 200);
  } finally {
    await server.close();
  }
});
