/** A restart under 1,000 clients who are all writing: when all are back, and what was lost. */
import { openDatabase } from "../../db/database.ts";
import {
  type BenchDatabase,
  conversationOf,
  type Engine,
  makeBenchDatabase,
  postgresIsThere,
  sessionOf,
} from "../lib/databases.ts";
import { libc, tryConnect } from "../lib/libc.ts";
import { startServer } from "../lib/processes.ts";
import { type Peer, RawClients, textFrame, textOf } from "../lib/raw_clients.ts";
import { heading, number, percentile, table, verdict } from "../lib/report.ts";

const CLIENTS = 1000;
const BUDGET_MS = 2000;

/** A visitor across all their connections. */
interface Client {
  peer: Peer | null;
  epoch: string;
  seq: number;
  /** How often each seq arrived, live or replayed. */
  seen: Map<number, number>;
  acked: boolean;
  joined: boolean;
  recovered: boolean;
}

/** The parts of server messages that are used. */
interface Line {
  type: string;
  id?: string;
  data: {
    seq?: number;
    epoch?: string;
    recovered?: boolean;
    events?: { data: { seq: number } }[];
  };
}

export async function reconnect(): Promise<void> {
  heading(
    `reconnect: SIGTERM and a new start under ${CLIENTS} clients, each with a message under way`,
  );
  const engines: Engine[] = ["pglite", ...(await postgresIsThere() ? ["postgres" as const] : [])];
  const rows: string[][] = [];
  const verdicts: (() => void)[] = [];
  for (const engine of engines) {
    const database = await makeBenchDatabase(engine, CLIENTS);
    try {
      const result = await restart(database);
      const stored = await storedMessages(database);
      rows.push([
        engine,
        number(result.ackedBefore),
        number(result.downMs),
        ...[50, 99, 100].map((p) => number(percentile(result.recoveredAfter, p))),
        number(result.notRecovered),
        `${number(CLIENTS - stored.distinct)} / ${number(stored.rows - stored.distinct)}`,
        number(result.seenWrong),
        number(result.queries / CLIENTS, 2),
        number(result.cpuMs / CLIENTS, 2),
      ]);
      const last = Math.max(...result.recoveredAfter);
      verdicts.push(() =>
        verdict(
          `${engine}: all back`,
          `${number(last)} ms after the port was open`,
          `< ${BUDGET_MS} ms`,
          last < BUDGET_MS && result.notRecovered === 0 && stored.distinct === CLIENTS,
        )
      );
    } finally {
      await database.drop();
    }
  }
  console.log(table(
    [
      "database",
      "acked before the stop",
      "port closed ms",
      "back p50 ms",
      "p99",
      "last",
      "without recovery",
      "messages lost / doubled",
      "events missed or doubled",
      "queries a client",
      "server CPU ms a client",
    ],
    rows,
  ));
  for (const say of verdicts) say();
}

async function restart(database: BenchDatabase) {
  const clients: Client[] = Array.from({ length: CLIENTS }, () => ({
    peer: null,
    epoch: "",
    seq: 0,
    seen: new Map(),
    acked: false,
    joined: false,
    recovered: false,
  }));
  const owner = new Map<Peer, number>();
  const raw = new RawClients((peer, buffer, start, end) => {
    for (const line of textOf(buffer, start, end).split("\n")) {
      onLine(owner.get(peer)!, JSON.parse(line));
    }
  });

  function see(client: Client, seq: number): void {
    client.seen.set(seq, (client.seen.get(seq) ?? 0) + 1);
    client.seq = Math.max(client.seq, seq);
  }

  function onLine(i: number, { type, id, data }: Line): void {
    const client = clients[i]!;
    if (type === "error") throw new Error(JSON.stringify(data));
    if (type === "message") see(client, data.seq!);
    if (type !== "ack") return;
    if (id === "message") client.acked = true;
    if (id === "auth") {
      const position = client.epoch === "" ? {} : { epoch: client.epoch, seq: client.seq };
      send(client, "join", { conversationId: conversationOf(i), ...position });
    }
    if (id === "join") {
      client.joined = true;
      client.recovered = data.recovered!;
      client.epoch = data.epoch!;
      for (const event of data.events ?? []) see(client, event.data.seq);
    }
  }

  function send(client: Client, type: string, data: unknown): void {
    raw.sendFrame(client.peer!, textFrame(JSON.stringify({ type, id: type, data })));
  }

  function sendMessage(i: number): void {
    const client = clients[i]!;
    send(client, "message", {
      conversationId: conversationOf(i),
      content: "Is anybody there?",
      clientMessageId: `only-${i}`,
    });
  }

  function connect(i: number, port: number): void {
    const client = clients[i]!;
    client.joined = false;
    client.peer = raw.connect(port, "/realtime", ["parley.v1", `parley.session.${sessionOf(i)}`]);
    owner.set(client.peer, i);
  }

  const first = await startServer("Parley", "parley.ts", database.env);
  const { port } = first;
  const cpuOfStart = first.cpu();
  let second: typeof first | undefined;
  try {
    for (let i = 0; i < CLIENTS; i++) {
      connect(i, port);
      if (i % 50 === 49) raw.until(() => clients[i - 20]!.joined, "clients to join");
    }
    raw.until(() => clients.every((client) => client.joined), "clients to join");
    for (let i = 0; i < CLIENTS; i++) sendMessage(i);
    Deno.kill(first.pid, "SIGTERM");
    raw.until(() => clients.every((client) => client.peer!.closed !== null), "the server to end");
    const closedAt = performance.now();
    await first.kill("SIGTERM");
    const ackedBefore = clients.filter((client) => client.acked).length;

    const starting = startServer("Parley", "parley.ts", { ...database.env, PORT: String(port) });
    for (let fd = tryConnect(port);; fd = tryConnect(port)) {
      if (fd === null) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      libc.close(fd);
      break;
    }
    const open = performance.now();
    const recoveredAfter: number[] = [];
    const done = new Set<number>();
    const resent = new Set<number>();
    const look = () => {
      clients.forEach((client, i) => {
        if (!client.joined || done.has(i)) return;
        if (!client.acked && !resent.has(i)) {
          resent.add(i);
          sendMessage(i);
        }
        if (client.acked && client.seen.has(1)) {
          done.add(i);
          recoveredAfter.push(performance.now() - open);
        }
      });
      return done.size === CLIENTS;
    };
    for (let i = 0; i < CLIENTS; i++) {
      connect(i, port);
      if (i % 20 === 19) raw.poll(0);
    }
    raw.until(look, "all clients to recover", 60_000);
    second = await starting;
    raw.during(300);
    const cpuMs = (second.cpu() - cpuOfStart) * 1000;
    return {
      cpuMs,
      // Includes those of the start itself, a few dozen.
      queries: await queriesOf(port),
      ackedBefore,
      downMs: open - closedAt,
      recoveredAfter,
      notRecovered: clients.filter((client) => !client.recovered).length,
      seenWrong: clients.filter(({ seen }) => seen.size !== 1 || seen.get(1) !== 1).length,
    };
  } finally {
    raw.closeAll();
    await first.kill();
    await second?.kill("SIGTERM");
  }
}

/** Queries since the start, as counted by the server. */
async function queriesOf(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^parley_database_query_seconds_count (\d+)$/m.exec(text)![1]);
}

async function storedMessages({ url, dataDir }: BenchDatabase) {
  const { db, close } = await openDatabase({ url, dataDir, pool: 2 });
  const stored = await db.selectFrom("chat_messages").select("client_message_id").execute();
  await close();
  return {
    rows: stored.length,
    distinct: new Set(stored.map((row) => row.client_message_id)).size,
  };
}
