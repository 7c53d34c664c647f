/** A restart under a thousand connected people: announced, spread, and nothing lost. */
import assert from "node:assert/strict";
import type { Conversation, Message } from "../protocol/model.ts";
import type { JoinResult } from "../protocol/native.ts";
import { eventually, health } from "./faults/health.ts";
import { connectRaw, HandshakeError, openRaw, type RawClient } from "./faults/raw_client.ts";
import { type ServerProcess, startServerProcess, UNLIMITED } from "./faults/server_process.ts";
import { call, login, openSession, widgetKey } from "./support/http.ts";

const VISITORS = 100;
const TABS = 10;
const CLIENTS = VISITORS * TABS;
const DRAIN_MS = 1000;
/** Sockets that are opened at the same time. */
const AT_ONCE = 50;
const PATIENCE_MS = 30_000;

/** One of a visitor's tabs: a client with a connection and a position of its own. */
interface Tab {
  name: string;
  sessionId: string;
  client: RawClient;
  conversationId: string;
  epoch: string;
  seq: number;
  /** Messages, and whether each was acknowledged. */
  sent: { clientMessageId: string; acked: boolean }[];
}

/** Runs the work for every item, some at a time. */
async function each<T, R>(items: readonly T[], work: (item: T, n: number) => Promise<R>) {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const part = items.slice(at, at + AT_ONCE);
    results.push(...await Promise.all(part.map((item, n) => work(item, at + n))));
  }
  return results;
}

async function admit(server: ServerProcess, key: string, n: number): Promise<Tab[]> {
  const { sessionId } = await openSession(server as never, key);
  const { body } = await call<Conversation>(server, "POST", "/api/conversations", {
    token: sessionId,
    body: {},
  });
  const conversationId = body.id;
  const tabs: Tab[] = [];
  for (let tab = 0; tab < TABS; tab++) {
    const client = await connectRaw(server.url, { sessionId });
    const { epoch, seq } = await client.ack("join", { conversationId }, PATIENCE_MS);
    tabs.push({ name: `${n}-${tab}`, sessionId, client, conversationId, epoch, seq, sent: [] });
  }
  return tabs;
}

/** Sends without waiting; the ack counts when it comes. */
function write({ name, client, conversationId, sent }: Tab): void {
  const clientMessageId = `${name}-${sent.length}`;
  const entry = { clientMessageId, acked: false };
  sent.push(entry);
  client.ask("message", { conversationId, content: "Under way", clientMessageId }, PATIENCE_MS)
    .then(({ type }) => void (entry.acked = type === "ack"), () => {});
}

/** What a tab had received when its connection ended. */
function positionOf({ client, seq }: Tab): number {
  const seqs = client.received.filter(({ type }) => type === "message")
    .map(({ data }) => (data as Message).seq);
  assert.deepEqual(seqs, seqs.map((_, i) => seq + 1 + i), "live events have no gap");
  return seqs.at(-1) ?? seq;
}

async function checkGoodbye(clients: RawClient[]): Promise<void> {
  const delays: number[] = [];
  for (const { closed, received } of clients) {
    assert.deepEqual(await closed, { code: 3001, reason: "Server is restarting" });
    const news = received.filter(({ type }) => type === "reconnect");
    assert.equal(news.length, 1, "told once, before the close");
    delays.push((news[0]!.data as { retryAfter: number }).retryAfter);
  }
  assert.ok(delays.every((ms) => Number.isInteger(ms) && ms >= 0 && ms <= DRAIN_MS));
  // A thousand random times of a thousand milliseconds: far from all the same, and no crowd.
  assert.ok(new Set(delays).size > CLIENTS / 3, "each has a delay of their own");
  const early = delays.filter((ms) => ms < DRAIN_MS / 2).length;
  assert.ok(early > CLIENTS / 4 && early < CLIENTS * 3 / 4, `${early} in the first half`);
}

/** As a client does it: recover from the last position, then send again what was not acknowledged. */
async function comeBack(server: ServerProcess, tab: Tab): Promise<void> {
  const { sessionId, conversationId, epoch, sent } = tab;
  const seq = positionOf(tab);
  const client = tab.client = await connectRaw(server.url, { sessionId });
  const missed: JoinResult = await client.ack("join", { conversationId, epoch, seq }, PATIENCE_MS);
  assert.equal(missed.recovered, true);
  assert.deepEqual(
    missed.events.map(({ data }) => data.seq - seq),
    missed.events.map((_, i) => i + 1),
  );
  for (const { clientMessageId, acked } of sent) {
    if (acked) continue;
    const message = { conversationId, content: "Under way", clientMessageId };
    await client.ack("message", message, PATIENCE_MS);
  }
}

/** Every message of every tab is in the log, once, each tab's in the order of writing. */
async function checkLog(tabs: Tab[]): Promise<void> {
  const { client, conversationId, epoch } = tabs[0]!;
  const log: JoinResult = await client.ack("join", { conversationId, epoch, seq: 0 }, PATIENCE_MS);
  assert.deepEqual(log.events.map(({ data }) => data.seq), log.events.map((_, i) => i + 1));
  const stored = log.events.map(({ data }) => (data as Message).clientMessageId!);
  assert.equal(stored.length, tabs.flatMap(({ sent }) => sent).length);
  for (const { name, sent } of tabs) {
    assert.deepEqual(
      stored.filter((id) => id.startsWith(`${name}-`)),
      sent.map(({ clientMessageId }) => clientMessageId),
    );
  }
}

Deno.test("a restart is announced and loses nothing for 1,000 clients", async () => {
  const server = await startServerProcess("pglite", { ...UNLIMITED, DRAIN_MS: `${DRAIN_MS}` });
  let tabs: Tab[] = [];
  try {
    const agent = await login(server as never);
    const key = await widgetKey(server as never, agent.token);
    const numbers = Array.from({ length: VISITORS }, (_, n) => n);
    const visitors = await each(numbers, (n) => admit(server, key, n));
    tabs = visitors.flat();
    const silent = await openRaw(server.url);
    assert.equal((await call(server, "GET", "/ready")).status, 200);
    assert.equal((await health(server)).services.websocket.connections, CLIENTS + 1);

    for (const tab of tabs) write(tab);
    const ended = server.ended;
    server.signal("SIGTERM");
    const ready = await eventually(
      () => call(server, "GET", "/ready"),
      ({ status }) => status === 503,
      PATIENCE_MS,
      10,
    );
    assert.deepEqual([ready.status, ready.body], [503, {
      ready: false,
      missing: ["The server is stopping"],
    }]);
    const refusal = await openRaw(server.url).then(() => null, (error) => error);
    if (refusal instanceof HandshakeError) {
      assert.equal(refusal.status, 503);
      assert.match(refusal.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    } else {
      // On a machine that is very busy it is over by now, and nobody answers at all.
      assert.ok(refusal instanceof Error, "a new socket is not let in");
      await assert.rejects(fetch(`${server.url}/live`));
    }
    // Whoever is still connected is still served.
    for (const tab of tabs) if (!tab.client.isClosed) write(tab);

    assert.equal(await ended, 0);
    await checkGoodbye(tabs.map(({ client }) => client));
    assert.equal((await silent.closed).code, 3001);
    const acked = tabs.flatMap(({ sent }) => sent).filter((one) => one.acked).length;
    // They were sent in the turn of the signal or after it; how many depends on the machine.
    assert.ok(acked > 0, "some were acknowledged in the last moment");

    await server.start();
    await each(tabs, (tab) => comeBack(server, tab));
    await each(visitors, checkLog);
    assert.deepEqual(server.errors, []);
  } finally {
    for (const { client } of tabs) client.destroy();
    await server.close();
  }
});
