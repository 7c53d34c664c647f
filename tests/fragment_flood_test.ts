/** One attacker with endless fragments, in short; tests/faults/fragment_flood.ts runs it long. */
import assert from "node:assert/strict";
import { fragmentFlood } from "./faults/fragment_flood.ts";
import { call } from "./support/http.ts";
import { startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

const MIB = 1024 * 1024;

testWith(
  ["postgres"],
  "endless fragments end the process before the system does, and lose nothing",
  async () => {
    const report = await fragmentFlood({
      engine: "postgres",
      honest: 10,
      everyMs: 200,
      sockets: 10,
      bytesPerSecond: 150 * MIB,
      memoryLimit: 700 * MIB,
      beforeMs: 500,
      duringMs: 40_000,
      untilEnds: 1,
      afterMs: 1000,
    });
    assert.deepEqual([report.lost, report.twice], [0, 0], JSON.stringify(report));
    assert.ok(report.ends.length >= 1, JSON.stringify(report));
    assert.deepEqual([...new Set(report.ends)], [75]);
    assert.ok(report.told[3014]! >= 1, "those not authenticated are let go when memory is short");
    const count = (words: string) => report.lines.filter((line) => line.includes(words)).length;
    assert.equal(count("Memory is exhausted"), report.ends.length);
    assert.ok(count("Memory is short") >= report.ends.length);
  },
);

Deno.test("while memory is short new sockets are refused, and requests are not", async () => {
  // Less than the process takes already.
  const server = await startServer("pglite", {
    MEMORY_LIMIT_BYTES: `${64 * MIB}`,
    MEMORY_GUARD_PERCENT: "50",
    MEMORY_STOP_PERCENT: "0",
  });
  try {
    const short = async () => {
      const { body } = await call<string>(server, "GET", "/metrics");
      return /^parley_memory_short 1$/m.test(body);
    };
    const deadline = Date.now() + 60_000;
    while (!await short()) {
      assert.ok(Date.now() < deadline, "Memory never was short");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const path of ["/realtime", "/ws", "/socket.io/?EIO=4&transport=polling"]) {
      const { hostname, port, host } = new URL(server.url);
      const conn = await Deno.connect({ hostname, port: Number(port) });
      const upgrade = path.startsWith("/socket.io")
        ? ""
        : "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n" +
          "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
      await conn.write(
        new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${upgrade}\r\n`),
      );
      const buffer = new Uint8Array(4096);
      const head = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
      conn.close();
      assert.match(head, /^HTTP\/1.1 503 /, path);
      assert.match(head, /retry-after: 5\r\n/i);
      assert.match(head, /"limit":"MEMORY_GUARD_PERCENT"/);
    }
    const health = await call<{ services: { memory: { short: boolean } }; missing: string[] }>(
      server,
      "GET",
      "/health",
    );
    assert.equal(health.status, 200);
    assert.equal(health.body.services.memory.short, true);
    assert.match(health.body.missing.join(), /Memory is short/);
    assert.equal((await call(server, "GET", "/ready")).status, 200);
  } finally {
    await server.close();
  }
});
