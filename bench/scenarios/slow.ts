/**
 * 200 readers who stop reading, and 300 who go on, under full load: memory and service stay stable.
 */
import { makeBenchDatabase } from "../lib/databases.ts";
import { startServer } from "../lib/processes.ts";
import { Receivers } from "../lib/receivers.ts";
import { heading, number, table } from "../lib/report.ts";

const GOOD = 300;
const STALLED = 200;
const BURST = 32;
const WINDOW = 3;
/** Bursts between two readings. */
const STEP = 300;
const STEPS = 8;

export async function slow(): Promise<void> {
  heading(`slow: ${STALLED} of ${GOOD + STALLED} receivers stop reading under full broadcast load`);
  const database = await makeBenchDatabase("pglite", 1);
  const server = await startServer("Parley", "hub.ts", database.env);
  const receivers = new Receivers();
  try {
    const good = receivers.add(server, "parley", GOOD);
    const stalled = receivers.add(server, "parley", STALLED);
    receivers.run(good, "b", STEP, WINDOW);
    const rows: string[][] = [];
    let sent = 0;
    const step = (what: string) => {
      const start = performance.now();
      receivers.run(good, "b", STEP, WINDOW);
      const seconds = (performance.now() - start) / 1000;
      sent += STEP * BURST;
      rows.push([
        what,
        number(sent),
        number(STEP * BURST * GOOD / seconds),
        number(server.rss() / 2 ** 20),
        number(kernelTcpMiB()),
        number(Number(server.stats().slowClosed)),
        number(Number(server.stats().connections)),
      ]);
    };
    step("all read");
    for (const peer of stalled.peers) receivers.clients.stall(peer);
    for (let i = 1; i <= STEPS; i++) step(`${STALLED} stalled, part ${i}`);
    for (const peer of stalled.peers) receivers.clients.resume(peer);
    const deadline = performance.now() + 10_000;
    while (stalled.peers.some((peer) => peer.closed === null) && performance.now() < deadline) {
      receivers.clients.poll(50);
    }
    receivers.clients.during(1000);
    step("stalled read again");
    console.log(table(
      [
        "phase",
        "messages so far",
        "deliveries/s to the good",
        "server RSS MiB",
        "kernel TCP MiB",
        "let go",
        "connections",
      ],
      rows,
    ));
    const codes = new Map<string, number>();
    for (const { closed } of stalled.peers) {
      const code = closed === null ? "still open" : String(closed);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    const seen = [...codes].map(([code, count]) => `${count} × ${code}`).join(", ");
    console.log(`\nWhat the stalled saw once they read again: ${seen}.`);
    console.log(`Lost or out of order among the good: ${good.outOfOrder}.`);
  } finally {
    receivers.close();
    await server.kill();
    await database.drop();
  }
}

/** Memory of all TCP buffers of the machine. */
function kernelTcpMiB(): number {
  const match = /TCP:.* mem (\d+)/.exec(Deno.readTextFileSync("/proc/net/sockstat"));
  return Number(match?.[1] ?? 0) * 4096 / 2 ** 20;
}
