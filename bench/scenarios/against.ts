/**
 * The cost of a stored message, and of an idle connection, in this tree and in another revision.
 */
import { type BenchDatabase, type Engine, postgresIsThere } from "../lib/databases.ts";
import { bytesOf, ParleyClients, startsWith } from "../lib/parley_clients.ts";
import { type BenchServer, startProcess } from "../lib/processes.ts";
import { type Peer, textFrame } from "../lib/raw_clients.ts";
import { heading, number, pairs, percentile, spread, table } from "../lib/report.ts";
import { bothTrees, makeDatabaseOf, startParley, type Tree } from "../lib/trees.ts";
import { CONVERSATIONS, Senders } from "./durable.ts";
import { TABLES } from "../../protocol/tables.ts";
import { login, measureLive } from "./live.ts";

/** Messages in a batch, and the number of batches in one turn. */
const BATCHES = [[1, 150], [3, 100], [30, 40], [300, 10]] as const;
const TURNS = 5;
const SECONDS = 2;
const PACED_PER_SECOND = 1000;
const PACED_SECONDS = 4;
const IDLE = 3000;
const CHANGE = bytesOf('{"type":"database_change"');

type Two<T> = [baseline: T, here: T];

async function engines(): Promise<Engine[]> {
  return ["pglite", ...(await postgresIsThere() ? ["postgres" as const] : [])];
}

/** Runs a function for the baseline and then for this tree. */
async function inTurn<T>(each: (which: 0 | 1) => T | Promise<T>): Promise<Two<T>> {
  return [await each(0), await each(1)];
}

function head(what: string[]): string[] {
  const [baseline, here] = bothTrees();
  return [...what, baseline.name, here.name, "ratio, pair by pair"];
}

/** A row of the table: the medians of both, and the ratios of their pairs. */
function row(what: string[], [baseline, here]: Two<number[]>, digits: number): string[] {
  return [...what, spread(baseline, digits), spread(here, digits), pairs(here, baseline)];
}

export async function writer(): Promise<void> {
  heading("writer: one batch after the other, without sockets, ms a batch");
  const trees = bothTrees();
  const rows: string[][] = [];
  for (const engine of await engines()) {
    const databases = await inTurn((i) => makeDatabaseOf(trees[i], engine, CONVERSATIONS));
    const writers = await inTurn((i) => startWriter(trees[i], databases[i]));
    try {
      // Warms up query plans and compiled code.
      for (const one of writers) await one.request("30 50");
      for (const [size, count] of BATCHES) {
        const times: Two<number[]> = [[], []];
        for (let turn = 0; turn < TURNS; turn++) {
          for (const i of [0, 1] as const) {
            times[i].push(Number(await writers[i].request(`${size} ${count}`)));
          }
        }
        rows.push(row([engine, String(size)], times, 2));
      }
    } finally {
      for (const one of writers) await one.end();
      for (const database of databases) await database.drop();
    }
  }
  console.log(table(head(["database", "messages a batch"]), rows));
}

function startWriter(tree: Tree, database: BenchDatabase) {
  return startProcess("writer.ts", { ...database.env, BENCH_TREE: tree.path }, tree.path);
}

export async function durable(): Promise<void> {
  heading("durable: 100 connections with 5 messages each under way, acknowledged after commit");
  await measureDurable(() => Promise.resolve());
}

/** The same while one agent follows every table, so that all changes are recorded and sent. */
export async function followed(): Promise<void> {
  heading("followed: durable, with an agent who follows every table");
  const changes: string[] = [];
  await measureDurable(async (server, clients) => {
    const { token } = await login(server);
    const before = clients.onLine;
    let received = 0;
    clients.onLine = (peer, buffer, start, end) => {
      if (peer !== agent) return before(peer, buffer, start, end);
      if (startsWith(buffer, start, CHANGE)) received++;
    };
    let agent!: Peer;
    clients.connectAll(1, () => agent = clients.agent(server.port, token, []));
    for (const name of TABLES) {
      clients.clients.sendFrame(
        agent,
        textFrame(JSON.stringify({ type: "subscribe", id: name, data: { table: name } })),
      );
    }
    clients.clients.during(500);
    return () => changes.push(`${server.name} sent ${number(received)} changes`);
  });
  console.log(`\n${changes.join("; ")}.`);
}

/** @param prepare what is added to each server; gives what is done at the end */
async function measureDurable(
  prepare: (server: BenchServer, clients: ParleyClients) => Promise<(() => void) | void>,
): Promise<void> {
  const trees = bothTrees();
  const rows: string[][] = [];
  for (const engine of await engines()) {
    const databases = await inTurn((i) => makeDatabaseOf(trees[i], engine, CONVERSATIONS));
    const servers = await inTurn((i) => startParley(trees[i], databases[i].env));
    const senders = await inTurn((i) => new Senders(servers[i]));
    const ends = await inTurn((i) => prepare(servers[i], senders[i].parley));
    try {
      // Paced messages first: after a flood there is still work in the background.
      for (const one of senders) one.paced(PACED_PER_SECOND, SECONDS);
      const paced: Record<"p50" | "p99", Two<number[]>> = { p50: [[], []], p99: [[], []] };
      for (let turn = 0; turn < TURNS; turn++) {
        for (const i of [0, 1] as const) {
          const latencies = senders[i].paced(PACED_PER_SECOND, PACED_SECONDS);
          paced.p50[i].push(percentile(latencies, 50));
          paced.p99[i].push(percentile(latencies, 99));
        }
      }
      rows.push(row([engine, `ack p50 at ${PACED_PER_SECOND}/s, ms`], paced.p50, 1));
      rows.push(row([engine, `ack p99 at ${PACED_PER_SECOND}/s, ms`], paced.p99, 1));
      for (const one of senders) one.saturate(SECONDS);
      const acks: Two<number[]> = [[], []];
      const cpu: Two<number[]> = [[], []];
      for (let turn = 0; turn < TURNS; turn++) {
        for (const i of [0, 1] as const) {
          const before = { cpu: servers[i].cpu(), acked: senders[i].acked };
          acks[i].push(senders[i].saturate(SECONDS).perSecond);
          const stored = senders[i].acked - before.acked;
          cpu[i].push((servers[i].cpu() - before.cpu) / stored * 1e6);
        }
      }
      rows.push(row([engine, "acks/s"], acks, 0));
      rows.push(row([engine, "server CPU µs a message"], cpu, 0));
      for (const end of ends) end?.();
    } finally {
      for (const one of senders) one.parley.clients.closeAll();
      for (const one of servers) await one.kill();
      for (const database of databases) await database.drop();
    }
  }
  console.log(table(head(["database", "what"]), rows));
}

export async function live(): Promise<void> {
  heading("live: 500 conversations, 5 agents, 250 messages/s from visitors and as many answers");
  const trees = bothTrees();
  const rows: string[][] = [];
  for (const engine of await engines()) {
    const p50: Two<number[]> = [[], []];
    const p99: Two<number[]> = [[], []];
    const cpu: Two<number[]> = [[], []];
    let lost = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      for (const i of [0, 1] as const) {
        const database = await makeDatabaseOf(trees[i], engine, CONVERSATIONS);
        try {
          const run = await measureLive(() => startParley(trees[i], database.env));
          p50[i].push(percentile(run.toAgent, 50));
          p99[i].push(percentile(run.toAgent, 99));
          cpu[i].push(run.cpu / 100 * run.seconds / (2 * run.sent) * 1e6);
          lost += 2 * run.sent - run.toAgent.length - run.toVisitor.length;
        } finally {
          await database.drop();
        }
      }
    }
    rows.push(row([engine, "visitor to agent p50, ms"], p50, 1));
    rows.push(row([engine, "visitor to agent p99, ms"], p99, 1));
    rows.push(row([engine, "server CPU µs a message"], cpu, 0));
    if (lost > 0) console.log(`\n${engine}: ${lost} messages were LOST\n`);
  }
  console.log(table(head(["database", "what"]), rows));
}

export async function idle(): Promise<void> {
  heading(`idle: ${number(IDLE)} connections, authenticated and joined`);
  const trees = bothTrees();
  const sizes: Two<number[]> = [[], []];
  for (let turn = 0; turn < 3; turn++) {
    for (const i of [0, 1] as const) sizes[i].push(await idleSize(trees[i]));
  }
  console.log(table(head(["what"]), [row(["RSS KiB a connection"], sizes, 1)]));
}

async function idleSize(tree: Tree): Promise<number> {
  const warmUp = 200;
  const database = await makeDatabaseOf(tree, "pglite", IDLE + warmUp);
  const server: BenchServer = await startParley(tree, database.env);
  const visitors = new ParleyClients(() => {});
  try {
    visitors.connectAll(warmUp, (i) => void visitors.visitor(server.port, i));
    visitors.clients.during(2000);
    const before = server.rss();
    visitors.connectAll(IDLE, (i) => void visitors.visitor(server.port, warmUp + i));
    visitors.clients.during(2000);
    return (server.rss() - before) / IDLE / 1024;
  } finally {
    visitors.clients.closeAll();
    await server.kill();
    await database.drop();
  }
}
