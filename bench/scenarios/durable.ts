/**
 * Messages acknowledged after their commit: the rate, compared with one transaction per message.
 */
import {
  type BenchDatabase,
  conversationOf,
  type Engine,
  makeBenchDatabase,
  postgresIsThere,
} from "../lib/databases.ts";
import { bytesOf, numberAt, ParleyClients, startsWith } from "../lib/parley_clients.ts";
import { type BenchServer, cpuSeconds, startServer } from "../lib/processes.ts";
import { type Peer, textFrame } from "../lib/raw_clients.ts";
import { heading, median, number, percentile, spread, table, verdict } from "../lib/report.ts";

export const CONNECTIONS = 100;
/** Conversations in the database, so that the planner's choices are realistic; few are in use. */
export const CONVERSATIONS = 10_000;
/** Unacknowledged messages of one connection. */
const IN_FLIGHT = 5;
const SECONDS = 2;
const WARM_UP = 2;
const REPETITIONS = 3;
const PACED_PER_SECOND = 1000;
const PACED_SECONDS = 5;
const CONTENT = "x".repeat(200);
const ACK = bytesOf('{"type":"ack","id":');
const BUDGET = 4;

/** Visitors who send. The id of each command is a number, so that every ack is counted once. */
export class Senders {
  readonly peers: Peer[] = [];
  acked = 0;
  repeated = 0;
  onAck: (id: number, peer: Peer) => void = () => {};
  #sent = 0;
  readonly #pending = new Set<number>();
  readonly parley = new ParleyClients((peer, buffer, start) => {
    if (!startsWith(buffer, start, ACK)) return;
    const id = numberAt(buffer, start + ACK.length);
    if (!this.#pending.delete(id)) this.repeated++;
    this.acked++;
    this.onAck(id, peer);
  });

  constructor(server: BenchServer) {
    this.parley.connectAll(CONNECTIONS, (i) => {
      this.peers.push(this.parley.visitor(server.port, i));
    });
  }

  send(peer: Peer): number {
    const id = ++this.#sent;
    this.#pending.add(id);
    const conversationId = conversationOf(this.peers.indexOf(peer));
    this.parley.clients.sendFrame(
      peer,
      textFrame(JSON.stringify({
        type: "message",
        id,
        data: { conversationId, content: CONTENT, clientMessageId: `m${id}` },
      })),
    );
    return id;
  }

  /** Waits for the acks of all messages. */
  awaitAcks(): void {
    this.onAck = () => {};
    this.parley.clients.until(() => this.#pending.size === 0, "every ack");
  }

  saturate(seconds: number): { perSecond: number; generator: number } {
    const before = this.acked;
    const cpu = cpuSeconds("self");
    this.onAck = (_id, peer) => this.send(peer);
    for (const peer of this.peers) for (let i = 0; i < IN_FLIGHT; i++) this.send(peer);
    const start = performance.now();
    this.parley.clients.during(seconds * 1000);
    const elapsed = (performance.now() - start) / 1000;
    const acked = this.acked - before;
    const generator = (cpuSeconds("self") - cpu) / elapsed * 100;
    this.awaitAcks();
    return { perSecond: acked / elapsed, generator };
  }

  /**
   * Sends at a fixed rate. Latency counts from when a message was due, not from when it was sent.
   */
  paced(perSecond: number, seconds: number): number[] {
    const due = new Map<number, number>();
    const latencies: number[] = [];
    this.onAck = (id) => latencies.push(performance.now() - due.get(id)!);
    const total = perSecond * seconds;
    const start = performance.now();
    for (let i = 0; i < total; i++) {
      const at = start + i * 1000 / perSecond;
      while (performance.now() < at) this.parley.clients.poll(at - performance.now() > 1 ? 1 : 0);
      due.set(this.send(this.peers[i % this.peers.length]!), at);
    }
    this.parley.clients.until(() => latencies.length === total, "every ack");
    this.awaitAcks();
    return latencies;
  }
}

export async function durable(): Promise<void> {
  heading(
    `durable: ${CONNECTIONS} connections with ${IN_FLIGHT} messages each under way, acknowledged after commit`,
  );
  const engines: Engine[] = ["pglite", ...(await postgresIsThere() ? ["postgres" as const] : [])];
  const rates: string[][] = [];
  const latencies: string[][] = [];
  const verdicts: (() => void)[] = [];
  for (const engine of engines) await measure(engine, rates, latencies, verdicts);
  console.log(table(
    ["database", "Parley acks/s", "one transaction a message, same path", "ratio", "bare inserts/s"]
      .concat("ratio", "generator CPU %", "acked twice"),
    rates,
  ));
  console.log(`\nAt ${PACED_PER_SECOND} messages a second, ms from due to acknowledged:\n`);
  console.log(table(["database", "p50", "p95", "p99", "max"], latencies));
  for (const say of verdicts) say();
}

async function measure(
  engine: Engine,
  rates: string[][],
  latencies: string[][],
  verdicts: (() => void)[],
): Promise<void> {
  const grouped = await makeBenchDatabase(engine, CONVERSATIONS);
  const alone = await makeBenchDatabase(engine, CONVERSATIONS);
  const inserted = await makeBenchDatabase(engine, CONVERSATIONS);
  const parley = await startServer("Parley", "parley.ts", grouped.env);
  const single = await startServer("one by one", "hub.ts", { ...alone.env, BENCH_MAX_BATCH: "1" });
  const senders = new Senders(parley);
  const singly = new Senders(single);
  try {
    senders.saturate(WARM_UP);
    singly.saturate(WARM_UP);
    const acks: number[] = [];
    const acksAlone: number[] = [];
    const inserts: number[] = [];
    const generator: number[] = [];
    for (let i = 0; i < REPETITIONS; i++) {
      const result = senders.saturate(SECONDS);
      acks.push(result.perSecond);
      generator.push(result.generator);
      acksAlone.push(singly.saturate(SECONDS).perSecond);
      inserts.push(await bareInserts(inserted));
    }
    const paced = senders.paced(PACED_PER_SECOND, PACED_SECONDS);
    const ratio = (baseline: number[]) => median(acks) / median(baseline);
    rates.push([
      engine,
      spread(acks),
      spread(acksAlone),
      `${number(ratio(acksAlone), 1)} ×`,
      spread(inserts),
      `${number(ratio(inserts), 1)} ×`,
      number(median(generator)),
      number(senders.repeated),
    ]);
    const p99 = percentile(paced, 99);
    latencies.push([
      engine,
      ...[50, 95, 99, 100].map((p) => number(percentile(paced, p), 1)),
    ]);
    verdicts.push(() => {
      const kept = ratio(inserts) >= BUDGET;
      verdict(`${engine} against bare inserts`, `${number(ratio(inserts), 1)} ×`, "≥ 4 ×", kept);
      verdict(`${engine} ack p99`, `${number(p99, 1)} ms`, "< 50 ms", p99 < 50);
    });
  } finally {
    senders.parley.clients.closeAll();
    singly.parley.clients.closeAll();
    await parley.kill();
    await single.kill();
    for (const database of [grouped, alone, inserted]) await database.drop();
  }
}

async function bareInserts(database: BenchDatabase): Promise<number> {
  const script = new URL("../servers/inserts.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script],
    env: {
      ...database.env,
      BENCH_CONVERSATIONS: String(CONNECTIONS),
      BENCH_SECONDS: String(SECONDS),
    },
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).perSecond;
}
