import assert from "node:assert/strict";
import type { Message } from "../protocol/model.ts";
import { type FaultProxy, type Link, startFaultProxy } from "./faults/fault_proxy.ts";
import { OPCODE } from "./faults/frames.ts";
import { connectionCount, eventually } from "./faults/health.ts";
import { connectRaw, type RawClient } from "./faults/raw_client.ts";
import { call, cast } from "./support/http.ts";
import { startServer } from "./support/server.ts";

const HEARTBEAT_MS = 1000;

type Credentials = { token: string } | { sessionId: string };

/** Somebody behind the proxy, and the link that is theirs. */
async function through(
  proxy: FaultProxy,
  credentials: Credentials,
  options: Parameters<typeof connectRaw>[2] = {},
): Promise<{ client: RawClient; link: Link }> {
  const client = await connectRaw(proxy.url, credentials, options);
  return { client, link: proxy.links.at(-1)! };
}

/** Resolves when the server has told somebody else of so many heartbeats. */
async function heartbeats(server: { url: string }, me: Credentials, count: number): Promise<void> {
  const client = await connectRaw(server.url, me);
  const told = () => client.received.filter(({ type }) => type === "heartbeat").length;
  await client.until(() => told() >= count, `${count} heartbeats`);
  client.destroy();
}

Deno.test("the fault proxy makes every fault happen", async (t) => {
  const server = await startServer("pglite", { HEARTBEAT_MS: `${HEARTBEAT_MS}` });
  const proxy = await startFaultProxy(server.url);
  const { visitor, agent, conversation } = await cast(server);
  const conversationId = conversation.id;
  const me = { sessionId: visitor.sessionId };
  let sent = 0;
  const message = (clientMessageId = `m${++sent}`) => ({
    conversationId,
    content: clientMessageId,
    clientMessageId,
  });
  const stored = async (clientMessageId: string) => {
    const { body } = await call<{ items: Message[] }>(
      server,
      "GET",
      `/api/conversations/${conversationId}/messages?limit=100`,
      { token: agent.token },
    );
    return body.items.filter((one) => one.clientMessageId === clientMessageId).length;
  };

  await t.step("without a fault it changes nothing", async () => {
    const { client, link } = await through(proxy, me);
    await client.ack("message", message("plain"));
    assert.equal(await stored("plain"), 1);
    assert.ok(link.isLive);
    assert.ok(link.log.every((passed) => passed.forwarded));
    client.destroy();
    await link.over;
  });

  await t.step("drop resets both sides", async () => {
    const { client, link } = await through(proxy, me);
    link.drop();
    assert.deepEqual(await client.closed, { code: 1006, reason: "" });
    assert.equal(link.isLive, false);
  });

  await t.step("half-open: nothing arrives, nobody is told", async () => {
    const { client, link } = await through(proxy, me);
    link.halfOpen();
    await client.text(JSON.stringify({ type: "message", id: 9, data: message("lost") }));
    await heartbeats(server, me, 3);
    assert.equal(client.isClosed, false, "the client's side stays open");
    assert.equal(await stored("lost"), 0);
    assert.ok(!client.received.some((one) => one.id === 9));
    client.destroy();
  });

  await t.step("delay: everything comes, later and in order", async () => {
    const { client, link } = await through(proxy, me);
    link.delay(150);
    const start = performance.now();
    await Promise.all([1, 2, 3].map((n) => client.ack("message", message(`slow-${n}`))));
    assert.ok(performance.now() - start >= 290, "there and back");
    const order = link.log.filter((one) => one.direction === "down" && /"ack"/.test(one.text))
      .flatMap(({ text }) => [...text.matchAll(/"clientMessageId":"(slow-\d)"/g)].map((m) => m[1]));
    assert.deepEqual(order, ["slow-1", "slow-2", "slow-3"]);
    client.destroy();
  });

  await t.step("cut between commit and ack: it is stored and the sender cannot know", async () => {
    const { client, link } = await through(proxy, me);
    const cut = link.cutBeforeAck();
    await client.text(JSON.stringify({ type: "message", id: 7, data: message("cut") }));
    const answer = JSON.parse(await cut);
    assert.equal(answer.type, "ack");
    assert.equal((await client.closed).code, 1006);
    assert.ok(!client.received.some((one) => one.id === 7), "the ack never came");
    assert.equal(await stored("cut"), 1);
    const again = await through(proxy, me);
    const { duplicate } = await again.client.ack("message", message("cut"));
    assert.equal(duplicate, true);
    assert.equal(await stored("cut"), 1);
    again.client.destroy();
  });

  await t.step("suppressed pongs: messages pass, answers to pings do not", async () => {
    const { client, link } = await through(proxy, me);
    link.suppressPongs();
    await client.ack("message", message("alive"));
    const { code } = await client.closed;
    assert.equal(code, 1001, "the server misses the answers and ends it");
    const pongs = link.log.filter((one) => one.direction === "up" && one.opcode === OPCODE.pong);
    assert.ok(pongs.length > 0, "the client did answer");
    assert.ok(pongs.every((one) => !one.forwarded));
  });

  await t.step("duplicate: the server sees the frame twice and stores it once", async () => {
    const { client, link } = await through(proxy, me);
    const done = link.duplicate();
    const id = 77;
    await client.text(JSON.stringify({ type: "message", id, data: message("twice") }));
    await done;
    const answers = () => client.received.filter((one) => one.id === id);
    await client.until(() => answers().length === 2, "both answers");
    const duplicates = answers().map(({ data }) => (data as { duplicate: boolean }).duplicate);
    assert.deepEqual(duplicates, [false, true]);
    assert.equal(await stored("twice"), 1);
    client.destroy();
  });

  await t.step("lose: one event never comes, and the next shows the gap", async () => {
    const { client, link } = await through(proxy, me);
    const { seq } = await client.ack("join", { conversationId });
    const lost = link.lose();
    await client.ack("message", message("unseen"));
    await lost;
    await client.ack("message", message("seen"));
    const seqs = () =>
      client.received.filter(({ type }) => type === "message")
        .map(({ data }) => (data as Message).seq);
    await client.until(() => seqs().length > 0, "the next event");
    assert.deepEqual(seqs(), [seq + 2]);
    client.destroy();
  });

  await t.step("strand: an old connection's message arrives after a newer one", async () => {
    const first = await through(proxy, me);
    const stranded = first.link.strand();
    await first.client.text(JSON.stringify({ type: "message", id: 5, data: message("old") }));
    await stranded;
    assert.equal((await first.client.closed).code, 1006);
    assert.equal(await stored("old"), 0);
    const second = await through(proxy, me);
    const newer = await second.client.ack("message", message("newer"));
    await first.link.release();
    assert.equal(await stored("old"), 1);
    const { message: old, duplicate } = await second.client.ack("message", message("old"));
    assert.equal(duplicate, true);
    assert.ok(old.seq > newer.message.seq, "it came later than what was sent later");
    second.client.destroy();
  });

  await t.step("the server lets go of every connection that the faults left behind", async () => {
    const left = await eventually(
      () => connectionCount(server),
      (count) => count === 0,
      20 * HEARTBEAT_MS,
    );
    assert.equal(left, 0);
  });

  await proxy.close();
  await server.close();
});
