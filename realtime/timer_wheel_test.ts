import assert from "node:assert/strict";
import { createTimerWheel } from "./timer_wheel.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("createTimerWheel() calls back in order, once, and not what was cancelled", async () => {
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
  await pause(120);
  assert.deepEqual(calls, ["early", "twice", "twice", "late"]);
  assert.equal(errors.length, 1);
  // It went to sleep; a new timer wakes it.
  wheel.after(5, () => calls.push("woken"));
  await pause(40);
  assert.equal(calls.at(-1), "woken");
});

Deno.test("createTimerWheel() is never early", async () => {
  const wheel = createTimerWheel({ tickMs: 20 });
  const start = performance.now();
  const took = await new Promise<number>((resolve) =>
    wheel.after(50, () => resolve(performance.now() - start))
  );
  assert.ok(took >= 50, `${took} ms`);
});
