import assert from "node:assert/strict";
import { withFakeTime } from "../tests/support/fake_time.ts";
import { createTimerWheel } from "./timer_wheel.ts";

Deno.test("createTimerWheel() calls back in order, once, and not what was cancelled", () =>
  withFakeTime(async ({ pass }) => {
    const errors: unknown[] = [];
    const wheel = createTimerWheel({ tickMs: 5, onError: (error) => errors.push(error) });
    const calls: string[] = [];
    wheel.after(60, () => calls.push("late"));
    wheel.after(10, () => calls.push("early"));
    wheel.after(10, () => {
      throw new Error("boom");
    });
    const again = () => calls.push("twice");
    wheel.after(30, again);
    wheel.after(30, again);
    wheel.after(20, () => calls.push("never"))();
    await pass(120);
    assert.deepEqual(calls, ["early", "twice", "twice", "late"]);
    assert.equal(errors.length, 1);
    // It went to sleep; a new timer wakes it.
    wheel.after(5, () => calls.push("woken"));
    await pass(40);
    assert.equal(calls.at(-1), "woken");
  }));

Deno.test("createTimerWheel() is never early, and at most a tick late", () =>
  withFakeTime(async ({ pass }) => {
    const wheel = createTimerWheel({ tickMs: 20 });
    // The wheel may be in the middle of a tick when it is asked.
    wheel.after(1000, () => {});
    for (const within of [0, 1, 10, 19]) {
      await pass(within);
      const start = performance.now();
      let took = 0;
      wheel.after(50, () => took = performance.now() - start);
      await pass(100);
      assert.ok(took >= 50 && took <= 50 + 2 * 20, `${took} ms`);
    }
    wheel.stop();
  }));
