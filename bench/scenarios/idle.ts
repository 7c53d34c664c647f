/** Ten thousand idle visitors: the memory of each. */
import { makeBenchDatabase } from "../lib/databases.ts";
import { ParleyClients } from "../lib/parley_clients.ts";
import { startServer } from "../lib/processes.ts";
import { Receivers } from "../lib/receivers.ts";
import { heading, number, table, verdict } from "../lib/report.ts";

const STEPS = [1000, 5000, 10_000];
/** Connected before the first reading, so that shared code and caches are not counted. */
const WARM_UP = 200;
const SETTLE_MS = 3000;
const BUDGET_KB = 25;

export async function idle(): Promise<void> {
  heading("idle: every connection authenticated and joined, each its own session and conversation");
  const total = STEPS.at(-1)!;
  const bare = await bareServer(total);
  const database = await makeBenchDatabase("pglite", total + WARM_UP);
  const server = await startServer("Parley", "parley.ts", {
    ...database.env,
    HEARTBEAT_MS: "25000",
  });
  const visitors = new ParleyClients(() => {});
  try {
    let connected = 0;
    const grow = (to: number) => {
      const from = connected;
      visitors.connectAll(to - from, (i) => void visitors.visitor(server.port, from + i));
      connected = to;
      visitors.clients.during(SETTLE_MS);
    };
    grow(WARM_UP);
    const before = { rss: server.rss(), kernel: kernelBytes() };
    const rows: string[][] = [];
    let perConnection = 0;
    for (const step of STEPS) {
      const start = performance.now();
      grow(step + WARM_UP);
      const seconds = (performance.now() - start - SETTLE_MS) / 1000;
      const cpu = server.cpu();
      visitors.clients.during(SETTLE_MS);
      const share = (server.cpu() - cpu) / SETTLE_MS * 1e5;
      perConnection = (server.rss() - before.rss) / step / 1024;
      const kernel = (kernelBytes() - before.kernel) / step / 2 / 1024;
      rows.push([
        `Parley ${number(step)}`,
        number(server.rss() / 2 ** 20),
        number(perConnection, 1),
        number(kernel, 1),
        number(share, 1),
        number(seconds, 1),
        number(visitors.clients.peers.filter((peer) => peer.closed !== null).length),
      ]);
    }
    rows.push(bare);
    console.log(table(
      [
        "connections",
        "server RSS MiB",
        "RSS KiB per connection",
        "kernel KiB per socket",
        "server CPU % with heartbeats",
        "s to connect",
        "lost",
      ],
      rows,
    ));
    const kept = perConnection <= BUDGET_KB;
    verdict(
      `idle connection at ${number(total)}`,
      `${number(perConnection, 1)} KiB`,
      `≤ ${BUDGET_KB} KB`,
      kept,
    );
  } finally {
    visitors.clients.closeAll();
    await server.kill();
    await database.drop();
  }
}

/** The same number of sockets on a bare `Deno.serve`. */
async function bareServer(count: number): Promise<string[]> {
  const server = await startServer("Deno.serve", "deno_serve.ts");
  const receivers = new Receivers();
  try {
    const group = receivers.add(server, "plain", WARM_UP);
    receivers.clients.during(SETTLE_MS);
    const before = { rss: server.rss(), kernel: kernelBytes() };
    const start = performance.now();
    receivers.grow(group, count);
    const seconds = (performance.now() - start) / 1000;
    receivers.clients.during(SETTLE_MS);
    return [
      `Deno.serve ${number(count)}`,
      number(server.rss() / 2 ** 20),
      number((server.rss() - before.rss) / count / 1024, 1),
      number((kernelBytes() - before.kernel) / count / 2 / 1024, 1),
      "",
      number(seconds, 1),
      "0",
    ];
  } finally {
    receivers.close();
    await server.kill();
  }
}

/** Slab memory of the whole machine; it includes both ends of every connection. */
function kernelBytes(): number {
  const match = /Slab:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/meminfo"));
  return Number(match?.[1] ?? 0) * 1024;
}
