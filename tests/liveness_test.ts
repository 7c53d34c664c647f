/** Who is there and who is not: pings, half-open connections, presence, heartbeats. */
import assert from "node:assert/strict";
import type { Message, Presence } from "../protocol/model.ts";
import { type FaultProxy, startFaultProxy } from "./faults/fault_proxy.ts";
import { OPCODE } from "./faults/frames.ts";
import { connectionCount, eventually } from "./faults/health.ts";
import { connectRaw, openRaw, type RawClient } from "./faults/raw_client.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { startServer, type TestServer } from "./support/server.ts";

const HEARTBEAT_MS = 1000;
const GRACE_MS = 500;
/** What a loaded machine may take longer than promised, in milliseconds. */
const PATIENCE_MS = 5000;

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

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
    await later(5 * HEARTBEAT_MS);
    assert.equal(silent.isClosed, false);
    assert.ok((silent.frames.get(OPCODE.ping) ?? 0) >= 2, "it was asked");
    await silent.ack("ping", {});
    silent.destroy();
  });

  await t.step("a peer that does not answer pings is gone, heartbeats or not", async () => {
    const dead = await connectRaw(server.url, { sessionId: visitor.sessionId }, { pongs: false });
    const start = Date.now();
    await dead.closed;
    assert.ok(Date.now() - start < 3 * HEARTBEAT_MS + PATIENCE_MS);
  });

  await t.step(
    "a half-open peer is gone, and its user's presence ends after the grace",
    async () => {
      const session = await openSession(server, key);
      const ghost = await connectRaw(proxy.url, { sessionId: session.sessionId });
      const auth = ghost.received.find(({ id }) => id === 1)?.data as { userId: string };
      const present = () => presenceOf(witness, auth.userId)?.status;
      await eventually(present, (status) => status === "online", PATIENCE_MS);
      const before = await connectionCount(server);
      proxy.links.at(-1)!.halfOpen();
      const start = Date.now();
      const left = await eventually(
        () => connectionCount(server),
        (count) => count < before,
        3 * HEARTBEAT_MS + PATIENCE_MS,
      );
      assert.equal(left, before - 1);
      assert.equal(present(), "online", "a grace passes first");
      await eventually(present, (status) => status === "offline", GRACE_MS + PATIENCE_MS);
      assert.equal(present(), "offline");
      assert.ok(Date.now() - start < 3 * HEARTBEAT_MS + GRACE_MS + 2 * PATIENCE_MS);
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
    await later(2 * GRACE_MS);
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
    const top = await eventually(
      () => beatsOf(reader).at(-1)!.positions,
      (positions) => positions[conversationId] === 3,
      2 * HEARTBEAT_MS + PATIENCE_MS,
    );
    assert.deepEqual(top, { [conversationId]: 3 });
    await reader.ack("leave", { conversationId });
    const count = beatsOf(reader).length;
    await eventually(
      () => beatsOf(reader).length,
      (now) => now >= count + 2,
      3 * HEARTBEAT_MS + PATIENCE_MS,
    );
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
    await eventually(
      () => beatsOf(reader).at(-1)?.positions[conversationId],
      (seq) => seq === 4,
      2 * HEARTBEAT_MS + PATIENCE_MS,
    );
    assert.equal(beatsOf(reader).at(-1)?.positions[conversationId], 4);
    const hidden = reader.received.find(({ type }) => type === "hidden");
    assert.deepEqual(hidden?.data, { conversationId, seq: 4 });
    reader.destroy();
  });

  await t.step("nobody hears a heartbeat before they said who they are", async () => {
    const nobody = await openRaw(server.url);
    await later(3 * HEARTBEAT_MS);
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
