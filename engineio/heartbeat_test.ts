import assert from "node:assert/strict";
import { Heartbeat } from "./heartbeat.ts";
import type { Timers } from "./timers.ts";

/** Timers with a clock that the test advances. They fire `lateMs` after their time. */
function manual() {
  const pending = new Map<() => void, number>();
  const clock = { now: 0, lateMs: 0 };
  const timers: Timers = {
    after(ms, callback) {
      const entry = () => callback();
      pending.set(entry, clock.now + ms);
      return () => void pending.delete(entry);
    },
  };
  function advance(ms: number): void {
    const until = clock.now + ms;
    while (true) {
      const [entry, at] = [...pending].sort((a, b) => a[1] - b[1])[0] ?? [null, Infinity];
      if (entry === null || at + clock.lateMs > until) break;
      clock.now = Math.max(clock.now, at + clock.lateMs);
      pending.delete(entry);
      entry();
    }
    clock.now = until;
  }
  return { timers, clock, pending, advance };
}

function start(by: ReturnType<typeof manual>) {
  const log: string[] = [];
  const heartbeat = new Heartbeat({
    timers: by.timers,
    intervalMs: 300,
    timeoutMs: 200,
    ping: () => log.push(`ping at ${by.clock.now}`),
    onTimeout: () => log.push(`timeout at ${by.clock.now}`),
    now: () => by.clock.now,
  });
  return { heartbeat, log };
}

Deno.test("the next ping is an interval after the pong", () => {
  const by = manual();
  const { heartbeat, log } = start(by);
  by.advance(350);
  heartbeat.pong();
  by.advance(400);
  assert.deepEqual(log, ["ping at 300", "ping at 650"]);
  assert.equal(by.pending.size, 1, "one timer at a time");
});

Deno.test("a peer that does not answer in time is overdue, even before the timer fires", () => {
  const by = manual();
  const { heartbeat, log } = start(by);
  by.advance(500);
  assert.deepEqual(log, ["ping at 300", "timeout at 500"]);
  const late = manual();
  late.clock.lateMs = 40;
  const second = start(late);
  late.advance(501);
  assert.deepEqual(second.log, ["ping at 340"]);
  assert.ok(second.heartbeat.isOverdue, "a late ping does not extend the timeout");
  heartbeat.stop();
});

Deno.test("a stall of the process gives the peer more time", () => {
  const by = manual();
  by.clock.lateMs = 1000;
  const { heartbeat, log } = start(by);
  by.advance(1301);
  assert.deepEqual(log, ["ping at 1300"]);
  assert.ok(!heartbeat.isOverdue);
  heartbeat.pong();
  assert.equal(by.pending.size, 1);
});

Deno.test("another packet extends the timeout once for each ping", () => {
  const by = manual();
  const { heartbeat, log } = start(by);
  heartbeat.packet();
  by.advance(450);
  heartbeat.packet();
  by.advance(100);
  heartbeat.packet();
  by.advance(99);
  assert.deepEqual(log, ["ping at 300"]);
  by.advance(1);
  assert.deepEqual(log, ["ping at 300", "timeout at 650"]);
});

Deno.test("an upgrade extends the timeout, and stop() cancels it", () => {
  const by = manual();
  const { heartbeat, log } = start(by);
  by.advance(499);
  heartbeat.transportChanged();
  by.advance(199);
  assert.deepEqual(log, ["ping at 300"]);
  heartbeat.stop();
  by.advance(10_000);
  assert.deepEqual(log, ["ping at 300"]);
  assert.equal(by.pending.size, 0);
});
