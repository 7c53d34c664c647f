/** A node dies, or loses the others for a while: who is there stays true, and nothing is lost. */
import assert from "node:assert/strict";
import type { Message, Presence } from "../protocol/model.ts";
import { eventually } from "./faults/health.ts";
import { startRedisServer } from "./faults/redis_server.ts";
import { startServerProcess } from "./faults/server_process.ts";
import { call, cast, post } from "./support/http.ts";
import { type BrokerName, sharedSettings } from "./support/nodes.ts";
import { makeDatabase, startServer, type TestServer } from "./support/server.ts";
import { REDIS_URL, testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { openTcpProxy, type TcpProxy } from "./support/tcp_proxy.ts";

async function withDatabase(
  fn: (settings: Record<string, string>) => Promise<void>,
  broker: BrokerName = "redis",
) {
  const database = await makeDatabase();
  try {
    await fn({ ...sharedSettings(broker, database.url), NODE_TIMEOUT_MS: "1000" });
  } finally {
    await database.drop();
  }
}

const isOffline = (userId: string) => (data: Presence) =>
  data.userId === userId && data.status === "offline";

for (const broker of ["redis", "postgres"] as const) {
  testWith(
    ["postgres", "redis"],
    `kill -9 of a node: its people go, or come back elsewhere [${broker}]`,
    () =>
      withDatabase(async (settings) => {
        const here = await startServer("pglite", settings);
        const other = await startServerProcess("pglite", settings);
        try {
          const { agent, visitor, conversation } = await cast(here);
          const conversationId = conversation.id;
          const g = await connect(here, { token: agent.token });
          await g.ack("join", { conversationId });
          const v = await connect(other, { sessionId: visitor.sessionId });
          const { epoch } = await v.ack("join", { conversationId });
          const second = await cast(here);
          const returning = await connect(other, { sessionId: second.visitor.sessionId });
          await g.event("user_joined", ({ userId }) => userId === visitor.contact.id);
          await g.event("presence", ({ userId }) => userId === second.visitor.contact.id);
          const first = await g.ack("message", {
            conversationId,
            content: "1",
            clientMessageId: "1",
          });
          await v.event("message", ({ id }) => id === first.message.id);

          await other.kill("SIGKILL");
          await Promise.all([v.closed, returning.closed]);
          // One is back at once, as clients are.
          const back = await connect(here, { sessionId: second.visitor.sessionId });
          for (const n of [2, 3, 4]) {
            await g.ack("message", { conversationId, content: `${n}`, clientMessageId: `${n}` });
          }
          await g.event("presence", isOffline(visitor.contact.id));
          await g.event("user_left", ({ userId }) => userId === visitor.contact.id);
          const flicker = g.received.filter(({ type, data }) =>
            type === "presence" && isOffline(second.visitor.contact.id)(data as Presence)
          );
          assert.deepEqual(flicker, [], "who came back in time was never gone");

          const again = await connect(here, { sessionId: visitor.sessionId });
          const missed = await again.ack("join", { conversationId, epoch, seq: 1 });
          assert.equal(missed.recovered, true);
          assert.deepEqual(missed.events.map(({ data }: { data: Message }) => data.content), [
            "2",
            "3",
            "4",
          ]);
          await g.event("user_joined", ({ userId }) => userId === visitor.contact.id);

          // The node starts again, and is one of them at once.
          await other.start();
          const returned = await connect(other, { sessionId: visitor.sessionId });
          await returned.ack("join", { conversationId });
          await g.ack("message", { conversationId, content: "5", clientMessageId: "5" });
          await returned.event("message", ({ content }) => content === "5");
          await Promise.all([g, back, again, returned].map((socket) => socket.close()));
          assert.deepEqual(here.errors, []);
        } finally {
          await other.close();
          await here.close();
        }
      }, broker),
  );
}

async function withBrokenRedis(
  fn: (near: TestServer, far: TestServer, proxy: TcpProxy) => Promise<void>,
): Promise<void> {
  const { hostname, port } = new URL(REDIS_URL);
  await withDatabase(async (settings) => {
    const proxy = openTcpProxy({ hostname, port: Number(port || 6379) });
    const near = await startServer("pglite", settings);
    const far = await startServer("pglite", {
      ...settings,
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
    });
    try {
      await fn(near, far, proxy);
    } finally {
      await far.close();
      await near.close();
      proxy.close();
    }
  });
}

testWith(
  ["postgres", "redis"],
  "who missed something without Redis is told, and recovers",
  () =>
    withBrokenRedis(async (near, far, proxy) => {
      const { agent, visitor, conversation } = await cast(near);
      const conversationId = conversation.id;
      const v = await connect(far, { sessionId: visitor.sessionId });
      const { epoch } = await v.ack("join", { conversationId });
      const g = await connect(near, { token: agent.token });
      await g.ack("join", { conversationId });
      const neighbour = await connect(far, { token: agent.token });
      await neighbour.ack("join", { conversationId });
      await v.event("user_joined");

      proxy.shut();
      const missed = await post(near, agent.token, conversationId, "Did you get this?");
      // People on the same node still talk; what the log has in between comes with it.
      const said = await v.ack("message", {
        conversationId,
        content: "Anybody?",
        clientMessageId: "1",
      });
      await neighbour.event("message", ({ id }) => id === said.message.id);
      // The others are gone, as far as anybody can tell.
      await g.event("presence", isOffline(visitor.contact.id));
      await g.event("user_left", ({ userId }) => userId === visitor.contact.id);

      proxy.open();
      await v.event("reconnect", () => true, 10_000);
      assert.deepEqual(await v.closed, { code: 3013, reason: "Events may have been lost" });
      assert.equal((await g.closed).code, 3013, "what the other node said was lost on both sides");
      await neighbour.closed;
      const again = await connect(far, { sessionId: visitor.sessionId });
      const { events, recovered } = await again.ack("join", { conversationId, epoch, seq: 0 });
      assert.equal(recovered, true);
      assert.deepEqual(events.map(({ data }: { data: Message }) => data.id), [
        missed.id,
        said.message.id,
      ]);
      const back = await connect(near, { token: agent.token });
      const next = await post(near, agent.token, conversationId, "Now?");
      await again.event("message", ({ id }) => id === next.id);
      const list = await again.ack("presence_list", {});
      assert.deepEqual(list.presence.map((one: Presence) => one.userId), [agent.user.id]);
      await Promise.all([again.close(), back.close()]);
    }),
);

testWith(
  ["postgres", "redis-server"],
  "a node serves without its Redis, says so, and finds it later",
  () =>
    withDatabase(async (settings) => {
      const redis = await startRedisServer();
      await redis.stop();
      const server = await startServer("pglite", { ...settings, REDIS_URL: redis.url });
      const redisNow = async () =>
        (await call<{ services: { redis: string } }>(server, "GET", "/health")).body.services.redis;
      try {
        const { agent, conversation } = await cast(server);
        const socket = await connect(server, { token: agent.token });
        await socket.ack("join", { conversationId: conversation.id });
        const said = await post(server, agent.token, conversation.id, "Anybody?");
        await socket.event("message", ({ id }) => id === said.id);
        const before = await redisNow();
        await redis.start();
        const after = await eventually(redisNow, (now) => now !== before, 10_000);
        assert.deepEqual([before, after], ["disconnected", "connected"]);
        await socket.close();
      } finally {
        await server.close();
        await redis.close();
      }
    }),
);

testWith(
  ["postgres", "redis-server"],
  "a Redis that refuses the password stops the start, and the setting is named",
  () =>
    withDatabase(async (settings) => {
      const redis = await startRedisServer();
      await redis.command("CONFIG", "SET", "requirepass", "right");
      const REDIS_URL = `redis://:wrong@127.0.0.1:${redis.port}`;
      await assert.rejects(startServer("pglite", { ...settings, REDIS_URL }), {
        name: "SettingsError",
        message:
          `Cannot start: setting REDIS_URL: Cannot use Redis at "127.0.0.1:${redis.port}": WRONGPASS invalid username-password pair or user is disabled.`,
      });
      await redis.close();
    }),
  { leaks: "a start that is refused ends its process, and closes nothing" },
);
