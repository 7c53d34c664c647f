import assert from "node:assert/strict";
import type { DatabaseChange } from "../protocol/tables.ts";
import { call, cast, post } from "./support/http.ts";
import { onEitherEngine, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const open = (server: TestServer, widgetKey: string, sessionId: string, name: string) =>
  call(server, "POST", "/api/sessions", { body: { widgetKey, sessionId, name } });

onEitherEngine("a new name is read everywhere and copied nowhere", async (server) => {
  const { agent, key, visitor, conversation } = await cast(server);
  for (const content of ["one", "two"]) {
    await post(server, visitor.sessionId, conversation.id, content);
  }
  const watcher = await connect(server, { token: agent.token });
  for (const table of ["chat_messages", "conversations"]) await watcher.ack("subscribe", { table });

  for (const name of ["Maya", "Maya", "Maya R.", "Maya R."]) {
    assert.equal((await open(server, key, visitor.sessionId, name)).status, 200);
  }
  const refused = await open(server, key, visitor.sessionId, "Somebody else");
  assert.equal(refused.status, 429);
  assert.equal(refused.body["limit"], "LIMIT_RENAMES_PER_MINUTE");
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  // The name that they have is no new one.
  assert.equal((await open(server, key, visitor.sessionId, "Maya R.")).status, 200);

  const last = await post(server, visitor.sessionId, conversation.id, "three");
  await watcher.event("database_change", ({ data }) => data["id"] === last.id);
  const changes = watcher.received.filter(({ type }) => type === "database_change")
    .map(({ data }) => data as DatabaseChange);
  assert.deepEqual(
    changes.filter(({ table, event }) => table === "chat_messages" && event === "UPDATE"),
    [],
  );
  const names = changes.filter(({ table, event }) =>
    table === "conversations" && event === "UPDATE"
  )
    .map((change) => change.data["last_message_sender_name"]);
  // The last one is that of the message.
  assert.deepEqual(names, ["Maya", "Maya R.", "Maya R."]);

  const { messages } = await watcher.ack("history", { conversationId: conversation.id });
  const joined = await watcher.ack("join", { conversationId: conversation.id });
  for (const list of [messages, joined.snapshot.messages]) {
    assert.deepEqual(
      list.map(({ sender }: { sender: { userName: string } }) => sender.userName),
      ["Maya R.", "Maya R.", "Maya R."],
    );
  }
  const { epoch } = joined;
  const replay = await watcher.ack("join", { conversationId: conversation.id, epoch, seq: 0 });
  assert.equal(replay.events[0].data.sender.userName, "Maya R.");
  const found = await call<{ messages: { items: { sender: { userName: string } }[] } }>(
    server,
    "GET",
    "/api/search?q=one",
    { token: agent.token },
  );
  assert.equal(found.body.messages.items[0]!.sender.userName, "Maya R.");
  await watcher.close();
}, { LIMIT_RENAMES_PER_MINUTE: "2" });
