import assert from "node:assert/strict";
import { frames } from "./support/followers.ts";
import { call, post } from "./support/http.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { change, changesOf, message, people, psql } from "./support/tables.ts";

testWith(
  ["postgres"],
  "a session that ends in the table ends what its visitor follows",
  async () => {
    const server = await startServer("postgres");
    const own = await psql(server);
    try {
      const { visitor, other, conversation } = await people(server);
      const v = await connect(server, { sessionId: visitor.sessionId });
      const json = await frames(
        server,
        "/ws",
        { type: "auth", payload: { sessionId: visitor.sessionId } },
        "auth_response",
      );
      const o = await connect(server, { sessionId: other.sessionId });
      const mine = await v.ack("subscribe", { table: "chat_messages" });
      const theirs = await o.ack("subscribe", { table: "chat_messages" });
      await own.query(
        `update chat_sessions set ended_at = now() where contact_id = '${visitor.contact.id}'`,
      );
      const ended = await v.event("subscription_ended");
      assert.deepEqual(ended, {
        subscription: mine.subscription,
        table: "chat_messages",
        code: "invalid_session",
        reason: 'Cannot go on with "chat_messages": the session has ended',
      });
      await json.until(() =>
        json.lines().some(({ type, payload }) =>
          type === "system" && payload.code === "invalid_session"
        )
      );
      await own.query(message(conversation.id, 1, "too late"));
      await own.query(
        `update chat_messages set conversation_id = (select id from conversations
        where contact_id = '${other.contact.id}')`,
      );
      assert.equal((await change(o, theirs.subscription, 1)).data["content"], "too late");
      assert.deepEqual(changesOf(v), []);
      assert.ok(!json.text().includes("too late"));
      await own.query(`delete from chat_sessions where contact_id = '${other.contact.id}'`);
      assert.equal((await o.event("subscription_ended")).code, "invalid_session");
      await v.close();
      await o.close();
      await json.close();
    } finally {
      await own.end();
      await server.close();
    }
  },
);

onEitherEngine("who is sent away hears no more, and why", async (server) => {
  const { admin, grace, visitor, conversation } = await people(server);
  const g = await connect(server, { token: grace.token });
  await g.ack("subscribe", { table: "chat_messages" });
  const v = await connect(server, { sessionId: visitor.sessionId });
  await v.ack("subscribe", { table: "chat_messages" });
  const a = await connect(server, { token: admin.token });
  const { subscription } = await a.ack("subscribe", { table: "chat_messages" });
  await call(server, "PATCH", `/api/users/${grace.user.id}`, {
    token: admin.token,
    body: { disabled: true },
  });
  assert.equal((await g.closed).code, 3503);
  await call(server, "DELETE", "/api/sessions", { token: visitor.sessionId });
  assert.equal((await v.closed).code, 3503);
  await post(server, admin.token, conversation.id, "unheard");
  await change(a, subscription, 1);
  assert.deepEqual([...changesOf(g), ...changesOf(v)], []);
  await a.close();
});
