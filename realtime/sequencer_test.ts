import assert from "node:assert/strict";
import type { LogEntry } from "../domain/events.ts";
import type { Broadcast } from "./broker.ts";
import { createSequencer, seqOf } from "./sequencer.ts";
import { createTimerWheel } from "./timer_wheel.ts";

const ROOM = "conversation:c";
const TIME = "2026-01-01T00:00:00.000Z";

function entry(seq: number): LogEntry {
  const data = { conversationId: "c", seq, messageId: `from the log ${seq}`, deletedAt: TIME };
  const event = { type: "message_deleted", timestamp: TIME, data } as const;
  return { seq, forAgents: event, forVisitors: event };
}

function change(seq: number, room = ROOM): Broadcast {
  const data = { conversationId: "c", seq, messageId: `live ${seq}`, deletedAt: TIME };
  return { room, forAgents: { type: "message_deleted", timestamp: TIME, data }, forVisitors: null };
}

const TYPING: Broadcast = {
  room: ROOM,
  forAgents: {
    type: "typing",
    timestamp: TIME,
    data: { conversationId: "c", userId: "u", userName: "U", role: "agent", isTyping: true },
  },
  forVisitors: null,
};

/** `log` is the stored log; undefined: it cannot be read. */
function start(log: () => number[] | undefined) {
  const delivered: string[] = [];
  const errors: unknown[] = [];
  const reads: number[] = [];
  const read = Promise.withResolvers<void>();
  const wheel = createTimerWheel({ tickMs: 5 });
  const sequencer = createSequencer({
    wheel,
    deliver({ forAgents }) {
      delivered.push((forAgents!.data as { messageId?: string }).messageId ?? forAgents!.type);
    },
    logAfter(room, seq) {
      assert.equal(room, ROOM);
      reads.push(seq);
      const stored = log();
      setTimeout(read.resolve, 0);
      if (stored === undefined) return Promise.reject(new Error("no database"));
      return Promise.resolve(stored.filter((one) => one > seq).slice(0, 2).map(entry));
    },
    onError: (error) => errors.push(error),
  });
  return { sequencer, delivered, errors, reads, read: read.promise, wheel };
}

Deno.test("seqOf() is null for everything but the changes of a conversation", () => {
  assert.equal(seqOf(change(7)), 7);
  assert.equal(seqOf(change(7, "messages")), null);
  assert.equal(seqOf(TYPING), null);
  assert.equal(seqOf({ ...change(7), forAgents: null }), null);
});

Deno.test("a change that is early waits for the one before it", () => {
  const { sequencer, delivered, reads, wheel } = start(() => []);
  for (const seq of [4, 6, 7, 5, 9, 8]) sequencer.receive(change(seq));
  sequencer.receive(TYPING);
  assert.deepEqual(delivered, [...[4, 5, 6, 7, 8, 9].map((seq) => `live ${seq}`), "typing"]);
  assert.deepEqual(reads, [], "the log was not needed");
  wheel.stop();
});

Deno.test("a change that does not arrive is read from the log, and not delivered again when it is late", async () => {
  const { sequencer, delivered, reads, read } = start(() => [1, 2, 3, 4, 5, 6]);
  sequencer.begin(ROOM, 1);
  sequencer.receive(change(6));
  assert.deepEqual(delivered, []);
  await read;
  const stored = [2, 3, 4, 5].map((seq) => `from the log ${seq}`);
  assert.deepEqual(delivered, [...stored, "live 6"]);
  assert.deepEqual(reads, [1, 3]);
  for (const seq of [2, 5, 6]) sequencer.receive(change(seq));
  sequencer.receive(change(7));
  assert.deepEqual(delivered.slice(5), ["live 7"]);
});

Deno.test("changes before the first member's state are delivered, for members without a position", () => {
  const { sequencer, delivered, wheel } = start(() => []);
  sequencer.receive(change(6));
  sequencer.receive(change(5));
  assert.deepEqual(delivered, ["live 6", "live 5"]);
  wheel.stop();
});

Deno.test("if the log cannot be read, what has arrived is delivered in order", async () => {
  const { sequencer, delivered, errors, read } = start(() => undefined);
  sequencer.begin(ROOM, 1);
  for (const seq of [9, 4, 3]) sequencer.receive(change(seq));
  await read;
  assert.deepEqual(delivered, ["live 3", "live 4", "live 9"]);
  assert.equal(errors.length, 1);
  sequencer.receive(change(10));
  assert.equal(delivered.at(-1), "live 10");
});

Deno.test("an empty room is discarded, also while its log is read", async () => {
  let sequencer: ReturnType<typeof start>["sequencer"] | null = null;
  const started = start(() => {
    sequencer!.end(ROOM);
    return [1, 2, 3];
  });
  sequencer = started.sequencer;
  sequencer.begin(ROOM, 1);
  sequencer.receive(change(3));
  await started.read;
  assert.deepEqual(started.delivered, []);
  sequencer.begin(ROOM, 20);
  sequencer.receive(change(21));
  assert.deepEqual(started.delivered, ["live 21"]);
});
