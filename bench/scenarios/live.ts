/** 500 live conversations: the time of a message from a visitor's socket to the agent's. */
import {
  ADMIN,
  conversationOf,
  type Engine,
  makeBenchDatabase,
  postgresIsThere,
} from "../lib/databases.ts";
import { bytesOf, ParleyClients, startsWith } from "../lib/parley_clients.ts";
import { type BenchServer, cpuSeconds, startServer } from "../lib/processes.ts";
import { type Peer, textFrame, textOf } from "../lib/raw_clients.ts";
import { heading, number, percentile, table, verdict } from "../lib/report.ts";

const CONVERSATIONS = 500;
const AGENTS = 5;
/** Every visitor writes, and every agent answers, once in two seconds. */
const PER_SECOND = 250;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;
const MESSAGE = bytesOf('{"type":"message",');
const MARK = "sent at ";

export async function live(): Promise<void> {
  heading(
    `live: ${CONVERSATIONS} conversations, ${AGENTS} agents, ${PER_SECOND} messages/s from visitors and as many answers`,
  );
  const engines: Engine[] = ["pglite", ...(await postgresIsThere() ? ["postgres" as const] : [])];
  const rows: string[][] = [];
  const verdicts: (() => void)[] = [];
  for (const engine of engines) {
    const database = await makeBenchDatabase(engine, 10_000);
    const { toAgent, toVisitor, sent, cpu, generator } = await measureLive(
      () => startServer("Parley", "parley.ts", database.env),
    ).finally(() => database.drop());
    const show = (values: number[], p: number) => number(percentile(values, p), 1);
    rows.push([
      engine,
      ...[50, 95, 99].map((p) => show(toAgent, p)),
      ...[50, 99].map((p) => show(toVisitor, p)),
      number(cpu),
      number(generator),
      number(2 * sent - toAgent.length - toVisitor.length),
    ]);
    const [p50, p99] = [percentile(toAgent, 50), percentile(toAgent, 99)];
    verdicts.push(() =>
      verdict(
        `${engine} visitor to agent`,
        `p50 ${number(p50, 1)} ms, p99 ${number(p99, 1)} ms`,
        "p50 < 5 ms, p99 < 25 ms",
        p50 < 5 && p99 < 25,
      )
    );
  }
  console.log(table(
    ["database", "to agent p50 ms", "p95", "p99", "to visitor p50 ms", "p99"].concat(
      "server CPU %",
      "generator CPU %",
      "lost",
    ),
    rows,
  ));
  for (const say of verdicts) say();
}

/** Signs in as the administrator of the benchmark's database. */
export async function login({ port }: BenchServer): Promise<{ token: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ADMIN),
  });
  return await response.json();
}

/** @param start starts the server, which is ended here */
export async function measureLive(start: () => Promise<BenchServer>) {
  const server = await start();
  const toAgent: number[] = [];
  const toVisitor: number[] = [];
  const agents = new Set<Peer>();
  const clients = new ParleyClients((peer, buffer, start, end) => {
    if (!startsWith(buffer, start, MESSAGE)) return;
    const text = textOf(buffer, start, end);
    const at = Number.parseFloat(text.slice(text.indexOf(MARK) + MARK.length));
    const fromVisitor = text.includes('"role":"visitor"');
    if (agents.has(peer) && fromVisitor) toAgent.push(performance.now() - at);
    else if (!agents.has(peer) && !fromVisitor) toVisitor.push(performance.now() - at);
  });
  try {
    const { token } = await login(server);
    const visitors: Peer[] = [];
    clients.connectAll(CONVERSATIONS, (i) => visitors.push(clients.visitor(server.port, i)));
    const agentPeers: Peer[] = [];
    clients.connectAll(AGENTS, (i) => {
      const own = visitors.map((_, v) => v).filter((v) => v % AGENTS === i).map(conversationOf);
      const peer = clients.agent(server.port, token, own);
      agents.add(peer);
      agentPeers.push(peer);
    });

    let number = 0;
    const send = (peer: Peer, conversation: number, at: number) => {
      const content = `${MARK}${at.toFixed(3)} ${"x".repeat(120)}`;
      const data = {
        conversationId: conversationOf(conversation),
        content,
        clientMessageId: `m${++number}`,
      };
      clients.clients.sendFrame(peer, textFrame(JSON.stringify({ type: "message", data })));
    };
    const run = (seconds: number): number => {
      const total = PER_SECOND * seconds;
      const start = performance.now();
      for (let i = 0; i < total; i++) {
        const at = start + i * 1000 / PER_SECOND;
        for (let left = at - performance.now(); left > 0; left = at - performance.now()) {
          clients.clients.poll(Math.floor(left));
        }
        const conversation = i % CONVERSATIONS;
        send(visitors[conversation]!, conversation, at);
        const answered = (conversation + CONVERSATIONS / 2) % CONVERSATIONS;
        send(agentPeers[answered % AGENTS]!, answered, at);
      }
      clients.clients.during(500);
      return total;
    };

    run(WARM_UP_SECONDS);
    toAgent.length = 0;
    toVisitor.length = 0;
    const before = { cpu: server.cpu(), self: cpuSeconds("self"), at: performance.now() };
    const sent = run(SECONDS);
    const elapsed = (performance.now() - before.at) / 1000;
    return {
      toAgent,
      toVisitor,
      sent,
      seconds: elapsed,
      cpu: (server.cpu() - before.cpu) / elapsed * 100,
      generator: (cpuSeconds("self") - before.self) / elapsed * 100,
    };
  } finally {
    clients.clients.closeAll();
    await server.kill();
  }
}
