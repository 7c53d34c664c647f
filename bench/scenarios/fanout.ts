/** Bursts of 32 messages to 500 receivers in one room: deliveries per second, and their cost. */
import { makeBenchDatabase } from "../lib/databases.ts";
import { nodeVersion } from "../lib/machine.ts";
import { type BenchServer, cpuSeconds, startServer } from "../lib/processes.ts";
import { type ReceiverGroup, Receivers, type Wire } from "../lib/receivers.ts";
import { heading, median, number, spread, table, verdict } from "../lib/report.ts";

const RECEIVERS = 500;
const BURST = 32;
const WARM_UP = 15;
const REPETITIONS = 5;
/** Bursts under way at a time, so that the server always has work. */
const WINDOW = 3;
/** Bursts in a repetition: about a second on each server. */
const TURNS: Record<string, number> = { Parley: 250, "socket.io": 12, ws: 15, "Deno.serve": 15 };
const BUDGET = 6;

interface Contestant {
  name: string;
  group: ReceiverGroup;
  rates: number[];
  cpu: number[];
  serverShare: number[];
  generatorShare: number[];
}

export async function fanout(): Promise<void> {
  heading(`fanout: ${RECEIVERS} receivers, bursts of ${BURST}, 205 bytes a message`);
  const database = await makeBenchDatabase("pglite", 1);
  const receivers = new Receivers();
  const servers: BenchServer[] = [];
  try {
    const contestants: Contestant[] = [];
    const add = async (name: string, wire: Wire, file: string, env = {}) => {
      const server = await startServer(name, file, env);
      servers.push(server);
      const group = receivers.add(server, wire, RECEIVERS);
      contestants.push({ name, group, rates: [], cpu: [], serverShare: [], generatorShare: [] });
      receivers.run(group, "b", WARM_UP, WINDOW);
    };
    await add("Parley", "parley", "hub.ts", database.env);
    if (await nodeVersion() !== null) {
      await add("socket.io", "socket.io", "socket_io.mjs");
      await add("ws", "plain", "ws.mjs");
    }
    await add("Deno.serve", "plain", "deno_serve.ts");
    for (let i = 0; i < REPETITIONS; i++) {
      for (const contestant of contestants) measure(receivers, contestant);
    }
    print(contestants);
  } finally {
    receivers.close();
    for (const server of servers) await server.kill();
    await database.drop();
  }
}

function measure(receivers: Receivers, contestant: Contestant): void {
  const { group, name } = contestant;
  const turns = TURNS[name]!;
  const deliveries = turns * BURST * RECEIVERS;
  const before = { server: group.server.cpu(), self: cpuSeconds("self"), at: performance.now() };
  receivers.run(group, "b", turns, WINDOW);
  const seconds = (performance.now() - before.at) / 1000;
  const server = group.server.cpu() - before.server;
  contestant.rates.push(deliveries / seconds);
  contestant.cpu.push(server / deliveries * 1e6);
  contestant.serverShare.push(server / seconds * 100);
  contestant.generatorShare.push((cpuSeconds("self") - before.self) / seconds * 100);
}

function print(contestants: Contestant[]): void {
  const [parley, ...baselines] = contestants;
  const rate = median(parley!.rates);
  console.log(table(
    [
      "server",
      "deliveries/s",
      "server CPU s per million",
      "Parley is",
      "server CPU %",
      "generator CPU %",
      "lost or out of order",
    ],
    contestants.map((contestant) => [
      contestant.name,
      spread(contestant.rates),
      spread(contestant.cpu, 2),
      contestant === parley ? "" : `${number(rate / median(contestant.rates), 1)} ×`,
      number(median(contestant.serverShare)),
      number(median(contestant.generatorShare)),
      number(contestant.group.outOfOrder),
    ]),
  ));
  for (const { name, rates } of baselines) {
    if (name === "Deno.serve") continue;
    const ratio = rate / median(rates);
    verdict(`fan-out against ${name}`, `${number(ratio, 1)} ×`, `≥ ${BUDGET} ×`, ratio >= BUDGET);
  }
}
