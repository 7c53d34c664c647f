/**
 * One message at a time to more and more receivers: whether the cost of a delivery stays the same.
 * A bare `Deno.serve` is measured, too, to separate the cost of the hub from that of the kernel.
 */
import { makeBenchDatabase } from "../lib/databases.ts";
import { type BenchServer, startServer } from "../lib/processes.ts";
import { Receivers, type Wire } from "../lib/receivers.ts";
import { heading, median, number, spread, table, verdict } from "../lib/report.ts";

const STEPS = [100, 300, 1000, 3000, 10_000];
const DELIVERIES = 80_000;
const WARM_UP_TURNS = 1500;
const REPETITIONS = 3;
const FLAT = 0.2;

interface Cost {
  cpu: number[];
  ms: number[];
  lost: number;
}

export async function scale(): Promise<void> {
  heading("scale: server CPU of a delivery, one message at a time, by receivers in the room");
  const database = await makeBenchDatabase("pglite", 1);
  try {
    const bare = await climb(await startServer("Deno.serve", "deno_serve.ts"), "plain");
    const parley = await climb(await startServer("Parley", "hub.ts", database.env), "parley");
    const costs = parley.map(({ cpu }) => median(cpu));
    const ratios = parley.map(({ cpu }, i) => median(cpu) / median(bare[i]!.cpu));
    console.log(table(
      [
        "receivers",
        "Parley CPU µs per delivery",
        "of the first",
        "Deno.serve CPU µs",
        "of the first",
        "Parley / Deno.serve",
        "ms until all have it",
        "lost",
      ],
      parley.map(({ cpu, ms, lost }, i) => [
        number(STEPS[i]!),
        spread(cpu, 2),
        `${number(costs[i]! / costs[0]! * 100)} %`,
        spread(bare[i]!.cpu, 2),
        `${number(median(bare[i]!.cpu) / median(bare[0]!.cpu) * 100)} %`,
        number(ratios[i]!, 2),
        spread(ms, 2),
        number(lost),
      ]),
    ));
    const worst = Math.max(...costs) / costs[0]! - 1;
    const value = `+${number(worst * 100)} % at worst`;
    verdict("cost per delivery from 100 to 10,000", value, "within 20 %", worst <= FLAT);
    const own = Math.max(...ratios) / ratios[0]! - 1;
    console.log(`\nAgainst Deno.serve at the same size: +${number(own * 100)} % at worst.`);
  } finally {
    await database.drop();
  }
}

async function climb(server: BenchServer, wire: Wire): Promise<Cost[]> {
  const receivers = new Receivers();
  try {
    const group = receivers.add(server, wire, STEPS[0]!);
    receivers.run(group, "m", WARM_UP_TURNS, 1);
    const costs: Cost[] = [];
    for (const step of STEPS) {
      receivers.grow(group, step - group.peers.length);
      const turns = Math.ceil(DELIVERIES / step);
      receivers.run(group, "m", turns, 1);
      const cost: Cost = { cpu: [], ms: [], lost: 0 };
      for (let i = 0; i < REPETITIONS; i++) {
        const before = { cpu: server.cpu(), at: performance.now() };
        receivers.run(group, "m", turns, 1);
        cost.cpu.push((server.cpu() - before.cpu) / (turns * step) * 1e6);
        cost.ms.push((performance.now() - before.at) / turns);
      }
      cost.lost = group.outOfOrder;
      costs.push(cost);
    }
    return costs;
  } finally {
    receivers.close();
    await server.kill();
  }
}
