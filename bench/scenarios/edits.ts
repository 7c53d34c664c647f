/**
 * 50 editors write in one document at once: the time of an edit to each of the others, and its
 * cost; the cost of long texts; and the cost of a document that is open without edits.
 */
import { type Engine, makeBenchDatabase, postgresIsThere } from "../lib/databases.ts";
import { Editors } from "../lib/editors.ts";
import { signIn } from "../lib/http.ts";
import { type BenchServer, cpuSeconds, startServer } from "../lib/processes.ts";
import { heading, number, percentile, table, verdict } from "../lib/report.ts";
import { openDocuments } from "./edits_idle.ts";

const EDITORS = 50;
const PER_SECOND = 5;
const SECONDS = 20;
const WARM_UP_SECONDS = 3;
const TURNS = 2;
const SENTENCE = "Parley keeps what people write together, in one order. 🙂\n";
const TEXT_BYTES = 2_000;
/** Lengths of texts, each measured for some seconds. */
const LENGTHS = [2_000, 100_000, 900_000];
const LENGTH_SECONDS = 8;
const BUDGET_MS = 10;
const LIMITS = { LIMIT_EDITS_PER_MINUTE: "1000000" };

interface Turn {
  arrivals: number[];
  acks: number[];
  /** µs of the server's CPU per edit, and its share of a core. */
  cpuOfEdit: number;
  cpu: number;
  generator: number;
  wrong: number;
  sameText: boolean | null;
}

export async function edits(): Promise<void> {
  heading(
    `edits: ${EDITORS} editors in one document, ${PER_SECOND} edits/s each, a text of ${
      number(TEXT_BYTES / 1000)
    } KB`,
  );
  const engines: Engine[] = ["pglite", ...(await postgresIsThere() ? ["postgres" as const] : [])];
  const rows: string[][] = [];
  const verdicts: (() => void)[] = [];
  for (const engine of engines) await compare(engine, rows, verdicts);
  console.log(table(
    ["database", "server", "to the others p50 ms", "p95", "p99", "ack p50 ms", "p95", "p99"].concat(
      "server CPU µs per edit",
      "server CPU %",
      "generator CPU %",
      "lost, doubled or out of order",
      "same text",
    ),
    rows,
  ));
  for (const say of verdicts) say();
  await longTexts(engines);
  await openDocuments(engines);
}

async function compare(
  engine: Engine,
  rows: string[][],
  verdicts: (() => void)[],
): Promise<void> {
  const bare: Turn[] = [];
  const parley: Turn[] = [];
  const commits: number[][] = [];
  for (let i = 0; i < TURNS; i++) {
    const relay = await startServer("Deno.serve", "deno_serve.ts");
    try {
      bare.push(measure(new Editors(relay, null, EDITORS), relay, SECONDS));
    } finally {
      await relay.kill();
    }
    commits.push(await bareCommits(engine));
    parley.push(await onParley(engine, TEXT_BYTES, SECONDS));
  }
  rows.push(rowOf(engine, "Deno.serve, relays", bare), rowOf(engine, "Parley", parley));
  const commit = [50, 95, 99].map((p) => overTurns(commits, (times) => percentile(times, p), 1));
  rows.push([engine, "one row's commit, alone", "", "", "", ...commit, "", "", "", "", ""]);
  const p95 = percentile(parley.flatMap(({ arrivals }) => arrivals), 95);
  const ratio = p95 / percentile(bare.flatMap(({ arrivals }) => arrivals), 95);
  verdicts.push(() =>
    verdict(
      `${engine}, to the others, p95`,
      `${number(p95, 1)} ms (${number(ratio, 1)} × the relay's; a commit alone ${commit[1]} ms)`,
      `< ${BUDGET_MS} ms`,
      p95 < BUDGET_MS,
    )
  );
}

/** The mean of the turns, and their range. */
function overTurns<T>(turns: readonly T[], of: (turn: T) => number, digits = 0): string {
  const values = turns.map(of);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${number(mean, digits)} (${number(low, digits)} to ${number(high, digits)})`;
}

function rowOf(engine: Engine, name: string, turns: Turn[]): string[] {
  const show = (of: "arrivals" | "acks", p: number) =>
    turns[0]![of].length === 0 ? "" : overTurns(turns, (turn) => percentile(turn[of], p), 1);
  return [
    engine,
    name,
    ...[50, 95, 99].map((p) => show("arrivals", p)),
    ...[50, 95, 99].map((p) => show("acks", p)),
    overTurns(turns, ({ cpuOfEdit }) => cpuOfEdit),
    overTurns(turns, ({ cpu }) => cpu),
    overTurns(turns, ({ generator }) => generator),
    number(turns.reduce((sum, { wrong }) => sum + wrong, 0)),
    turns[0]!.sameText === null ? "" : turns.every(({ sameText }) => sameText) ? "yes" : "NO",
  ];
}

async function onParley(engine: Engine, bytes: number, seconds: number): Promise<Turn> {
  const database = await makeBenchDatabase(engine, 1_000);
  const server = await startServer("Parley", "parley.ts", { ...database.env, ...LIMITS });
  try {
    const editors = new Editors(server, await signIn(server), EDITORS);
    editors.fill(SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes));
    return measure(editors, server, seconds);
  } finally {
    await server.kill();
    await database.drop();
  }
}

function measure(editors: Editors, server: BenchServer, seconds: number): Turn {
  try {
    editors.run(WARM_UP_SECONDS);
    editors.arrivals = [];
    editors.acks = [];
    const before = {
      edits: editors.edits,
      cpu: server.cpu(),
      self: cpuSeconds("self"),
      at: performance.now(),
    };
    editors.run(seconds);
    const elapsed = (performance.now() - before.at) / 1000;
    const cpu = server.cpu() - before.cpu;
    const generator = (cpuSeconds("self") - before.self) / elapsed * 100;
    const { missing, doubled } = editors.check();
    const isPlain = editors.token === null;
    return {
      arrivals: editors.arrivals,
      acks: editors.acks,
      cpuOfEdit: cpu / (editors.edits - before.edits) * 1e6,
      cpu: cpu / elapsed * 100,
      generator,
      // Messages of several senders have no order there.
      wrong: missing + doubled + (isPlain ? 0 : editors.outOfOrder),
      sameText: isPlain ? null : editors.isSameText(),
    };
  } finally {
    editors.clients.closeAll();
  }
}

async function longTexts(engines: Engine[]): Promise<void> {
  console.log(`\nThe same with texts of other lengths, ${LENGTH_SECONDS} s each:\n`);
  const rows: string[][] = [];
  for (const engine of engines) {
    for (const length of LENGTHS) {
      const turn = await onParley(engine, length, LENGTH_SECONDS);
      rows.push([
        engine,
        number(length / 1000),
        ...[50, 95, 99].map((p) => number(percentile(turn.arrivals, p), 1)),
        number(turn.cpuOfEdit),
        number(turn.wrong),
        turn.sameText ? "yes" : "NO",
      ]);
    }
  }
  console.log(table(
    ["database", "text KB", "to the others p50 ms", "p95", "p99", "server CPU µs per edit"].concat(
      "lost, doubled or out of order",
      "same text",
    ),
    rows,
  ));
}

/** Milliseconds of each commit, without other load. */
async function bareCommits(engine: Engine): Promise<number[]> {
  const database = await makeBenchDatabase(engine, 1);
  try {
    const script = new URL("../servers/commits.ts", import.meta.url).pathname;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script],
      env: {
        ...database.env,
        BENCH_PER_SECOND: String(EDITORS * PER_SECOND),
        BENCH_SECONDS: "4",
      },
      stderr: "inherit",
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await database.drop();
  }
}
