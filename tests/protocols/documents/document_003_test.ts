import assert from "node:assert/strict";
import { call, cast, post } from "../../support/http.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { connect } from "../../support/socket.ts";
import { openTopics } from "../../support/topics.ts";
import { type ConversationEvent, WebSocketService } from "./document_003_client.ts";
import { until } from "./until.ts";

async function read(server: TestServer, token: string, id: string, seq: number): Promise<void> {
  await call(server, "POST", `/api/conversations/${id}/read`, { token, body: { seq } });
}

/** What happens in a conversation, with everything that is no message. */
async function happenings(server: TestServer) {
  const { agent, visitor, conversation } = await cast(server);
  const { id } = conversation;
  const say = (content: string) => post(server, visitor.sessionId, id, content);
  return {
    agent,
    visitor,
    id,
    async all() {
      const { id: messageId } = await say("One");
      await read(server, agent.token, id, 1);
      await post(server, agent.token, id, "Two");
      await read(server, visitor.sessionId, id, 2);
      const path = `/api/conversations/${id}`;
      const body = { status: "resolved" };
      await call(server, "PATCH", path, { token: agent.token, body });
      const socket = await connect(server, { sessionId: visitor.sessionId });
      await socket.ack("edit_message", { conversationId: id, messageId, content: "One, edited" });
      await socket.ack("delete_message", { conversationId: id, messageId });
      await socket.close();
      await say("Three");
    },
  };
}

Deno.test("document 003: a client that knows nothing else reads every event's text", async () => {
  const server = await startServer("pglite");
  const services: WebSocketService[] = [];
  try {
    const { agent, visitor, id, all } = await happenings(server);
    const known = await openTopics(server, { token: agent.token });
    await known.subscribe(id);
    const named = await openTopics(server, { token: agent.token });
    await named.subscribe(id, undefined, ["read", "message_deleted"]);

    const client = new WebSocketService(server.url, agent.token);
    services.push(client);
    await client.connect();
    const events: ConversationEvent[] = [];
    const texts: string[] = [];
    const handle = (event: ConversationEvent) => {
      // The document's handler: no event is without a message.
      texts.push(event.message.body.text);
      events.push(event);
    };
    assert.equal(client.subscribeToConversation(id, handle), true);
    const polled: string[] = [];
    const fallback = new WebSocketService(server.url, agent.token, 50);
    services.push(fallback);
    fallback.subscribeToConversation(id, (event) => polled.push(event.message.body.text));
    await fallback.poll();
    fallback.startPolling();

    await all();
    await until(() => texts.includes("Three"), "the last message");
    await until(() => polled.includes("Three"), "the last message by polling");
    assert.deepEqual(texts, ["One", "Two", "Three"]);
    assert.deepEqual(polled.filter((text) => text !== ""), polled);
    assert.equal(polled.at(-1), "Three");
    assert.deepEqual(client.failures, []);
    const { message: _, ...rest } = events[0]!;
    assert.equal(events[0]!.message.body.type, "text");
    assert.equal(rest.conversationID, id);
    assert.equal(rest.actorID, visitor.contact.id);
    for (const time of [rest.createdAt, rest.updatedAt]) assert.ok(!Number.isNaN(Date.parse(time)));

    // Who asks for more gets it, on the same conversation.
    const seen = await known.event(({ event, seq }) => event === "message" && seq > 4);
    assert.ok(seen);
    const names = known.events.map(({ event }) => event);
    for (const name of ["read", "conversation_changed", "message_updated", "message_deleted"]) {
      assert.ok(names.includes(name as typeof names[0]), name);
    }
    await named.event(({ event }) => event === "message_deleted");
    const some = new Set(named.events.map(({ event }) => event));
    assert.deepEqual([...some].sort(), ["message_deleted", "read"]);
    // Every place of the log is told, so that a gap shows.
    const places = named.received.filter(({ type }) =>
      type === "position" || type === "conversationEvent"
    )
      .map(({ id, position }) => Number((id ?? position).split(".")[2]));
    assert.deepEqual(
      [...new Set(places)].sort((a, b) => a - b),
      places.length === 0 ? [] : [
        ...Array(Math.max(...places)).keys(),
      ].map((seq) => seq + 1),
    );
    const wrong = await named.subscribe(id, undefined, ["nonsense"]);
    assert.equal(wrong.code, "invalid");
    const path = `/api/v1/conversations/${id}/events?after=0&events=nonsense`;
    assert.equal((await call(server, "GET", path, { token: agent.token })).status, 422);

    client.unsubscribeFromConversation(id);
    await Promise.all([known.close(), named.close()]);
  } finally {
    await Promise.all(services.map((service) => service.disconnect()));
    await server.close();
  }
});

Deno.test("document 003: after a restart the client is Live again and hears what is new", async () => {
  const server = await startServer("pglite");
  const { agent, visitor, conversation: { id } } = await cast(server);
  const client = new WebSocketService(server.url, agent.token);
  try {
    await client.connect();
    const texts: string[] = [];
    client.subscribeToConversation(id, ({ message }) => texts.push(message.body.text));
    // The document shows no answer to a subscription: it is on its way right behind the connection.
    const hears = async (text: string) => {
      const from = texts.length;
      for (let tries = 0; texts.length === from; tries++) {
        await post(server, visitor.sessionId, id, text);
        await until(() => texts.length > from, text, 500).catch((error) => {
          if (tries > 20) throw error;
        });
      }
      assert.equal(texts[from], text);
    };
    await hears("Before");
    await server.stop();
    await until(() => client.status === "Offline", "Offline");
    await server.restart();
    await until(() => client.status === "Live", "Live");
    await hears("After");
    // A token that is no good ends the connection, and nothing is told.
    const forged = new WebSocketService(server.url, "forged");
    const opened = await forged.connect().then(() => true, () => false);
    if (opened) await until(() => forged.status === "Offline", "the end of a forged token");
    await forged.disconnect();
  } finally {
    await client.disconnect();
    await server.close();
  }
});
