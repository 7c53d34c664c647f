/** A node while its Redis fails. It runs in a worker, so that an endless loop is a failed test. */
import assert from "node:assert/strict";
import { type RedisServer, startRedisServer } from "../tests/faults/redis_server.ts";
import { testWith } from "../tests/support/services.ts";
import type { Broker } from "./broker.ts";
import { createRedisBroker, RedisRefusedError } from "./broker_redis.ts";

const PING_MS = 100;
const STABLE_MS = 300;
const DEADLINE_MS = 20_000;

interface Report {
  /** Its own broadcasts that it delivered to itself: one each millisecond. */
  own: number;
  /** The last broadcast that it received from the other node. */
  heard: number;
  connected: boolean;
  gaps: number;
  lost: string[];
  back: number;
  /** Bytes of the process. */
  memory: number;
}

/** A node that publishes all the time, and reports its state every 20 ms. */
class BusyNode {
  readonly worker: Worker;
  report: Report = { own: 0, heard: 0, connected: false, gaps: 0, lost: [], back: 0, memory: 0 };
  failure: string | null = null;
  #wake = Promise.withResolvers<void>();

  constructor(url: string, name: string) {
    const code = `
      import { createRedisBroker } from ${JSON.stringify(import.meta.resolve("./broker_redis.ts"))};
      const report = ${JSON.stringify(this.report)};
      const broker = await createRedisBroker({
        url: ${JSON.stringify(url)}, name: ${JSON.stringify(name)}, node: "busy",
        maxWaiting: 1 << 20, pingMs: ${PING_MS}, stableMs: ${STABLE_MS}, onError: (error) => { throw error; },
        onLost: (host, reason) => report.lost.push(reason), onBack: () => report.back++,
      });
      broker.onGap(() => report.gaps++);
      broker.onBroadcast(({ room, exceptUser }) => {
        if (room === "busy") report.own++;
        else report.heard = Number(exceptUser);
      });
      broker.subscribe("busy");
      await broker.subscribe("other");
      const event = { room: "busy", forAgents: null, forVisitors: null, exceptUser: "x".repeat(200) };
      setInterval(() => broker.publish(event), 1);
      setInterval(() => {
        const memory = Deno.memoryUsage().rss;
        self.postMessage({ ...report, connected: broker.connected, memory });
      }, 20);
    `;
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.worker = new Worker(address, { type: "module" });
    URL.revokeObjectURL(address);
    this.worker.onmessage = ({ data }) => {
      this.report = data;
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.failure = event.message;
      this.#wake.resolve();
    };
  }

  /** Fails if that does not happen, or if the node does not report any more. */
  async until(holds: (report: Report) => boolean, what: string): Promise<Report> {
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      deadline.reject(new Error(`Waited in vain for ${what}: ${JSON.stringify(this.report)}`));
    }, DEADLINE_MS);
    try {
      while (!holds(this.report)) {
        if (this.failure !== null) throw new Error(this.failure);
        await Promise.race([this.#wake.promise, deadline.promise]);
      }
      return this.report;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its own broadcasts continue. */
  async turns(): Promise<void> {
    const { own } = this.report;
    await this.until((report) => report.own > own + 50, "its own broadcasts");
  }
}

interface Stage {
  redis: RedisServer;
  busy: BusyNode;
  near: Broker;
  /** The busy node receives the other's broadcasts again, and a gap was reported. */
  isWell(): Promise<void>;
}

async function withStage(fn: (stage: Stage) => Promise<void>): Promise<void> {
  const redis = await startRedisServer();
  const name = crypto.randomUUID();
  const busy = new BusyNode(redis.url, name);
  const near = await createRedisBroker({
    url: redis.url,
    name,
    node: "near",
    maxWaiting: 1 << 20,
    pingMs: PING_MS,
    onError: (error) => {
      throw error;
    },
    onLost: () => {},
    onBack: () => {},
  });
  let said = 0;
  const speaking = setInterval(() => {
    near.publish({ room: "other", forAgents: null, forVisitors: null, exceptUser: `${++said}` });
  }, 5);
  try {
    await busy.until(({ heard, connected }) => heard > 0 && connected, "the first broadcast");
    await fn({
      redis,
      busy,
      near,
      async isWell() {
        const now = said;
        await busy.until(
          ({ heard, connected, lost, back }) => heard > now && connected && lost.length === back,
          "the recovery",
        );
      },
    });
  } finally {
    clearInterval(speaking);
    busy.worker.terminate();
    await near.close();
    await redis.close();
  }
}

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Act = (redis: RedisServer) => Promise<unknown> | void;

/** [name, how it starts, how it ends] */
const FAULTS: [string, Act, Act][] = [
  ["frozen", (redis) => redis.freeze(), (redis) => redis.thaw()],
  ["stopped", (redis) => redis.stop(), (redis) => redis.start()],
  [
    "refusing to publish",
    (redis) => redis.command("ACL", "SETUSER", "default", "-publish"),
    (redis) => redis.command("ACL", "SETUSER", "default", "+publish"),
  ],
  [
    "refusing to subscribe",
    async (redis) => {
      await redis.command("ACL", "SETUSER", "default", "-subscribe");
      await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
    },
    (redis) => redis.command("ACL", "SETUSER", "default", "+subscribe"),
  ],
  [
    "asking for a password",
    async (redis) => {
      await redis.command("CONFIG", "SET", "requirepass", "secret");
      redis.password = "secret";
      await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
      await redis.command("CLIENT", "KILL", "TYPE", "normal");
    },
    async (redis) => {
      await redis.command("CONFIG", "SET", "requirepass", "");
      redis.password = "";
    },
  ],
];

testWith(
  ["redis-server"],
  "a node goes on while its Redis is ill, and heals by itself",
  (t) =>
    withStage(async ({ redis, busy, isWell }) => {
      for (const [name, begin, end] of FAULTS) {
        const passed = await t.step(name, async () => {
          const before = busy.report;
          await begin(redis);
          await busy.until(
            ({ lost, connected }) => lost.length > before.lost.length && !connected,
            "the outage",
          );
          for (let i = 0; i < 4; i++) await busy.turns();
          assert.ok(busy.report.memory - before.memory < 200e6, "what waits is bounded");
          await end(redis);
          await isWell();
          const { lost, back, gaps } = busy.report;
          assert.equal(lost.length, before.lost.length + 1, `one line for it: ${lost.join("; ")}`);
          assert.equal(back, before.back + 1, "one line for its end");
          assert.ok(gaps > before.gaps || name === "refusing to publish", "a gap is told");
        });
        if (!passed) break;
      }
    }),
);

testWith(
  ["redis-server"],
  "connections that are ended again and again are one outage",
  () =>
    withStage(async ({ redis, busy, isWell }) => {
      for (let i = 0; i < 10; i++) {
        await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        await redis.command("CLIENT", "KILL", "TYPE", "normal");
        await busy.turns();
      }
      await isWell();
      assert.ok(busy.report.gaps >= 1);
    }),
);

testWith(["redis-server"], "a node starts without its Redis, and finds it later", async () => {
  const redis = await startRedisServer();
  await redis.stop();
  const lost: string[] = [];
  const back = Promise.withResolvers<void>();
  const open = (node: string) =>
    createRedisBroker({
      url: redis.url,
      name: "late",
      node,
      maxWaiting: 1 << 20,
      pingMs: PING_MS,
      onError: (error) => lost.push(`error: ${error}`),
      onLost: (host, reason) => lost.push(`${host}: ${reason}`),
      onBack: () => back.resolve(),
    });
  const late = await open("late");
  try {
    assert.equal(late.connected, false);
    const own: string[] = [];
    const heard = Promise.withResolvers<void>();
    late.onBroadcast(({ exceptUser }) => {
      own.push(exceptUser!);
      if (exceptUser === "theirs") heard.resolve();
    });
    assert.equal(late.subscribe("r"), undefined, "joining does not wait");
    const event = { room: "r", forAgents: null, forVisitors: null };
    late.publish({ ...event, exceptUser: "own" });
    assert.deepEqual(own, ["own"]);
    await rest(300);
    const gap = new Promise<void>((resolve) => late.onGap(resolve));
    await redis.start();
    await gap;
    await back.promise;
    assert.equal(late.connected, true);
    assert.deepEqual(lost.length, 1);
    assert.match(lost[0]!, /^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    const near = await open("near");
    near.publish({ ...event, exceptUser: "theirs" });
    await heard.promise;
    await near.close();
  } finally {
    await late.close();
    await redis.close();
  }
});

testWith(["redis-server"], "a frozen Redis does not hold a start up", async () => {
  const redis = await startRedisServer();
  redis.freeze();
  const common = { url: redis.url, name: "x", maxWaiting: 1 << 20, onError: () => {} };
  const lost: string[] = [];
  const broker = await createRedisBroker({
    ...common,
    node: "x",
    onLost: (_, reason) => lost.push(reason),
    onBack: () => {},
  });
  assert.equal(broker.connected, false);
  assert.deepEqual(lost, ["it does not answer"]);
  redis.thaw();
  await new Promise<void>((resolve) => broker.onGap(resolve));
  assert.equal(broker.connected, true);
  await broker.close();
  await redis.close();
});

testWith(["redis-server"], "a Redis that refuses the URL says so, without the secret", async () => {
  const redis = await startRedisServer();
  await redis.command("CONFIG", "SET", "requirepass", "right");
  const address = `127.0.0.1:${redis.port}`;
  try {
    for (
      const [url, reason] of [
        [`redis://:wrong-secret@${address}`, /WRONGPASS/],
        [`redis://${address}`, /NOAUTH/],
        [`redis://:right@${address}/99`, /DB index is out of range/],
      ] as const
    ) {
      const opening = createRedisBroker({
        url,
        name: "x",
        node: "x",
        maxWaiting: 1 << 20,
        onError: () => {},
      });
      await assert.rejects(opening, (error: Error) => {
        assert.ok(error instanceof RedisRefusedError);
        assert.match(error.message, reason);
        assert.ok(error.message.startsWith(`Cannot use Redis at "${address}": `), error.message);
        assert.ok(!error.message.includes("secret"));
        return true;
      });
    }
  } finally {
    await redis.close();
  }
});

testWith(
  ["redis-server"],
  "what is too large to wait is dropped, and the others told",
  () =>
    withStage(async ({ near, busy }) => {
      const { gaps } = busy.report;
      near.publish({
        room: "x".repeat(1 << 20),
        forAgents: null,
        forVisitors: null,
      });
      await busy.until((report) => report.gaps > gaps, "the gap");
    }),
);
