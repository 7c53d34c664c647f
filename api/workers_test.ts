import assert from "node:assert/strict";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { parseMetrics } from "../tests/support/metrics.ts";
import { createWorkers } from "./workers.ts";

function registry(value: number): Registry {
  const registers = [new Registry()];
  new Counter({ name: "a_total", help: "a", labelNames: ["code"], registers }).inc(
    { code: "x" },
    value,
  );
  new Histogram({ name: "b_seconds", help: "b", buckets: [1, 2], registers }).observe(value);
  new Gauge({ name: "process_c", help: "c", registers, aggregator: "first" }).set(value);
  return registers[0]!;
}

Deno.test("one scrape has all workers, and who is silent is left out in time", async () => {
  const onError = (error: unknown) => assert.fail(String(error));
  const first = createWorkers(registry(1), { self: "a", replyMs: 500, onError });
  const second = createWorkers(registry(2), { self: "b", replyMs: 500, onError });
  const silent = new BroadcastChannel("parley metrics");
  try {
    const until = async (fits: (samples: Map<string, number>) => boolean) => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const samples = parseMetrics(await first.scrape());
        if (fits(samples)) return samples;
        assert.ok(Date.now() < deadline, JSON.stringify([...samples]));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const both = await until((samples) => samples.get('parley_workers{state="answered"}') === 2);
    assert.equal(both.get('a_total{code="x",worker="1"}'), 1);
    assert.equal(both.get('a_total{code="x",worker="2"}'), 2);
    assert.equal(both.get('b_seconds_bucket{le="1",worker="1"}'), 1);
    assert.equal(both.get('b_seconds_bucket{le="1",worker="2"}'), 0);
    assert.equal(both.get('b_seconds_sum{worker="2"}'), 2);
    assert.ok(both.has("process_c"));

    silent.postMessage({ kind: "hello", from: "c" });
    const all = await until((samples) => samples.get('parley_workers{state="total"}') === 3);
    assert.equal(all.get('parley_workers{state="answered"}'), 2);
    assert.equal(all.get('a_total{code="x",worker="2"}'), 2);
    second.close();
    silent.postMessage({ kind: "bye", from: "c" });
    const alone = await until((samples) => samples.get('parley_workers{state="total"}') === 1);
    assert.equal(alone.get('a_total{code="x",worker="1"}'), 1);
  } finally {
    silent.close();
    first.close();
  }
});
