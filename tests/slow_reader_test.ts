/** Readers that stop reading while everybody talks: they are let go, and nobody else notices. */
import assert from "node:assert/strict";
import { connectionCount, eventually, health } from "./faults/health.ts";
import { connectRaw, type RawClient } from "./faults/raw_client.ts";
import { startServerProcess, UNLIMITED } from "./faults/server_process.ts";
import { mebibytes } from "./faults/survival.ts";
import { cast } from "./support/http.ts";

const STALLED = 40;
const GOOD = 5;
const CONTENT = "x".repeat(19_000);
/** Messages on the way at once; their answers have to fit into the sender's own queue. */
const WINDOW = 10;
/** Past this the flood has failed to fill what the kernel keeps for a stalled reader. */
const MAX_MESSAGES = 3000;
const QUEUE_BYTES = 512 * 1024;
/**
 * A stalled reader may cost its queue and what the runtime holds already (64 KiB and a frame); the
 * rest is room for the flood itself. Without a bound it would be the whole flood for each of them.
 */
const MEMORY_BYTES = STALLED * 2 * QUEUE_BYTES + 100 * 2 ** 20;

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function seqsOf(client: RawClient): number[] {
  return client.received.filter(({ type }) => type === "message")
    .map(({ data }) => (data as { seq: number }).seq);
}

Deno.test("readers that stop are let go, the others get everything, memory is bounded", async () => {
  const server = await startServerProcess("pglite", {
    ...UNLIMITED,
    MAX_QUEUE_BYTES: `${QUEUE_BYTES}`,
    MAX_REPLAY_EVENTS: "10000",
    // Long, so that silence is not what ends them.
    HEARTBEAT_MS: "300000",
  });
  const clients: RawClient[] = [];
  try {
    const { agent, visitor, conversation } = await cast(server as never);
    const conversationId = conversation.id;
    const join = async (options: { forget?: boolean } = {}) => {
      const client = await connectRaw(server.url, { sessionId: visitor.sessionId }, options);
      clients.push(client);
      await client.ack("join", { conversationId });
      return client;
    };
    const sender = await connectRaw(server.url, { token: agent.token });
    clients.push(sender);
    const good = await Promise.all(Array.from({ length: GOOD }, () => join()));
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => join()));
    for (const client of stalled) client.pause();
    server.collect();
    await health(server);
    const memoryBefore = server.memory();
    let memoryMost = 0;
    let sent = 0;

    // They are let go while the conversation is flooded.
    let left = STALLED;
    while (left > 0 && sent < MAX_MESSAGES) {
      await Promise.all(Array.from({ length: WINDOW }, () =>
        sender.ack("message", {
          conversationId,
          content: CONTENT,
          clientMessageId: `m${++sent}`,
        }, 30_000)));
      sender.received.length = 0;
      memoryMost = Math.max(memoryMost, server.memory());
      left = await connectionCount(server) - GOOD - 1;
    }
    assert.equal(left, 0, `after ${sent} messages`);

    // The good ones have every message, in order.
    for (const client of good) {
      await eventually(() => seqsOf(client).length, (count) => count >= sent, 20_000);
      assert.deepEqual(seqsOf(client), Array.from({ length: sent }, (_, i) => i + 1));
      assert.equal(client.isClosed, false);
    }

    // What waits for the stalled ones is bounded.
    const grown = memoryMost - memoryBefore;
    assert.ok(
      grown < MEMORY_BYTES,
      `memory grew by ${mebibytes(grown)}; ${sent} messages to ${STALLED} stalled readers are ` +
        mebibytes(sent * CONTENT.length * STALLED),
    );

    // When they read again they find close 3008, and recover the rest.
    for (const client of stalled) client.resume();
    const codes = await Promise.all(stalled.map(async ({ closed }) => (await closed).code));
    assert.deepEqual(codes, stalled.map(() => 3008));
    for (const client of stalled) {
      const seqs = seqsOf(client);
      assert.deepEqual(seqs, seqs.map((_, i) => i + 1), "what came before has no gap");
      assert.ok(seqs.length < sent);
    }
    const back = await join();
    const { epoch } = await back.ack("join", { conversationId });
    const seq = seqsOf(stalled[0]!).length;
    const { recovered, events } = await back.ack("join", { conversationId, epoch, seq });
    assert.equal(recovered, true);
    assert.deepEqual(
      events.map(({ data }: { data: { seq: number } }) => data.seq),
      Array.from({ length: sent - seq }, (_, i) => seq + 1 + i),
    );
  } finally {
    for (const client of clients) client.destroy();
    await server.close();
  }
});

Deno.test("a reader that reads is not slow, however much it asked for", async (t) => {
  const server = await startServerProcess("pglite", {
    // The defaults, except for who fills the conversation.
    LIMIT_ROOM_BROADCASTS_PER_MINUTE: UNLIMITED.LIMIT_ROOM_BROADCASTS_PER_MINUTE,
    LIMIT_MESSAGES_PER_MINUTE: UNLIMITED.LIMIT_MESSAGES_PER_MINUTE,
  });
  const clients: RawClient[] = [];
  try {
    const { agent, visitor, conversation } = await cast(server as never);
    const conversationId = conversation.id;
    const enter = async (credentials: { token: string } | { sessionId: string }) => {
      const client = await connectRaw(server.url, credentials);
      clients.push(client);
      return client;
    };
    const message = (clientMessageId: string, content: string = CONTENT) => ({
      conversationId,
      content,
      clientMessageId,
    });
    const writer = await enter({ token: agent.token });

    await t.step("a burst of long messages: all are acknowledged to who sent them", async () => {
      const burst = await enter({ sessionId: visitor.sessionId });
      const sent = Array.from({ length: 90 }, (_, n) => burst.ask("message", message(`b${n}`)));
      const answers = await Promise.allSettled(sent);
      assert.ok(answers.every((one) => one.status === "fulfilled" && one.value.type === "ack"));
      assert.equal(burst.isClosed, false);
    });

    await t.step("an event during a long recovery: the answer and the event arrive", async () => {
      for (let n = 0; n < 400; n += 4) {
        await Promise.all([0, 1, 2, 3].map((i) => writer.ack("message", message(`m${n + i}`))));
      }
      const reader = await enter({ sessionId: visitor.sessionId });
      const { epoch, seq: top } = await reader.ack("join", { conversationId });
      // As on a slow network: the answer is on its way when the next thing happens.
      reader.pause();
      const answer = reader.ask("join", { conversationId, epoch, seq: top - 400 }, 30_000);
      await later(1500);
      await writer.ack("message", message("news", "news"));
      await later(500);
      reader.resume();
      assert.equal((await answer).type, "ack");
      await reader.until(
        ({ type, data }) => type === "message" && (data as { content: string }).content === "news",
        "the event",
      );
      assert.equal(reader.isClosed, false);
    });
  } finally {
    for (const client of clients) client.destroy();
    await server.close();
  }
});
