import assert from "node:assert/strict";
import pg from "pg";
import { openPostgresBroker } from "../tests/support/broker_log.ts";
import { makeDatabase } from "../tests/support/server.ts";
import { POSTGRES_URL, testWith } from "../tests/support/services.ts";
import { openTcpProxy, type TcpProxy } from "../tests/support/tcp_proxy.ts";
import type { Broker } from "./broker.ts";
import type { LogTimes } from "./broker_log.ts";

interface Two {
  /** Reaches the database directly. */
  near: Broker;
  /** Reaches it through the proxy. */
  far: Broker;
  proxy: TcpProxy;
  errors: Error[];
  /** On the same database. */
  query(text: string): Promise<Record<string, unknown>[]>;
}

let database: ReturnType<typeof makeDatabase> | null = null;
Deno.test.afterAll(async () => await (await database)?.drop());

interface Options {
  maxKept?: number;
  times?: Partial<LogTimes>;
  /** Another database, whose notifications are not those of the log. */
  deaf?: boolean;
}

async function withTwo(fn: (two: Two) => Promise<void>, options: Options = {}): Promise<void> {
  const { maxKept = 1 << 20, times, deaf = false } = options;
  const url = new URL((await (database ??= makeDatabase())).url);
  const proxy = openTcpProxy({ hostname: url.hostname, port: Number(url.port || 5432) });
  const farUrl = new URL(url);
  farUrl.hostname = "127.0.0.1";
  farUrl.port = `${proxy.port}`;
  const errors: Error[] = [];
  const onError = (error: unknown) => errors.push(error as Error);
  const common = { name: crypto.randomUUID(), maxKept, times, onError };
  const listenUrl = deaf ? POSTGRES_URL : undefined;
  const near = await openPostgresBroker({ ...common, listenUrl, url: url.href, node: "near" });
  const far = await openPostgresBroker({ ...common, listenUrl, url: farUrl.href, node: "far" });
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const query = async (text: string) => (await client.query(text)).rows;
  try {
    await fn({ near, far, proxy, errors, query });
  } finally {
    await near.close();
    await far.close();
    await client.end();
    proxy.close();
  }
}

const postgres = (name: string, fn: () => Promise<void>) => testWith(["postgres"], name, fn);

const event = (n: number, text = "") => ({
  room: "r",
  forAgents: null,
  forVisitors: null,
  exceptUser: `${n}`,
  exceptConnection: text,
});

/** What a broker delivers for the room, and a promise that something was delivered. */
function hearing(broker: Broker) {
  const heard: number[] = [];
  let gaps = 0;
  let wake = () => {};
  broker.subscribe("r");
  broker.onBroadcast(({ exceptUser }) => {
    heard.push(Number(exceptUser));
    wake();
  });
  broker.onGap(() => {
    gaps++;
    wake();
  });
  return {
    heard,
    gaps: () => gaps,
    async until(holds: () => boolean): Promise<void> {
      const deadline = Date.now() + 20_000;
      while (!holds()) {
        if (Date.now() > deadline) {
          throw new Error(`Waited in vain, having heard ${heard} and ${gaps} gaps`);
        }
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, 50);
        });
        clearTimeout(timer);
      }
    },
  };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

postgres(
  "an outage that the log outlives loses nothing, and is no gap",
  () =>
    withTwo(async ({ near, far, proxy, errors }) => {
      const here = hearing(near);
      const there = hearing(far);
      far.publish(event(1));
      near.publish(event(1));
      await here.until(() => here.heard.length === 2);
      await there.until(() => there.heard.length === 2);
      proxy.shut();
      far.publish(event(2));
      assert.deepEqual(there.heard, [1, 1, 2], "on the node itself it goes on");
      near.publish(event(2));
      await there.until(() => !far.connected);
      assert.equal(near.connected, true);
      proxy.open();
      await there.until(() => far.connected && there.heard.length === 4);
      await here.until(() => here.heard.length === 4);
      assert.deepEqual([here.gaps(), there.gaps()], [0, 0]);
      assert.equal(errors.length, 1, "the outage is reported once");
      assert.equal(far.stats!.outages, 1);
    }),
);

postgres(
  "connections that break at any moment neither lose nor repeat anything",
  () =>
    withTwo(async ({ near, far, query }) => {
      const here = hearing(near);
      const own = (await query("select pg_backend_pid() as pid"))[0]!.pid;
      for (const n of range(200)) {
        far.publish(event(n));
        if (n % 20 === 0) {
          await query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> ${own}`);
        }
        if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await here.until(() => here.heard.length >= 200);
      assert.deepEqual(here.heard, range(200));
      assert.equal(here.gaps(), 0);
    }),
);

postgres(
  "who was away for longer than the log keeps is told of a gap",
  () =>
    withTwo(async ({ near, far, proxy, query }) => {
      const there = hearing(far);
      proxy.shut();
      near.publish(event(1));
      // Longer than half of the time, and old batches are deleted.
      await new Promise((resolve) => setTimeout(resolve, 600));
      await query("delete from broker_log where node <> ''");
      proxy.open();
      await there.until(() => there.gaps() >= 1);
      near.publish(event(2));
      await there.until(() => there.heard.length > 0);
      assert.deepEqual(there.heard, [2]);
    }, { times: { keepMs: 1000 } }),
);

postgres(
  "what the log does not keep of a busy node is a gap for who was away",
  () =>
    withTwo(async ({ near, far, proxy, query }) => {
      const there = hearing(far);
      near.publish(event(1));
      await there.until(() => there.heard.length === 1);
      proxy.shut();
      await there.until(() => !far.connected);
      const text = "x".repeat(20_000);
      for (const n of range(20)) {
        near.publish(event(n, text));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await there.until(() => near.connected);
      proxy.open();
      await there.until(() => there.gaps() >= 1);
      near.publish(event(21));
      await there.until(() => there.heard.at(-1) === 21);
      const [row] = await query(
        "select sum(length(items))::int as size from broker_log where node = 'near'",
      );
      assert.ok(row!.size as number < 2 * 65_536, `${row!.size}`);
    }, { maxKept: 65_536 }),
);

postgres(
  "what waits for the database is bounded, and what is dropped is a gap for the others",
  () =>
    withTwo(async ({ near, far, proxy }) => {
      const here = hearing(near);
      proxy.shut();
      const text = "x".repeat(20_000);
      for (const n of range(200)) far.publish(event(n, text));
      proxy.open();
      await here.until(() => here.gaps() >= 1);
      far.publish(event(201));
      await here.until(() => here.heard.at(-1) === 201);
      assert.ok(here.heard.length < 10, `${here.heard}`);
      const { dropped } = far.stats!;
      assert.equal(dropped + here.heard.length, 201, "what was not heard was dropped");
    }, { maxKept: 65_536 }),
);

postgres(
  "a log that a crash of the server emptied is a gap for everybody",
  () =>
    withTwo(async ({ near, far, query }) => {
      const here = hearing(near);
      const there = hearing(far);
      far.publish(event(1));
      await here.until(() => here.heard.length === 1);
      // The state of an unlogged table after a crash.
      await query("truncate broker_log");
      near.publish(event(2));
      far.publish(event(3));
      await here.until(() => here.gaps() > 0);
      await there.until(() => there.gaps() > 0);
      far.publish(event(4));
      await here.until(() => here.heard.at(-1) === 4);
    }, { times: { pollMs: 50 } }),
);

postgres(
  "without notifications the others are heard all the same, and the operator is told",
  () =>
    withTwo(async ({ near, far, errors }) => {
      const here = hearing(near);
      for (const n of range(3)) {
        far.publish(event(n));
        near.publish(event(n));
        await here.until(() => here.heard.filter((one) => one === n).length === 2);
      }
      await here.until(() => errors.length === 2);
      for (const { message } of errors) assert.match(message, /set DATABASE_DIRECT_URL/);
    }, { deaf: true, times: { notificationTimeoutMs: 20, fallbackPollMs: 10, pollMs: 100 } }),
);

postgres(
  "what nodes that are gone said is not kept",
  () =>
    withTwo(async ({ near, far, query }) => {
      const here = hearing(near);
      far.publish(event(1));
      await here.until(() => here.heard.length === 1);
      await far.close();
      const left = () => query("select 1 from broker_log where node = 'far'");
      const deadline = Date.now() + 20_000;
      while ((await left()).length > 0) {
        assert.ok(Date.now() < deadline, "it is still there");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(here.gaps(), 0);
    }, { times: { keepMs: 400 } }),
);

postgres(
  "a node that begins hears nothing of what was said before",
  () =>
    withTwo(async ({ near }) => {
      near.publish(event(1));
      const url = (await database!).url;
      const name = crypto.randomUUID();
      const common = { url, name, maxKept: 1 << 20, onError: () => {} };
      const first = await openPostgresBroker({ ...common, node: "first" });
      first.publish(event(1));
      await first.close();
      const second = await openPostgresBroker({ ...common, node: "second" });
      const third = await openPostgresBroker({ ...common, node: "third" });
      const later = hearing(second);
      third.publish(event(2));
      await later.until(() => later.heard.length === 1);
      assert.deepEqual(later.heard, [2]);
      assert.equal(later.gaps(), 0);
      await second.close();
      await third.close();
    }),
);
