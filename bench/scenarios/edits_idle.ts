/** A thousand documents that are open without edits: the memory of each. */
import { ADMIN, conversationOf, type Engine, makeBenchDatabase } from "../lib/databases.ts";
import { post, signIn } from "../lib/http.ts";
import { startServer } from "../lib/processes.ts";
import { type Peer, RawClients, textFrame, textOf } from "../lib/raw_clients.ts";
import { number, table, verdict } from "../lib/report.ts";

const DOCUMENTS = 1_000;
/** Opened before the first reading, so that shared code and caches are not counted. */
const WARM_UP = 100;
const MEMBERS = 2;
/** Documents per connection: below MAX_SUBSCRIPTIONS. */
const OPENED = 100;
const TEXT = "Parley keeps what people write together.\n".repeat(49);
/** Milliseconds after which unused documents are no longer in memory. */
const QUIET_MS = 25_000;
const BUDGET_KB = 20;
const COLLEAGUE = { email: "colleague@example.com", password: ADMIN.password };

interface Reading {
  rss: number;
  heap: number;
}

/** @param engines with `pglite`, the database's own memory is part of the server's */
export async function openDocuments(engines: readonly Engine[]): Promise<void> {
  console.log(
    `\n${number(DOCUMENTS)} open documents of ${number(TEXT.length / 1000)} KB, ` +
      `${MEMBERS} members each:\n`,
  );
  const rows: string[][] = [];
  const verdicts: (() => void)[] = [];
  for (const engine of engines) await measure(engine, rows, verdicts);
  console.log(table(
    ["database", "documents", "server RSS MB", "RSS KB per document"].concat(
      "JavaScript heap KB per document",
    ),
    rows,
  ));
  for (const say of verdicts) say();
}

async function measure(
  engine: Engine,
  rows: string[][],
  verdicts: (() => void)[],
): Promise<void> {
  const total = DOCUMENTS + WARM_UP;
  const database = await makeBenchDatabase(engine, total);
  const server = await startServer("Parley", "hub.ts", database.env, ["--v8-flags=--expose-gc"]);
  let answers = 0;
  const clients = new RawClients((_peer, buffer, start, end) => {
    for (const line of textOf(buffer, start, end).split("\n")) {
      if (line.startsWith('{"type":"error"')) throw new Error(line);
      if (line.startsWith('{"type":"ack","id":"d')) onAnswer(JSON.parse(line));
      else if (line.startsWith('{"type":"ack"')) answers++;
    }
  });
  const documentIds: string[] = [];

  /** The document of `d12` belongs to conversation 12. */
  function onAnswer({ id, data }: { id: string; data: { documentId: string } }): void {
    documentIds[Number(id.slice(1))] = data.documentId;
    answers++;
  }

  function ask(peer: Peer, type: string, id: string, data: Record<string, unknown>): void {
    const before = answers;
    clients.sendFrame(peer, textFrame(JSON.stringify({ type, id, data })));
    clients.until(() => answers > before, `the answer to ${type}`);
  }

  try {
    const token = await signIn(server);
    await post(server, "/api/users", { ...COLLEAGUE, name: "Colleague", role: "agent" }, token);
    const tokens = [token, await signIn(server, COLLEAGUE)];
    const connect = (i: number) => {
      const peer = clients.connect(server.port, "/realtime", [
        "parley.v1",
        `parley.token.${tokens[i % tokens.length]}`,
      ]);
      const before = answers;
      clients.until(() => answers > before, "an agent to sign in");
      return peer;
    };
    // All of them connect before the first reading: connections are not measured here.
    const peers = Array.from({ length: total / OPENED * MEMBERS }, (_, i) => connect(i));
    const open = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const first = Math.floor(i / OPENED) * MEMBERS;
        for (let member = 0; member < MEMBERS; member++) {
          const peer = peers[first + member]!;
          ask(peer, "join_session", `d${i}`, { conversationId: conversationOf(i) });
        }
        const edit = { version: 0, operation: "insert", position: 0, content: TEXT };
        ask(peers[first]!, "edit", "edit", { documentId: documentIds[i], ...edit });
      }
    };
    const read = (ms: number): Reading => {
      clients.during(ms);
      const heap = Number(server.stats().heapUsed);
      clients.during(1000);
      return { rss: server.rss(), heap };
    };

    open(0, WARM_UP);
    const before = read(QUIET_MS);
    open(WARM_UP, total);
    const used = read(0);
    const quiet = read(QUIET_MS);
    const kb = (value: number) => value / DOCUMENTS / 1000;
    const row = (name: string, { rss, heap }: Reading) => [
      engine,
      name,
      number(rss / 1e6),
      number(kb(rss - before.rss), 1),
      number(kb(heap - before.heap), 1),
    ];
    rows.push(row("just written", used), row(`${QUIET_MS / 1000} s later`, quiet));
    const perDocument = kb(quiet.rss - before.rss);
    verdicts.push(() =>
      verdict(
        `${engine}, RSS of an open document at rest`,
        `${number(perDocument, 1)} KB`,
        `< ${BUDGET_KB} KB`,
        perDocument < BUDGET_KB,
      )
    );
  } finally {
    clients.closeAll();
    await server.kill();
    await database.drop();
  }
}
