import assert from "node:assert/strict";
import { createLatencies } from "./latency.ts";

Deno.test("the latency to the other side is measured, whichever half comes first", () => {
  const told: [string, number][] = [];
  const latencies = createLatencies((side, ms) => told.push([side, ms]));
  latencies.sent("customer", 1, 100);
  latencies.received("agent", 1, 112);
  latencies.received("customer", 2, 205);
  latencies.sent("agent", 2, 200);
  // The copy for the sender is not the other side.
  latencies.sent("agent", 3, 300);
  latencies.received("agent", 3, 301);
  assert.deepEqual(told, [["customer", 12], ["agent", 5]]);
});

Deno.test("another conversation, which counts from 1 again, starts without old measurements", () => {
  const told: number[] = [];
  const latencies = createLatencies((_, ms) => told.push(ms));
  latencies.sent("customer", 1, 100);
  latencies.reset();
  latencies.received("agent", 1, 1_009);
  latencies.sent("customer", 1, 1_000);
  assert.deepEqual(told, [9]);
});
