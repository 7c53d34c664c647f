import assert from "node:assert/strict";
import { watchMemory } from "./memory_guard.ts";

function watch(readings: number[], collect: (rss: number) => number) {
  const said: string[] = [];
  let rss = 0;
  let clock = 0;
  const guard = watchMemory({
    limit: 1000,
    guardPercent: 80,
    stopPercent: 95,
    now: () => clock,
    rss: () => rss,
    collect: () => rss = collect(rss),
    onShort(isShort) {
      said.push(`${isShort ? "short" : "fine"} ${rss}`);
      return 0;
    },
    onFatal: () => said.push(`exhausted ${rss}`),
  });
  for (const reading of readings) {
    rss = reading;
    clock += 10_000;
    guard.check();
  }
  guard.stop();
  return { said, state: guard.state() };
}

Deno.test("watchMemory() says when memory is short, when not, and once that it is exhausted", () => {
  const readings = [100, 790, 810, 790, 775, 760, 900, 949, 951, 999, 100, 999];
  const { said, state } = watch(readings, (rss) => rss);
  assert.deepEqual(said, ["short 810", "fine 760", "short 900", "exhausted 951"]);
  assert.deepEqual(state, { rss: 999, limit: 1000, short: true });
});

Deno.test("watchMemory() collects garbage before it sends anybody away, now and then", () => {
  let collections = 0;
  const collect = () => {
    collections++;
    return 500;
  };
  assert.deepEqual(watch([900, 700, 700, 700, 960], collect).said, []);
  assert.equal(collections, 2);
  assert.deepEqual(watch([900, 900], collect).said, ["short 900"]);
});
