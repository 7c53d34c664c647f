/** The hub while other nodes' broadcasts are late, with a broker that the test holds back. */
import assert from "node:assert/strict";
import { createMetrics } from "../domain/metrics.ts";
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";
import { bareConnection } from "../tests/support/bare_connection.ts";
import type { Connection } from "./connection.ts";
import { Hub } from "./hub.ts";
import type { Protocol } from "./protocol.ts";
import { createTimerWheel } from "./timer_wheel.ts";

const ROOM = "conversation:c";
const TIME = "2026-01-01T00:00:00.000Z";

const PROTOCOL: Protocol = {
  name: "numbers",
  batching: false,
  follows: "asked",
  onOpen() {},
  authFrame: () => "",
  onFrame: () => Promise.resolve(),
  encode: (event) => `${(event.data as { seq?: number }).seq}`,
  encodeError: () => "",
};

function change(seq: number): Broadcast {
  const data = { conversationId: "c", seq, messageId: `${seq}`, deletedAt: TIME };
  const event = { type: "message_deleted", timestamp: TIME, data } as const;
  return { room: ROOM, forAgents: event, forVisitors: event };
}

/** `arrive` delivers what another node published; `ready` completes the subscriptions. */
function start() {
  let listener: BrokerListener = () => {};
  const subscribed = Promise.withResolvers<void>();
  const rooms: string[] = [];
  const broker: Broker = {
    isSingleNode: false,
    connected: true,
    publish: (broadcast) => listener(broadcast),
    subscribe(room) {
      rooms.push(room);
      return subscribed.promise;
    },
    unsubscribe: (room) => void rooms.splice(rooms.indexOf(room), 1),
    onBroadcast: (next) => void (listener = next),
    publishToNodes() {},
    onNodeMessage() {},
    onGap() {},
    close: () => Promise.resolve(),
  };
  const wheel = createTimerWheel();
  const onError = (error: unknown) => {
    throw error;
  };
  const logAfter = () => Promise.resolve([]);
  const hub = new Hub(broker, { wheel, logAfter, onError }, createMetrics());
  function connect(userId: string) {
    const sent: string[] = [];
    const connection = bareConnection({
      id: userId,
      socket: {
        readyState: 1,
        bufferedAmount: 0,
        send: (text) => void sent.push(text),
        close() {},
      },
      protocol: PROTOCOL,
      events: { onSlow() {}, onWaiting() {}, onError },
    });
    connection.principal = {
      kind: "agent",
      userId,
      userName: userId,
      role: "agent",
      tokenId: null,
      signInId: null,
      expiresAt: null,
    };
    hub.add(connection);
    return { connection, sent };
  }
  const arrive = (broadcast: Broadcast) => {
    listener(broadcast);
    hub.flushAll();
  };
  const join = (connection: Connection, seq: number, read = () => {}) =>
    hub.joinAfter(
      connection,
      ROOM,
      () => {
        read();
        return Promise.resolve({ seq });
      },
      () => {},
      ({ forAgents }, state) => (forAgents!.data as { seq: number }).seq > state.seq,
      (state) => state.seq,
    );
  return { hub, rooms, connect, arrive, join, ready: () => subscribed.resolve(), wheel };
}

Deno.test("the state is read once broadcasts of other nodes arrive", async () => {
  const { connect, join, ready, arrive } = start();
  const a = connect("a");
  let wasRead = false;
  const joined = join(a.connection, 5, () => wasRead = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(wasRead, false);
  ready();
  await joined;
  assert.equal(wasRead, true);
  arrive(change(6));
  assert.deepEqual(a.sent, ["6"]);
});

Deno.test("roomsReady() resolves when other nodes' broadcasts reach all rooms of a connection", async () => {
  const { hub, connect, ready } = start();
  const a = connect("a");
  assert.equal(hub.roomsReady(a.connection), null);
  hub.join(a.connection, "agents");
  const allReady = hub.roomsReady(a.connection);
  assert.notEqual(allReady, null);
  ready();
  await allReady;
  assert.equal(hub.roomsReady(a.connection), null);
});

Deno.test("a late change is not sent to a member that has read it, but to earlier members", async () => {
  const { connect, join, ready, arrive } = start();
  ready();
  const before = connect("before");
  await join(before.connection, 4);
  // Both are committed on another node, and read here, before they arrive.
  const after = connect("after");
  await join(after.connection, 6);
  for (const seq of [5, 6, 7, 8]) arrive(change(seq));
  assert.deepEqual(before.sent, ["5", "6", "7", "8"]);
  assert.deepEqual(after.sent, ["7", "8"]);
});

Deno.test("a late change is not sent to the first member, who has read it", async () => {
  const { connect, join, ready, arrive } = start();
  ready();
  const a = connect("a");
  await join(a.connection, 6);
  for (const seq of [6, 7]) arrive(change(seq));
  assert.deepEqual(a.sent, ["7"]);
});

Deno.test("a late change is not sent after newer ones to a member that has read it", async () => {
  const { connect, join, ready, arrive } = start();
  ready();
  const first = connect("first");
  await join(first.connection, 6);
  const second = connect("second");
  await join(second.connection, 8);
  // A broker that was stalled delivers what both have read from the log.
  for (const seq of [7, 8, 9, 5, 6, 10]) arrive(change(seq));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(second.sent.filter((seq) => Number(seq) <= 8), []);
  assert.deepEqual(first.sent.filter((seq) => Number(seq) <= 6), []);
});

Deno.test("changes that overtook each other are delivered in order", async () => {
  const { connect, join, ready, arrive, hub, rooms, wheel } = start();
  ready();
  const a = connect("a");
  await join(a.connection, 0);
  for (const seq of [2, 3, 1, 4]) arrive(change(seq));
  assert.deepEqual(a.sent, ["1", "2", "3", "4"]);
  hub.leave(a.connection, ROOM);
  assert.deepEqual(rooms, []);
  wheel.stop();
});

Deno.test("broadcasts during the read follow the answer, without those that are in the state", async () => {
  const { hub, connect, ready } = start();
  ready();
  const { connection, sent } = connect("a");
  const reading = Promise.withResolvers<{ seq: number }>();
  const begun = Promise.withResolvers<void>();
  const joined = hub.joinAfter(
    connection,
    ROOM,
    () => {
      begun.resolve();
      return reading.promise;
    },
    ({ seq }) => connection.send(`answer ${seq}`),
    ({ forAgents }, state) => (forAgents!.data as { seq: number }).seq > state.seq,
  );
  await begun.promise;
  for (const seq of [6, 7, 8]) hub.publishLocal(change(seq));
  assert.deepEqual(sent, [], "nothing comes before the answer");
  reading.resolve({ seq: 6 });
  await joined;
  hub.flushAll();
  assert.deepEqual(sent, ["answer 6", "7", "8"]);
  hub.publishLocal(change(9));
  hub.flushAll();
  assert.deepEqual(sent.at(-1), "9");
});
