import assert from "node:assert/strict";
import { createMetrics } from "../domain/metrics.ts";
import type { AgentPrincipal } from "../domain/principal.ts";
import { createMemoryBroker } from "./broker_memory.ts";
import { bareConnection } from "../tests/support/bare_connection.ts";
import type { Connection } from "./connection.ts";
import { Hub } from "./hub.ts";
import type { Protocol } from "./protocol.ts";
import { createRecovery } from "./recovery.ts";
import { RecoveryState, type SentPosition, START } from "./recovery_state.ts";
import { ROOMS } from "./rooms.ts";
import { createTimerWheel } from "./timer_wheel.ts";
import type { SocketLike } from "./writer.ts";

const ROOM = ROOMS.conversation("c");

/** A text is the offset of its only position. */
const positionsIn = (text: string): SentPosition[] => [
  { offset: text, conversationId: "c", seq: Number(text), isFollowed: true },
];
const offsets = (positions: SentPosition[] | undefined) => positions?.map(({ offset }) => offset);

function createState(maxPositions = 10) {
  return new RecoveryState("id", { maxPositions, positionsIn }, () => {});
}

Deno.test("what may not have arrived is kept over a ping", () => {
  const one = createState();
  assert.deepEqual(offsets(one.after(START)), []);
  one.textSent("1");
  assert.deepEqual(offsets(one.after(START)), ["1"]);
  // This answers a ping that may have been sent before "1".
  one.confirmed();
  assert.deepEqual(offsets(one.after(START)), ["1"]);
  one.textSent("2");
  // This one was sent after it, and maybe before "2".
  one.confirmed();
  assert.equal(one.after(START), undefined);
  assert.deepEqual(offsets(one.after("1")), ["2"]);
  one.confirmed();
  assert.equal(one.after("1"), undefined);
  assert.deepEqual(offsets(one.after("2")), []);
  assert.equal(one.after("3"), undefined);
});

Deno.test("positions that are never confirmed are kept up to a bound", () => {
  const one = createState(10);
  for (let i = 1; i <= 1000; i++) one.textSent(String(i));
  assert.equal(one.after(START), undefined);
  assert.deepEqual(offsets(one.after("990"))?.length, 10);
  assert.equal(one.after("900"), undefined);
});

/** Resolves when what is sent at the end of a turn was sent. */
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

Deno.test("nothing is lost between the recorder and the connection that takes over", async () => {
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
        onSlow: (slow) => hub.closeSlow(slow),
        onWaiting: (writer) => hub.pumpLater(writer),
        onError: assert.ifError,
      },
    });
    connection.principal = principal;
    return connection;
  };
  const recovery = createRecovery<SentPosition>({
    hub,
    wheel,
    timeoutMs: 60_000,
    resumeTimeoutMs: 60_000,
    maxSuspended: 10,
    maxPositions: 100,
    maxBytes: 1000,
    positionsIn,
    entries: (_principal, positions) =>
      Promise.resolve(
        new Map(positions.map(({ seq }) => {
          const data = { conversationId: "c", seq };
          return [`c ${seq}`, { type: "hidden", timestamp: "", data }];
        })),
      ),
    createRecorder: connect,
  });
  const say = (seq: number) => {
    const forAgents = {
      type: "hidden",
      timestamp: "",
      data: { conversationId: "c", seq },
    } as const;
    hub.publish({ room: ROOM, forAgents, forVisitors: null });
  };
  /** A socket that records what arrives. */
  const socketOf = (one: RecoveryState<SentPosition>, arrived: string[]) => ({
    readyState: 1,
    bufferedAmount: 0,
    close() {},
    send(text: string) {
      one.textSent(text);
      arrived.push(text);
    },
  });

  const live = recovery.open("pid", () => {});
  const arrived: string[] = [];
  const first = connect(socketOf(live, arrived));
  hub.add(first);
  hub.join(first, ROOM);
  // The second is pending in the room when the connection is lost.
  say(1);
  say(2);
  recovery.suspend(live, first);
  first.end();
  say(3);
  await turn();
  assert.deepEqual(offsets(live.after("1")), ["2", "3"]);

  const restored = await recovery.restore("pid", "1");
  assert.deepEqual(restored?.missed.map(({ position }) => position.seq), [2, 3]);
  const back: string[] = [];
  const second = connect(socketOf(live, back));
  hub.add(second);
  say(4);
  // Is pending in the room when the new connection takes over.
  say(5);
  assert.equal(recovery.resume(live, second), true);
  say(6);
  await turn();
  assert.deepEqual(back, ["4", "5", "6"]);
  assert.deepEqual([...hub.members(ROOM)], [second], "the recorder is gone");

  // Lost again before a confirmation; then too much is broadcast while it resumes.
  recovery.suspend(live, second);
  second.end();
  const again = await recovery.restore("pid", "5");
  assert.deepEqual(again?.missed.map(({ position }) => position.seq), [6]);
  for (let seq = 1000; seq < 1300; seq++) say(seq);
  hub.flushAll();
  assert.equal(recovery.resume(live, connect(socketOf(live, []))), false);
  assert.equal(await recovery.restore("pid", "6"), null);
  assert.equal(hub.roomCount, 0);
  recovery.endAll();
  wheel.stop();
  await hub.close();
});

Deno.test("a connection whose token expired while it was suspended is not recovered", async () => {
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
  const recovery = createRecovery<SentPosition>({
    hub,
    wheel,
    timeoutMs: 60_000,
    resumeTimeoutMs: 60_000,
    maxSuspended: 10,
    maxPositions: 100,
    maxBytes: 1000,
    positionsIn,
    entries: () => Promise.resolve(new Map()),
    createRecorder: connect,
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
    recovery.suspend(live, connection);
    connection.end();
    time += 10;
    assert.equal(await recovery.restore(pid, START) !== null, isRecovered, pid);
  }
  recovery.endAll();
  wheel.stop();
  await hub.close();
});
