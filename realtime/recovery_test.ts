import assert from "node:assert/strict";
import { createMetrics } from "../domain/metrics.ts";
import type { AgentPrincipal } from "../domain/principal.ts";
import { createMemoryBroker } from "./broker_memory.ts";
import { bareConnection } from "../tests/support/bare_connection.ts";
import type { Connection } from "./connection.ts";
import { Hub } from "./hub.ts";
import type { Protocol } from "./protocol.ts";
import { createRecovery, RecoverySession, type SentPlace, START } from "./recovery.ts";
import { ROOMS } from "./rooms.ts";
import { createTimerWheel } from "./timer_wheel.ts";
import type { SocketLike } from "./writer.ts";

const ROOM = ROOMS.conversation("c");

/** A text is the offset of the one place in it. */
const placesIn = (text: string): SentPlace[] => [
  { offset: text, conversationId: "c", seq: Number(text), isFollowed: true },
];
const offsets = (places: SentPlace[] | undefined) => places?.map(({ offset }) => offset);

function session(maxPlaces = 10) {
  return new RecoverySession("id", { maxPlaces, placesIn }, () => {});
}

Deno.test("what may still be under way is remembered over a ping", () => {
  const one = session();
  assert.deepEqual(offsets(one.after(START)), []);
  one.sent("1");
  assert.deepEqual(offsets(one.after(START)), ["1"]);
  // This answers a ping that may have been sent before "1".
  one.confirmed();
  assert.deepEqual(offsets(one.after(START)), ["1"]);
  one.sent("2");
  // This one was sent after it, and maybe before "2".
  one.confirmed();
  assert.equal(one.after(START), undefined);
  assert.deepEqual(offsets(one.after("1")), ["2"]);
  one.confirmed();
  assert.equal(one.after("1"), undefined);
  assert.deepEqual(offsets(one.after("2")), []);
  assert.equal(one.after("3"), undefined);
});

Deno.test("of what never arrives only so much is remembered", () => {
  const one = session(10);
  for (let i = 1; i <= 1000; i++) one.sent(String(i));
  assert.equal(one.after(START), undefined);
  assert.deepEqual(offsets(one.after("990"))?.length, 10);
  assert.equal(one.after("900"), undefined);
});

/** Everything that waits for the end of a turn has left. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

const principal: AgentPrincipal = {
  kind: "agent",
  userId: "u",
  userName: "Ada",
  role: "agent",
  tokenId: null,
  signInId: null,
  expiresAt: null,
};

Deno.test("nothing falls between the stand-in and the connection that takes over", async () => {
  const wheel = createTimerWheel();
  const hub = new Hub(createMemoryBroker(), {
    wheel,
    logAfter: () => Promise.resolve([]),
    onError: assert.ifError,
  }, createMetrics());
  const protocol: Protocol = {
    name: "numbers",
    batching: false,
    follows: "itself",
    onOpen() {},
    authFrame: () => "",
    onFrame: () => Promise.resolve(),
    encode: (event) => String((event.data as { seq: number }).seq),
    encodeError: () => "",
  };
  const connect = (socket: SocketLike): Connection => {
    const connection = bareConnection({
      socket,
      protocol,
      events: {
        onSlow: (slow) => hub.slow(slow),
        onWaiting: (writer) => hub.wait(writer),
        onError: assert.ifError,
      },
    });
    connection.principal = principal;
    return connection;
  };
  const recovery = createRecovery<SentPlace>({
    hub,
    wheel,
    lastsMs: 60_000,
    returnMs: 60_000,
    maxAway: 10,
    maxPlaces: 100,
    maxBytes: 1000,
    placesIn,
    entries: (_principal, places) =>
      Promise.resolve(
        new Map(places.map(({ seq }) => {
          const data = { conversationId: "c", seq };
          return [`c ${seq}`, { type: "hidden", timestamp: "", data }];
        })),
      ),
    standIn: connect,
  });
  const say = (seq: number) => {
    const forAgents = {
      type: "hidden",
      timestamp: "",
      data: { conversationId: "c", seq },
    } as const;
    hub.publish({ room: ROOM, forAgents, forVisitors: null });
  };
  /** A socket whose texts arrive, or, from some moment on, do not. */
  const socketOf = (one: RecoverySession<SentPlace>, arrived: string[]) => ({
    readyState: 1,
    bufferedAmount: 0,
    close() {},
    send(text: string) {
      one.sent(text);
      arrived.push(text);
    },
  });

  const live = recovery.open("pid", () => {});
  const arrived: string[] = [];
  const first = connect(socketOf(live, arrived));
  hub.add(first);
  hub.join(first, ROOM);
  // The second waits in the room for the end of the turn, when the connection is lost.
  say(1);
  say(2);
  recovery.lost(live, first);
  first.end();
  say(3);
  await turn();
  assert.deepEqual(offsets(live.after("1")), ["2", "3"]);

  const restored = await recovery.restore("pid", "1");
  assert.deepEqual(restored?.missed.map(({ place }) => place.seq), [2, 3]);
  const back: string[] = [];
  const second = connect(socketOf(live, back));
  hub.add(second);
  say(4);
  // Waits in the room when the new connection takes over.
  say(5);
  assert.equal(recovery.resume(live, second), true);
  say(6);
  await turn();
  assert.deepEqual(back, ["4", "5", "6"]);
  assert.deepEqual([...hub.members(ROOM)], [second], "the stand-in is gone");

  // Lost again before anything was confirmed; and then too much passes while it comes back.
  recovery.lost(live, second);
  second.end();
  const again = await recovery.restore("pid", "5");
  assert.deepEqual(again?.missed.map(({ place }) => place.seq), [6]);
  for (let seq = 1000; seq < 1300; seq++) say(seq);
  hub.flushAll();
  assert.equal(recovery.resume(live, connect(socketOf(live, []))), false);
  assert.equal(await recovery.restore("pid", "6"), null);
  assert.equal(hub.roomCount, 0);
  recovery.close();
  wheel.stop();
  await hub.close();
});

Deno.test("a connection whose token ended while it was away is not recovered", async () => {
  let time = 1_000_000;
  const wheel = createTimerWheel();
  const hub = new Hub(createMemoryBroker(), {
    wheel,
    logAfter: () => Promise.resolve([]),
    onError: assert.ifError,
  }, createMetrics());
  const protocol: Protocol = {
    name: "numbers",
    batching: false,
    follows: "itself",
    onOpen() {},
    authFrame: () => "",
    onFrame: () => Promise.resolve(),
    encode: () => null,
    encodeError: () => "",
  };
  const socket = { readyState: 1, bufferedAmount: 0, close() {}, send() {} };
  const events = { onSlow() {}, onWaiting() {}, onError: assert.ifError };
  const connect = () => bareConnection({ socket, protocol, events });
  const recovery = createRecovery<SentPlace>({
    hub,
    wheel,
    lastsMs: 60_000,
    returnMs: 60_000,
    maxAway: 10,
    maxPlaces: 100,
    maxBytes: 1000,
    placesIn,
    entries: () => Promise.resolve(new Map()),
    standIn: connect,
    now: () => time,
  });
  for (
    const [pid, expiresAt, isRecovered] of [["ended", time + 5, false], [
      "lives",
      time + 50,
      true,
    ]] as const
  ) {
    const live = recovery.open(pid, () => {});
    const connection = connect();
    connection.principal = { ...principal, expiresAt };
    hub.add(connection);
    recovery.lost(live, connection);
    connection.end();
    time += 10;
    assert.equal(await recovery.restore(pid, START) !== null, isRecovered, pid);
  }
  recovery.close();
  wheel.stop();
  await hub.close();
});
