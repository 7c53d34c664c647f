/** A restart under the document's clients: they are in their rooms again and miss nothing. */
import assert from "node:assert/strict";
import { cast, login, openSession, post, widgetKey } from "../../support/http.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { AdminWebSocket, WidgetWebSocketHandler } from "./document_004_client.ts";
import { until } from "./until.ts";

/** Three visitors with a conversation each. */
async function threeConversations(server: TestServer) {
  const all = [];
  for (let i = 0; i < 3; i++) {
    const { visitor, conversation } = await cast(server);
    all.push({ id: conversation.id, sessionId: visitor.sessionId });
  }
  return all as [typeof all[0], typeof all[0], typeof all[0]];
}

for (const transports of [["websocket"], ["polling"]]) {
  Deno.test(`document 004: after restarts an agent is in every room it was in [${transports}]`, async () => {
    const server = await startServer("pglite");
    const admin = new AdminWebSocket();
    try {
      const { token } = await login(server);
      const [a, b, c] = await threeConversations(server);
      const say = ({ id, sessionId }: typeof a, content: string) =>
        post(server, sessionId, id, content);
      const heard = () => [a, b, c].map(({ id }) => admin.contentsOf(id));

      admin.connect(token, server.url, { transports, reconnectionDelay: 300 });
      for (const { id } of [a, b, c]) admin.joinConversation(id);
      await until(() => admin.joined.length === 3, "three joined conversations");
      admin.leaveConversation(c.id);
      await until(() => admin.left.length === 1, "a left conversation");
      await until(() => admin.unread.length >= 1, "unread counts after authenticated");
      await say(a, "A1");
      await until(() => heard()[0]!.length === 1, "A1");
      // Nothing of B has ever come: its place is known all the same.

      await server.stop();
      await until(() => admin.disconnects.length === 1, "the first disconnect");
      const unreadBefore = admin.unread.length;
      await server.restart();
      await Promise.all([say(a, "A2"), say(b, "B1"), say(c, "C1")]);
      await say(b, "B2");
      await until(() => admin.authenticated.length === 2, "authenticated again");
      await until(() => heard()[1]!.length === 2 && heard()[0]!.length === 2, "what was missed");
      await until(() => admin.unread.length > unreadBefore, "unread counts after authenticated");
      assert.equal(admin.unread.at(-1)!.totalUnread, 5);
      await say(a, "A3");
      await say(b, "B3");
      await until(() => heard()[1]!.length === 3, "what is new");

      // At once again: where it was is known also from what came back.
      await server.stop();
      await until(() => admin.disconnects.length === 2, "the second disconnect");
      await server.restart();
      await say(b, "B4");
      await say(a, "A4");
      await until(() => heard()[0]!.length >= 4 && heard()[1]!.length >= 4, "what was missed then");
      // Who joins again, as the document's reconnect handler does, repeats nothing.
      admin.joinConversation(a.id);
      await say(a, "A5");
      await until(() => heard()[0]!.includes("A5"), "A5");
      assert.deepEqual(heard(), [
        ["A1", "A2", "A3", "A4", "A5"],
        ["B1", "B2", "B3", "B4"],
        [],
      ]);
      assert.equal(admin.reconnects, 2);
      assert.deepEqual(admin.errors, []);
      assert.equal(server.errors.length, 0);
    } finally {
      admin.disconnect();
      await server.close();
    }
  });
}

for (const transports of [["websocket"], ["polling"]]) {
  Deno.test(`document 004: a widget in a silent room misses nothing of a restart [${transports}]`, async () => {
    const server = await startServer("pglite");
    const widget = new WidgetWebSocketHandler();
    try {
      const { agent, visitor, conversation: { id } } = await cast(server);
      const say = (content: string) => post(server, agent.token, id, content);
      await say("Before it came");
      // As in the document it joins; and nothing is said until the server is gone.
      widget.connect(visitor.sessionId, server.url, { transports, reconnectionDelay: 1000 });
      widget.joinConversation(id);
      await until(() => widget.joined.length === 1, "joined");
      const expected: string[] = [];
      for (const round of [1, 2]) {
        // The second time it has an offset of its own, and again nothing was said meanwhile.
        await server.stop();
        await until(() => widget.disconnects.length === round, "the disconnect");
        await server.restart();
        for (const nth of ["a", "b"]) {
          expected.push(`Missed ${round}${nth}`);
          await say(expected.at(-1)!);
        }
        await until(() => widget.authenticated.length === round + 1, "authenticated again");
        await until(() => widget.contentsOf(id).length >= expected.length, "what was missed");
      }
      await say("Live");
      await until(() => widget.contentsOf(id).includes("Live"), "what is live");
      assert.deepEqual(widget.contentsOf(id), [...expected, "Live"]);
      assert.deepEqual(widget.errors, []);
      // A client that does not join, because the server knows whose conversation it is.
      const quiet = new WidgetWebSocketHandler();
      try {
        quiet.connect(visitor.sessionId, server.url, { transports, reconnectionDelay: 1000 });
        await until(() => quiet.authenticated.length === 1, "authenticated");
        await server.stop();
        await until(() => quiet.disconnects.length === 1, "the disconnect");
        await server.restart();
        await say("Missed as well");
        await until(() => quiet.contentsOf(id).length > 0, "what it missed");
        assert.deepEqual(quiet.contentsOf(id), ["Missed as well"]);
      } finally {
        quiet.disconnect();
      }
    } finally {
      widget.disconnect();
      await server.close();
    }
  });
}

Deno.test("document 004: a widget goes on in its conversation after a restart", async () => {
  const server = await startServer("pglite");
  const widget = new WidgetWebSocketHandler();
  try {
    const { agent, visitor, conversation } = await cast(server);
    const other = await openSession(server, await widgetKey(server, agent.token));
    widget.connect(visitor.sessionId, server.url, { reconnectionDelay: 300 });
    widget.joinConversation(conversation.id);
    widget.currentConversationId = conversation.id;
    await until(() => widget.joined.length === 1, "joined");
    await post(server, agent.token, conversation.id, "One");
    await until(() => widget.received.length === 1, "One");

    for (const round of [1, 2]) {
      await server.stop();
      await until(() => widget.disconnects.length === round, "the disconnect");
      await server.restart();
      await post(server, agent.token, conversation.id, `Missed ${round}`);
      await until(() => widget.authenticated.length === round + 1, "authenticated again");
      await post(server, agent.token, conversation.id, `Live ${round}`);
      await until(() => widget.contentsOf(conversation.id).includes(`Live ${round}`), "live");
    }
    assert.deepEqual(
      widget.contentsOf(conversation.id),
      ["One", "Missed 1", "Live 1", "Missed 2", "Live 2"],
    );
    assert.deepEqual(widget.errors, []);
    assert.equal(widget.reconnects, 2);

    // Rooms that somebody makes up open nothing that they may not see.
    const rooms = `~${conversation.epoch};${conversation.id}.0,${crypto.randomUUID()}.3,nonsense`;
    const heard: unknown[] = [];
    const forged = new WidgetWebSocketHandler();
    forged.connect(other.sessionId, server.url);
    forged.socket.auth = { sessionId: other.sessionId, pid: "made up", offset: `0${rooms}` };
    forged.socket.onAny((name, data) => heard.push([name, data]));
    await until(() => forged.authenticated.length === 1, "the stranger");
    await post(server, agent.token, conversation.id, "Secret");
    await until(() => widget.contentsOf(conversation.id).includes("Secret"), "Secret");
    assert.doesNotMatch(JSON.stringify(heard), /Secret|Missed|Live/);
    forged.disconnect();
  } finally {
    widget.disconnect();
    await server.close();
  }
});
