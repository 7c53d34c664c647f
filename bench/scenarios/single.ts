/** One message at a time to 500 receivers: the cost of a delivery that cannot be coalesced. */
import { makeBenchDatabase } from "../lib/databases.ts";
import { cpuSeconds, startServer } from "../lib/processes.ts";
import { type ReceiverGroup, Receivers } from "../lib/receivers.ts";
import { heading, median, number, spread, table, verdict } from "../lib/report.ts";

const RECEIVERS = 500;
const TURNS = 400;
const WARM_UP = 400;
const REPETITIONS = 7;
const BUDGET = 1.15;

export async function single(): Promise<void> {
  heading(`single: one message at a time to ${RECEIVERS} receivers`);
  const database = await makeBenchDatabase("pglite", 1);
  const receivers = new Receivers();
  const bare = await startServer("Deno.serve", "deno_serve.ts");
  const parley = await startServer("Parley", "hub.ts", database.env);
  try {
    const contestants = [
      { group: receivers.add(parley, "parley", RECEIVERS), ...samples() },
      { group: receivers.add(bare, "plain", RECEIVERS), ...samples() },
    ] as const;
    for (const { group } of contestants) receivers.run(group, "m", WARM_UP, 1);
    const ratios: number[] = [];
    for (let i = 0; i < REPETITIONS; i++) {
      for (const contestant of contestants) measure(receivers, contestant);
      ratios.push(contestants[0].cpu[i]! / contestants[1].cpu[i]!);
    }
    console.log(table(
      ["server", "server CPU µs per delivery", "ms until all have it", "generator CPU %", "lost"],
      contestants.map(({ group, cpu, ms, generator }) => [
        group.server.name,
        spread(cpu, 2),
        spread(ms, 2),
        number(median(generator)),
        number(group.outOfOrder),
      ]),
    ));
    const ratio = median(contestants[0].cpu) / median(contestants[1].cpu);
    const pairs = `${number(ratio, 2)} × (pairs ${spread(ratios, 2)})`;
    verdict("CPU per delivery against Deno.serve", pairs, `≤ ${BUDGET} ×`, ratio <= BUDGET);
  } finally {
    receivers.close();
    await parley.kill();
    await bare.kill();
    await database.drop();
  }
}

interface Samples {
  cpu: number[];
  ms: number[];
  generator: number[];
}

function samples(): Samples {
  return { cpu: [], ms: [], generator: [] };
}

function measure(receivers: Receivers, { group, cpu, ms, generator }: Samples & {
  group: ReceiverGroup;
}): void {
  const before = { server: group.server.cpu(), self: cpuSeconds("self"), at: performance.now() };
  receivers.run(group, "m", TURNS, 1);
  const elapsed = performance.now() - before.at;
  cpu.push((group.server.cpu() - before.server) / (TURNS * RECEIVERS) * 1e6);
  ms.push(elapsed / TURNS);
  generator.push((cpuSeconds("self") - before.self) / elapsed * 1e5);
}
