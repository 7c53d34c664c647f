/** The contract of every broker. */
import assert from "node:assert/strict";
import { openPostgresBroker } from "../tests/support/broker_log.ts";
import { makeDatabase } from "../tests/support/server.ts";
import { REDIS_URL, type Service, testWith } from "../tests/support/services.ts";
import type { Broadcast, Broker } from "./broker.ts";
import { createChannelBroker } from "./broker_channel.ts";
import { createMemoryBroker } from "./broker_memory.ts";
import { createRedisBroker } from "./broker_redis.ts";

interface Kind {
  name: string;
  services: Service[];
  /** A node of the installation `name`. */
  open(name: string, node: string, errors: unknown[]): Promise<Broker> | Broker;
}

/** All Postgres brokers of this file share one database, created on first use. */
let database: ReturnType<typeof makeDatabase> | null = null;
Deno.test.afterAll(async () => await (await database)?.drop());

const KINDS: Kind[] = [
  {
    name: "channel",
    services: [],
    open: (name, node, errors) =>
      createChannelBroker({ name, node, maxKept: 1 << 22, onError: (e) => errors.push(e) }),
  },
  {
    name: "redis",
    services: ["redis"],
    open: (name, node, errors) =>
      createRedisBroker({
        url: REDIS_URL,
        name,
        node,
        maxWaiting: 1 << 24,
        onError: (e) => errors.push(e),
      }),
  },
  {
    name: "postgres",
    services: ["postgres"],
    async open(name, node, errors) {
      const { url } = await (database ??= makeDatabase());
      const onError = (error: unknown) => errors.push(error);
      return openPostgresBroker({ url, name, node, maxKept: 1 << 24, onError });
    },
  },
];

/** A broker and what it delivered. */
class Node {
  readonly broadcasts: Broadcast[] = [];
  readonly messages: unknown[] = [];
  gaps = 0;
  #waiters: (() => void)[] = [];

  constructor(readonly broker: Broker) {
    const wake = () => this.#waiters.splice(0).forEach((waiter) => waiter());
    broker.onBroadcast((broadcast) => {
      this.broadcasts.push(broadcast);
      wake();
    });
    broker.onNodeMessage((message) => {
      this.messages.push(message);
      wake();
    });
    broker.onGap(() => {
      this.gaps++;
      wake();
    });
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#waiters.push(resolve)),
        new Promise<void>((resolve) => timer = setTimeout(resolve, 1000)),
      ]);
      clearTimeout(timer);
    }
  }

  seqs(room?: string): number[] {
    return this.broadcasts.filter((one) => room === undefined || one.room === room).map(seqOf);
  }
}

function broadcast(room: string, seq: number, text = ""): Broadcast {
  const event = {
    type: "message_deleted",
    timestamp: "2026-01-01T00:00:00.000Z",
    data: { conversationId: room, seq, messageId: text, deletedAt: "2026-01-01T00:00:00.000Z" },
  } as const;
  return { room, forAgents: event, forVisitors: null, exceptUser: "u" };
}

const seqOf = ({ forAgents }: Broadcast) => (forAgents!.data as { seq: number }).seq;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Runs with `count` nodes, and closes them. Fails if one of them reported an error. */
async function withNodes(
  kind: Kind,
  count: number,
  fn: (nodes: Node[], more: (node: string) => Promise<Node>) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const name = crypto.randomUUID();
  const nodes: Node[] = [];
  const more = async (node: string) => {
    const made = new Node(await kind.open(name, node, errors));
    nodes.push(made);
    return made;
  };
  try {
    for (let i = 0; i < count; i++) await more(`node-${i}`);
    await fn(nodes.slice(0, count), more);
    assert.deepEqual(errors, []);
  } finally {
    for (const { broker } of nodes) await broker.close();
  }
}

/** Each node has received the other's last message, and so everything that was published before. */
async function exchangeMessages(...nodes: Node[]): Promise<void> {
  const mark = crypto.randomUUID();
  for (const { broker } of nodes) broker.publishToNodes(mark);
  for (const node of nodes) {
    const others = nodes.length - 1;
    await node.until(() => node.messages.filter((one) => one === mark).length === others, "a mark");
  }
}

Deno.test("[memory] a single node receives its own broadcasts at once, and only for its rooms", async () => {
  const node = new Node(createMemoryBroker());
  assert.equal(node.broker.isSingleNode, true);
  assert.equal(node.broker.subscribe("a"), undefined);
  node.broker.publish(broadcast("a", 1));
  node.broker.publish(broadcast("b", 2));
  assert.deepEqual(node.seqs(), [1]);
  node.broker.unsubscribe("a");
  node.broker.publish(broadcast("a", 3));
  assert.deepEqual(node.seqs(), [1]);
  await node.broker.close();
});

for (const kind of KINDS) {
  const test = (name: string, fn: () => Promise<void>) =>
    testWith(kind.services, `[${kind.name}] ${name}`, fn);

  test("own broadcasts arrive in the same turn, those of other nodes unchanged", () =>
    withNodes(kind, 2, async ([a, b]) => {
      assert.equal(a!.broker.isSingleNode, false);
      await Promise.all([a!.broker.subscribe("r"), b!.broker.subscribe("r")]);
      const sent = broadcast("r", 1, 'ä \u{1F600} \u2028 " \n');
      a!.broker.publish(sent);
      assert.deepEqual(a!.broadcasts, [sent]);
      await b!.until(() => b!.broadcasts.length === 1, "the broadcast");
      await exchangeMessages(a!, b!);
      assert.deepEqual(b!.broadcasts, [sent]);
      assert.deepEqual(a!.broadcasts, [sent], "it does not come back");
    }));

  test("each room's broadcasts arrive in order, once, from every publisher", () =>
    withNodes(kind, 3, async (nodes) => {
      const rooms = ["x", "y"];
      for (const { broker } of nodes) for (const room of rooms) await broker.subscribe(room);
      for (let seq = 1; seq <= 300; seq++) {
        nodes.forEach(({ broker }, n) => {
          for (const room of rooms) broker.publish(broadcast(room, n * 1000 + seq));
        });
        if (seq % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await exchangeMessages(...nodes);
      for (const node of nodes) {
        for (const room of rooms) {
          const seqs = node.seqs(room);
          for (const n of nodes.keys()) {
            const of = seqs.filter((seq) => Math.floor(seq / 1000) === n);
            assert.deepEqual(of, range(n * 1000 + 1, n * 1000 + 300));
          }
        }
        assert.equal(node.gaps, 0);
      }
    }));

  test("only broadcasts to subscribed rooms arrive; unsubscribing and subscribing again take effect", () =>
    withNodes(kind, 2, async ([a, b]) => {
      a!.broker.publish(broadcast("r", 1));
      await exchangeMessages(a!, b!);
      await b!.broker.subscribe("r");
      a!.broker.publish(broadcast("r", 2));
      a!.broker.publish(broadcast("other", 3));
      await exchangeMessages(a!, b!);
      b!.broker.unsubscribe("r");
      await exchangeMessages(a!, b!);
      a!.broker.publish(broadcast("r", 4));
      await exchangeMessages(a!, b!);
      b!.broker.unsubscribe("r");
      await b!.broker.subscribe("r");
      b!.broker.unsubscribe("r");
      await b!.broker.subscribe("r");
      a!.broker.publish(broadcast("r", 5));
      await exchangeMessages(a!, b!);
      assert.deepEqual(b!.seqs(), [2, 5]);
      assert.deepEqual(a!.seqs(), []);
    }));

  test("node messages arrive in order with broadcasts, and only at other nodes", () =>
    withNodes(kind, 3, async (nodes) => {
      const [a, b, c] = nodes;
      const messages = range(1, 200).map((n) => ({ n, deep: { list: [null, true, "x"] } }));
      for (const message of messages) a!.broker.publishToNodes(message);
      await exchangeMessages(...nodes);
      const plain = (node: Node) => node.messages.filter((one) => typeof one === "object");
      assert.deepEqual(plain(b!), messages);
      assert.deepEqual(plain(c!), messages);
      assert.deepEqual(plain(a!), []);
    }));

  test("large payloads arrive complete", () =>
    withNodes(kind, 2, async ([a, b]) => {
      await b!.broker.subscribe("r");
      const text = "0123456789abcdef".repeat(65_536);
      a!.broker.publish(broadcast("r", 1, text));
      a!.broker.publish(broadcast("r", 2, "small"));
      await b!.until(() => b!.broadcasts.length === 2, "both");
      assert.deepEqual(b!.broadcasts, [broadcast("r", 1, text), broadcast("r", 2, "small")]);
    }));

  test("thousands of rooms are kept apart", () =>
    withNodes(kind, 2, async ([a, b]) => {
      const rooms = range(1, 3000).map((n) => `conversation:${n}`);
      // In groups: a subscription that Redis answers after more than a second is a gap.
      for (let i = 0; i < rooms.length; i += 100) {
        await Promise.all(rooms.slice(i, i + 100).map((room) => b!.broker.subscribe(room)));
      }
      rooms.forEach((room, i) => a!.broker.publish(broadcast(room, i)));
      for (const room of rooms.slice(0, 1500)) b!.broker.unsubscribe(room);
      await exchangeMessages(a!, b!);
      const before = b!.broadcasts.length;
      rooms.forEach((room, i) => a!.broker.publish(broadcast(room, i)));
      await exchangeMessages(a!, b!);
      const after = b!.broadcasts.slice(before);
      assert.deepEqual(after.map(({ room }) => room), rooms.slice(1500));
      assert.deepEqual(after.map(seqOf), range(1500, 2999));
      assert.equal(b!.gaps, 0);
    }));

  test("installations with different names do not receive each other's messages", () =>
    withNodes(kind, 1, ([a]) =>
      withNodes(kind, 1, async ([b]) => {
        await a!.broker.subscribe("r");
        await b!.broker.subscribe("r");
        b!.broker.publish(broadcast("r", 1));
        b!.broker.publishToNodes("hello");
        await withNodes(kind, 2, ([c, d]) => exchangeMessages(c!, d!));
        assert.deepEqual([a!.broadcasts, a!.messages], [[], []]);
      })));

  test("a closed node has sent everything, and receives nothing more", () =>
    withNodes(kind, 3, async ([a, b, c]) => {
      await a!.broker.subscribe("r");
      await b!.broker.subscribe("r");
      for (const seq of range(1, 100)) a!.broker.publish(broadcast("r", seq));
      await a!.broker.close();
      await a!.broker.close();
      await b!.until(() => b!.broadcasts.length === 100, "what was sent before the end");
      const broadcasts = a!.broadcasts.length;
      b!.broker.publish(broadcast("r", 101));
      a!.broker.publish(broadcast("r", 102));
      a!.broker.publishToNodes("late");
      await exchangeMessages(b!, c!);
      assert.deepEqual(b!.seqs(), range(1, 101));
      assert.ok(!b!.messages.includes("late"));
      assert.equal(a!.broadcasts.length, broadcasts);
    }));

  test("a listener that throws is reported and does not stop the others", async () => {
    const errors: unknown[] = [];
    const name = crypto.randomUUID();
    const a = new Node(await kind.open(name, "a", errors));
    const b = new Node(await kind.open(name, "b", errors));
    await b.broker.subscribe("r");
    const broadcasts: number[] = [];
    b.broker.onBroadcast((one) => {
      broadcasts.push(seqOf(one));
      if (broadcasts.length === 1) throw new Error("boom");
    });
    a.broker.publish(broadcast("r", 1));
    a.broker.publish(broadcast("r", 2));
    await exchangeMessages(a, b);
    assert.deepEqual(broadcasts, [1, 2]);
    assert.equal(errors.length, 1);
    await a.broker.close();
    await b.broker.close();
  });
}
