import assert from "node:assert/strict";
import type { Conversation } from "../../../protocol/model.ts";
import type { ConversationList } from "../../../protocol/rest.ts";
import { call, cast, login, post } from "../../support/http.ts";
import { type EngineName, startServer } from "../../support/server.ts";
import { testWith } from "../../support/services.ts";
import { connect } from "../../support/socket.ts";
import { MessagingHubClient } from "./document_002_client.ts";
import { until } from "./until.ts";

for (const engine of ["pglite", "postgres"] as EngineName[]) {
  testWith(
    engine === "postgres" ? ["postgres"] : [],
    `document 002: a read is told of each message that it covers, once [${engine}]`,
    async () => {
      const server = await startServer(engine, { MAX_REPLAY_EVENTS: "5" });
      const { token } = await login(server);
      const client = new MessagingHubClient(server.url, () => token);
      try {
        const { visitor, conversation: { id } } = await cast(server);
        await until(() => client.authenticated.length === 1, "authenticated");
        const agent = await connect(server, { token });
        const say = (content: string) => post(server, visitor.sessionId, id, content);
        const reads = (seq: number) => agent.ack("read", { conversationId: id, seq });
        const told = () => client.statusUpdates.map(({ messageId, status }) => [messageId, status]);

        const first = [await say("One"), await say("Two"), await say("Three")];
        await reads(3);
        await until(() => client.statusUpdates.length >= 3, "three updates");
        assert.deepEqual(told(), first.map((message) => [message.id, "read"]));
        assert.ok(client.statusUpdates.every(({ conversationId }) => conversationId === id));

        // Received, then read in two steps, and again what is known already.
        const second = [await say("Four"), await say("Five")];
        await agent.ack("delivered", { conversationId: id, seq: 5 });
        await reads(4);
        await reads(3);
        await agent.ack("delivered", { conversationId: id, seq: 4 });
        await Promise.all([reads(5), reads(5), reads(4)]);
        // Read, and answered in the same moment.
        const third = await say("Six");
        await Promise.all([
          reads(6),
          agent.ack("message", {
            conversationId: id,
            content: "An answer",
            clientMessageId: crypto.randomUUID(),
          }),
        ]);
        await until(() => client.statusesOf(third.id).includes("read"), "the last status");
        assert.deepEqual(told().slice(3), [
          [second[0]!.id, "delivered"],
          [second[1]!.id, "delivered"],
          [second[0]!.id, "read"],
          [second[1]!.id, "read"],
          [third.id, "read"],
        ]);

        // Bounded: of many the newest, still oldest first.
        const many: Awaited<ReturnType<typeof say>>[] = [];
        for (let i = 0; i < 8; i++) many.push(await say(`Many ${i}`));
        await reads(many.at(-1)!.seq);
        await until(() => client.statusesOf(many.at(-1)!.id).length === 1, "the newest of many");
        assert.deepEqual(
          told().slice(8).map(([messageId]) => messageId),
          many.slice(3).map((one) => one.id),
        );

        // The visitor's side is told the same of what the agent wrote.
        const answer = await post(server, token, id, "Another answer");
        await call(server, "POST", `/api/conversations/${id}/read`, {
          token: visitor.sessionId,
          body: { seq: answer.seq },
        });
        await until(() => client.statusesOf(answer.id).includes("read"), "the visitor's read");
        assert.ok(client.timestamps.every((time) => !Number.isNaN(Date.parse(time))));
        assert.deepEqual(client.errors, []);
        await agent.close();
      } finally {
        client.close();
        await server.close();
      }
    },
  );
}

Deno.test("document 002: after a restart a client knows that it may have missed messages, and can read them", async () => {
  const server = await startServer("pglite", { LIMIT_MESSAGES_PER_MINUTE: "10000" });
  const { token } = await login(server);
  const client = new MessagingHubClient(server.url, () => token, ["websocket"]);
  try {
    const list = async () =>
      (await call<ConversationList>(server, "GET", "/api/conversations", { token })).body.items;
    const recovered: boolean[] = [];
    /** What the list says at the moment when the client is told. */
    const read: Promise<Conversation[]>[] = [];
    client.socket.on("connect", () => recovered.push(client.socket.recovered));
    client.socket.on("reconnect", () => read.push(list()));
    const { visitor, conversation: { id } } = await cast(server);
    const say = (content: string) => post(server, visitor.sessionId, id, content);
    await until(() => client.totalUnread !== null, "unread counts");
    await say("Seen");
    await until(() => client.messages.length === 1, "Seen");
    assert.deepEqual([recovered, read.length], [[false], 0], "nobody was here before");

    // Only once something was said does it come back.
    client.socket.io.reconnection(false);
    await server.stop();
    await until(() => client.disconnects.length === 1, "the disconnect");
    await server.restart();
    const said = [await say("Missed")];
    client.socket.connect();
    // Others go on writing while the client comes back and reads.
    while (read.length === 0 || said.length < 20) said.push(await say(`Message ${said.length}`));
    const [[row]] = await Promise.all(read) as [[Conversation]];
    const last = said.at(-1)!;
    await until(() => client.messages.at(-1)?.content === last.content, "the last one");
    assert.deepEqual(recovered, [false, false]);
    const live = client.messages.slice(1).map(({ content }) => content);
    assert.ok(!live.includes("Missed"), "what was said before is not told again");
    assert.deepEqual(live, said.slice(-live.length).map(({ content }) => content));
    const firstLive = said.at(-live.length)!;
    assert.ok(row.lastSeq >= firstLive.seq - 1, "nothing is between the list and what is live");
    await until(() => client.totalUnread === said.length + 1, "all that is unread");
    assert.deepEqual(client.errors, []);
  } finally {
    client.close();
    await server.close();
  }
});
