import assert from "node:assert/strict";
import type { ParleyClientError } from "./errors.ts";
import { message, pause, withServer } from "./test_client.ts";
import { CONVERSATION, memoryStorage, type Peer, type TestServer, until } from "./test_server.ts";

const OLD = "018f0000-0000-7000-8000-00000000000a";
const contents = (list: { content: string }[]) => list.map(({ content }) => content);

/** Answers `auth` as the person of the token or session. */
function authenticateAs(server: TestServer) {
  return (command: { type: string; data?: Record<string, unknown> }, peer: Peer): boolean => {
    if (command.type !== "auth") return false;
    const { token, sessionId } = command.data as { token?: string; sessionId?: string };
    if (sessionId === "ended") {
      server.refuse(peer, command, "invalid_session");
      peer.close(3500);
      return true;
    }
    server.reply(peer, command, {
      userId: token ?? sessionId,
      userName: "Somebody",
      role: token === undefined ? "visitor" : "agent",
      conversationId: null,
      presence: [],
      expiresAt: null,
    });
    return true;
  };
}

Deno.test("a message under way at a reload is sent again and stored once", () =>
  withServer(async (server, open) => {
    const storage = memoryStorage();
    const before = open({ storage });
    server.intercept = (command) => {
      if (command.type !== "message") return false;
      const { content, clientMessageId } = command.data as Record<string, string>;
      server.post(content!, "agent-me", clientMessageId);
      return true;
    };
    before.connect();
    before.send(message("under way"));
    await until(() => server.log.length === 1, "stored, not acknowledged");
    before.close();
    server.intercept = () => false;
    const after = open({ storage });
    assert.deepEqual(contents(after.pending()), ["under way"]);
    const sent: string[] = [];
    after.on("sent", ({ content }) => sent.push(content));
    await after.connect();
    await until(() => after.pending().length === 0, "acknowledged");
    assert.equal(server.of("message").length, 2);
    assert.equal(server.log.length, 1);
    assert.deepEqual(sent, ["under way"]);
    assert.equal(storage.length, 0);
  }));

Deno.test("a failed message survives a reload with its reason, also in a storage with three functions", () =>
  withServer(async (server, open) => {
    const { getItem, setItem, removeItem } = memoryStorage();
    const storage = { getItem, setItem, removeItem };
    server.intercept = (command, peer) => {
      if (command.type !== "message") return false;
      server.refuse(peer, command, "forbidden");
      return true;
    };
    const before = open({ storage });
    before.connect();
    await assert.rejects(
      before.send(message("not here")),
      (error: ParleyClientError) => error.code === "forbidden",
    );
    before.close();
    server.intercept = () => false;
    const after = open({ storage });
    const [failed] = after.pending();
    assert.equal(failed!.state, "failed");
    assert.equal(failed!.error, "forbidden");
    await after.connect();
    await pause(30);
    assert.equal(server.log.length, 0);
    after.retry(failed!.clientMessageId);
    await until(() => after.pending().length === 0, "stored");
    assert.deepEqual(server.log.length, 1);
  }));

Deno.test("a message of one agent is never sent as another who signs in later", () =>
  withServer(async (server, open) => {
    const storage = memoryStorage();
    server.intercept = authenticateAs(server);
    const ada = open({ storage, credentials: () => ({ token: "ada" }) });
    await ada.connect();
    for (const peer of server.peers) peer.close(3011);
    await until(() => ada.state !== "connected", "lost");
    ada.send(message("from Ada"));
    ada.close();
    const bob = open({ storage, credentials: () => ({ token: "bob" }) });
    await bob.connect();
    assert.deepEqual(bob.pending(), []);
    await bob.send(message("from Bob"));
    const adaAgain = open({ storage, credentials: () => ({ token: "ada" }) });
    await adaAgain.connect();
    await until(() => server.log.length === 2, "sent by Ada");
    const texts = server.of("message").map((one) => one.data!.content);
    assert.deepEqual(texts, ["from Bob", "from Ada"]);
  }));

Deno.test("a visitor's waiting messages are sent in a new session, to its conversation", () =>
  withServer(async (server, open) => {
    server.intercept = authenticateAs(server);
    let sessionId = "first";
    const client = open({ credentials: () => ({ sessionId }) });
    await client.connect();
    // Written in the conversation of a session that ends before they are sent.
    sessionId = "ended";
    for (const peer of server.peers) peer.close(3011);
    await until(() => client.state !== "connected", "lost");
    const store = client.conversation(OLD);
    const sent = store.send("one");
    client.send({ content: "two" });
    await until(() => client.state === "failed", "the session is over");
    assert.equal(client.error?.code, "invalid_session");
    sessionId = "second";
    client.connect();
    await until(() => client.state === "connected", "a new session");
    assert.equal((await sent).conversationId, CONVERSATION);
    await until(() => client.pending().length === 0, "both are stored");
    assert.deepEqual(server.of("message").map((one) => one.data!.content), ["one", "two"]);
    assert.ok(server.of("message").every((one) => !("conversationId" in one.data!)));
    assert.equal(client.identity?.conversationId, CONVERSATION);
  }));

Deno.test("they show in the conversation that is theirs now", () =>
  withServer(async (server, open) => {
    server.intercept = (command, peer) =>
      command.type === "message" || authenticateAs(server)(command, peer);
    const client = open({ credentials: () => ({ sessionId: "second" }) });
    await client.connect();
    client.conversation(OLD).send("wanders");
    const { items } = client.conversation(CONVERSATION).snapshot;
    assert.deepEqual(items.map(({ pending }) => pending?.content), ["wanders"]);
  }));

Deno.test("faults of the server are tried again a few times, with growing waits", () =>
  withServer(async (server, open) => {
    let refused = 0;
    server.intercept = (command, peer) => {
      if (command.type !== "message") return false;
      refused++;
      server.refuse(peer, command, "overloaded", 5);
      return true;
    };
    const client = open();
    client.connect();
    await assert.rejects(
      client.send(message("heavy")),
      (error: ParleyClientError) => error.code === "overloaded",
    );
    assert.equal(refused, 5);
    assert.equal(client.pending()[0]!.state, "failed");
    client.discard(client.pending()[0]!.clientMessageId);
    assert.deepEqual(client.pending(), []);
  }));
