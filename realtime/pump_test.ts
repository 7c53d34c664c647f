import assert from "node:assert/strict";
import { createPump, type Pumped } from "./pump.ts";

/** Timers that fire when the test says so. */
function createClock() {
  const timers = new Set<{ at: number; callback: () => void }>();
  let now = 0;
  return {
    later(callback: () => void, ms: number) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms: number) {
      for (const end = now + ms; now < end;) {
        now++;
        for (const timer of [...timers]) {
          if (timer.at > now || !timers.delete(timer)) continue;
          timer.callback();
        }
      }
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Has `queued` frames, and takes `takes` at each try. */
function createReader(queued: number, takes: number): Pumped & { tries: number; takes: number } {
  return {
    queued,
    takes,
    tries: 0,
    pump() {
      this.tries++;
      this.queued = Math.max(0, this.queued - this.takes);
      return this.queued === 0;
    },
  } as Pumped & { queued: number; tries: number; takes: number };
}

Deno.test("a reader that keeps up is served each millisecond", () => {
  const clock = createClock();
  const pump = createPump(clock.later);
  const reader = createReader(15, 1);
  pump.add(reader);
  clock.advance(15);
  assert.equal(reader.queued, 0);
  assert.equal(clock.waiting, 0, "nothing waits, so no timer runs");
});

Deno.test("a reader that takes nothing is tried rarely, and served fast when it reads again", () => {
  const clock = createClock();
  const pump = createPump(clock.later);
  const stuck = createReader(10, 0);
  const other = createReader(1000, 1);
  pump.add(stuck);
  pump.add(other);
  clock.advance(1000);
  assert.ok(stuck.tries <= 51, `${stuck.tries} tries in a second`);
  assert.equal(other.queued, 0);
  stuck.takes = 1;
  // A new message for it does not make it a fast reader.
  pump.add(stuck);
  clock.advance(40);
  assert.equal(stuck.queued, 0);
});

Deno.test("a pump that is stopped tries nothing more", () => {
  const clock = createClock();
  const pump = createPump(clock.later);
  const reader = createReader(10, 0);
  pump.add(reader);
  clock.advance(2);
  pump.stop();
  const { tries } = reader;
  clock.advance(100);
  assert.equal(reader.tries, tries);
  assert.equal(clock.waiting, 0);
});
