import assert from "node:assert/strict";
import { cast } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { psql } from "./support/tables.ts";

testWith(["postgres"], "a visitor whose conversation is deleted opens another one", async () => {
  const server = await startServer("postgres");
  const database = await psql(server);
  try {
    const { visitor, conversation } = await cast(server);
    const socket = await connect(server, { sessionId: visitor.sessionId });
    const send = (content: string) => socket.ack("message", { content, clientMessageId: content });
    assert.equal((await send("one")).message.conversationId, conversation.id);
    await database.query("delete from conversations where id = $1", [conversation.id]);
    const [second, third] = await Promise.all([send("two"), send("three")]);
    const opened = second.message.conversationId;
    assert.notEqual(opened, conversation.id);
    assert.deepEqual(
      [third.message.conversationId, second.message.seq, third.message.seq],
      [opened, 1, 2],
    );
    // Who names the old one is told that it is gone.
    const gone = await socket.ask("message", {
      conversationId: conversation.id,
      content: "four",
      clientMessageId: "four",
    });
    assert.equal((gone.data as { code: string }).code, "not_found");
    await socket.close();
  } finally {
    await database.end();
    await server.close();
  }
});
