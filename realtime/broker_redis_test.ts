import assert from "node:assert/strict";
import { REDIS_URL, testWith } from "../tests/support/services.ts";
import { openTcpProxy, type TcpProxy } from "../tests/support/tcp_proxy.ts";
import type { Broker } from "./broker.ts";
import { createRedisBroker } from "./broker_redis.ts";

const redis = {
  hostname: new URL(REDIS_URL).hostname,
  port: Number(new URL(REDIS_URL).port || 6379),
};

/** `near` reaches Redis directly, `far` through a proxy. */
async function withTwo(
  fn: (near: Broker, far: Broker, proxy: TcpProxy) => Promise<void>,
  maxWaiting = 1 << 20,
): Promise<void> {
  const proxy = openTcpProxy(redis);
  const common = {
    name: crypto.randomUUID(),
    maxWaiting,
    onError(error: unknown) {
      throw error;
    },
    onLost: () => {},
    onBack: () => {},
    pingMs: 100,
  };
  const near = await createRedisBroker({ ...common, url: REDIS_URL, node: "near" });
  const url = `redis://127.0.0.1:${proxy.port}`;
  const far = await createRedisBroker({ ...common, url, node: "far" });
  try {
    await fn(near, far, proxy);
  } finally {
    await near.close();
    await far.close();
    proxy.close();
  }
}

const event = (room: string, n: number) => ({
  room,
  forAgents: null,
  forVisitors: null,
  exceptUser: `${n}`,
});

const gapOf = (broker: Broker) => new Promise<void>((resolve) => broker.onGap(resolve));

testWith(
  ["redis"],
  "a lost connection is told when rooms are subscribed to again",
  () =>
    withTwo(async (near, far, proxy) => {
      const heard: string[] = [];
      const bothHeard = Promise.withResolvers<void>();
      far.onBroadcast(({ room, exceptUser }) => {
        heard.push(`${room} ${exceptUser}`);
        if (heard.length === 2) bothHeard.resolve();
      });
      await far.subscribe("kept");
      const gap = gapOf(far);
      proxy.shut();
      near.publish(event("kept", 1));
      // While the connection is lost nothing waits, because a gap will be reported.
      await far.subscribe("new");
      proxy.open();
      await gap;
      near.publish(event("kept", 2));
      near.publish(event("new", 3));
      await bothHeard.promise;
      assert.deepEqual(heard, ["kept 2", "new 3"]);
    }),
);

testWith(
  ["redis"],
  "a publisher that lost something tells the others when it is back",
  () =>
    withTwo(async (near, far, proxy) => {
      const heard: string[] = [];
      near.onBroadcast(({ exceptUser }) => heard.push(exceptUser!));
      await near.subscribe("r");
      const gap = gapOf(near);
      proxy.shut();
      far.publish(event("r", 1));
      proxy.open();
      await gap;
      assert.deepEqual(heard, []);
      const { outages, dropped } = far.stats!;
      assert.deepEqual([outages, dropped >= 1], [1, true]);
    }),
);

testWith(
  ["redis"],
  "a connection that is silently dead is noticed and replaced",
  () =>
    withTwo(async (near, far, proxy) => {
      const heard = Promise.withResolvers<string>();
      far.onBroadcast(({ exceptUser }) => heard.resolve(exceptUser!));
      await far.subscribe("r");
      const gap = gapOf(far);
      proxy.freeze(true);
      near.publish(event("r", 1));
      // The open connections stay dead; new ones work.
      const timer = setTimeout(() => proxy.freeze(false), 1000);
      await gap;
      clearTimeout(timer);
      near.publish(event("r", 2));
      assert.equal(await heard.promise, "2");
    }),
);

testWith(
  ["redis"],
  "what waits for Redis is bounded, and what is dropped is told",
  () =>
    withTwo(async (near, far, proxy) => {
      const gap = gapOf(near);
      await near.subscribe("r");
      proxy.freeze(true);
      const text = "x".repeat(1000);
      for (let n = 0; n < 200; n++) far.publish({ ...event("r", n), room: `r ${text}` });
      assert.ok(far.stats!.dropped > 100, `${far.stats!.dropped} were dropped`);
      proxy.freeze(false);
      await gap;
    }, 65_536),
);
