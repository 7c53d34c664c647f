/** Who is there and who is not: pings, half-open connections, presence, heartbeats. */
import assert from "node:assert/strict";
import type { Message, Presence } from "../protocol/model.ts";
import { type FaultProxy, startFaultProxy } from "./faults/fault_proxy.ts";
import { OPCODE } from "./faults/frames.ts";
import { connectionCount } from "./faults/health.ts";
import { connectRaw, openRaw, type RawClient } from "./faults/raw_client.ts";
import { poll } from "./support/deadline.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { startServer, type TestServer } from "./support/server.ts";

const HEARTBEAT_MS = 1000;
const GRACE_MS = 2000;
/** Heartbeats of others in which who is gone has to be noticed: three, and one on its way. */
const BEATS = 4;

type Beat = { positions: Record<string, number> };

function beatsOf(client: RawClient): Beat[] {
  return client.received.flatMap(({ type, data }) =>
    type === "heartbeat" ? [data as unknown as Beat] : []
  );
}

function presenceOf(witness: RawClient, userId: string): Presence | undefined {
  return witness.received.findLast((message) =>
    message.type === "presence" && (message.data as Presence).userId === userId
  )?.data as Presence | undefined;
}

async function aliveSteps(t: Deno.TestContext, server: TestServer, proxy: FaultProxy) {
  const { agent, key, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const witness = await connectRaw(server.url, { token: agent.token });

  await t.step("a silent peer that answers pings stays", async () => {
    const silent = await connectRaw(server.url, { sessionId: visitor.sessionId });
    const asked = () => silent.frames.get(OPCODE.ping) ?? 0;
    await poll(asked, (count) => count >= 3 || silent.isClosed, "three pings");
    await silent.ack("ping", {});
    silent.destroy();
  });

  await t.step("a peer that does not answer pings is gone, heartbeats or not", async () => {
    const dead = await connectRaw(server.url, { sessionId: visitor.sessionId }, { pongs: false });
    const before = beatsOf(witness).length;
    await dead.closed;
    assert.ok(beatsOf(witness).length - before <= BEATS);
  });

  await t.step(
    "a half-open peer is gone, and its user's presence ends after the grace",
    async () => {
      const session = await openSession(server, key);
      const ghost = await connectRaw(proxy.url, { sessionId: session.sessionId });
      const auth = ghost.received.find(({ id }) => id === 1)?.data as { userId: string };
      const present = () => presenceOf(witness, auth.userId)?.status;
      await poll(present, (status) => status === "online", "their presence");
      const before = await connectionCount(server);
      const beats = beatsOf(witness).length;
      proxy.links.at(-1)!.halfOpen();
      const left = await poll(
        () => connectionCount(server),
        (count) => count < before,
        "the end of the connection",
      );
      assert.equal(left, before - 1);
      assert.ok(beatsOf(witness).length - beats <= BEATS);
      assert.equal(present(), "online", "a grace passes first");
      await poll(present, (status) => status === "offline", "the end of their presence");
      ghost.destroy();
    },
  );

  await t.step("who comes back within the grace was never away", async () => {
    const session = await openSession(server, key);
    const credentials = { sessionId: session.sessionId };
    const first = await connectRaw(proxy.url, credentials);
    const { userId } = first.received.find(({ id }) => id === 1)!.data as { userId: string };
    proxy.links.at(-1)!.drop();
    const second = await connectRaw(server.url, credentials);
    // Somebody else leaves after that, and is told to be away when the grace of both is over.
    const gone = await openSession(server, key);
    const third = await connectRaw(server.url, { sessionId: gone.sessionId });
    third.destroy();
    await poll(
      () => presenceOf(witness, gone.contact.id)?.status,
      (status) => status === "offline",
      "the end of another presence",
    );
    const news = witness.received.filter((message) =>
      message.type === "presence" && (message.data as Presence).userId === userId
    );
    assert.deepEqual(news.map(({ data }) => (data as Presence).status), ["online"]);
    second.destroy();
  });

  await t.step("heartbeats name the top of every joined conversation, and no other", async () => {
    const reader = await connectRaw(server.url, { sessionId: visitor.sessionId });
    await reader.until(({ type }) => type === "heartbeat", "a heartbeat");
    assert.deepEqual(beatsOf(reader)[0]!.positions, {});
    await reader.ack("join", { conversationId });
    for (const content of ["One", "Two", "Three"]) {
      await post(server, agent.token, conversationId, content);
    }
    const top = await poll(
      () => beatsOf(reader).at(-1)!.positions,
      (positions) => positions[conversationId] === 3,
      "the position",
    );
    assert.deepEqual(top, { [conversationId]: 3 });
    await reader.ack("leave", { conversationId });
    const count = beatsOf(reader).length;
    await poll(() => beatsOf(reader).length, (now) => now >= count + 2, "two heartbeats");
    assert.deepEqual(beatsOf(reader).at(-1)!.positions, {});
    reader.destroy();
  });

  await t.step("a heartbeat tells visitors of notes only that there was something", async () => {
    const reader = await connectRaw(server.url, { sessionId: visitor.sessionId });
    await reader.ack("join", { conversationId });
    await call<Message>(server, "POST", `/api/conversations/${conversationId}/messages`, {
      token: agent.token,
      body: { content: "A note", clientMessageId: "note", isPrivate: true },
    });
    await poll(
      () => beatsOf(reader).at(-1)?.positions[conversationId],
      (seq) => seq === 4,
      "the position",
    );
    const hidden = reader.received.find(({ type }) => type === "hidden");
    assert.deepEqual(hidden?.data, { conversationId, seq: 4 });
    reader.destroy();
  });

  await t.step("nobody hears a heartbeat before they said who they are", async () => {
    const nobody = await openRaw(server.url);
    const count = beatsOf(witness).length;
    await poll(() => beatsOf(witness).length, (now) => now >= count + 3, "three heartbeats");
    assert.deepEqual(nobody.received.map(({ type }) => type), ["welcome"]);
    nobody.destroy();
  });

  witness.destroy();
}

Deno.test("the living stay, the dead go, and everybody knows how far the log is", async (t) => {
  const server = await startServer("pglite", {
    HEARTBEAT_MS: `${HEARTBEAT_MS}`,
    PRESENCE_GRACE_MS: `${GRACE_MS}`,
  });
  const proxy = await startFaultProxy(server.url);
  try {
    await aliveSteps(t, server, proxy);
    assert.deepEqual(server.errors, []);
  } finally {
    await proxy.close();
    await server.close();
  }
});
