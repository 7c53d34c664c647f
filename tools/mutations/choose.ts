/**
 * Chooses small faults by a seed, spread over all folders of server and client, and writes them to
 * list.json: `deno run -A tools/mutations/choose.ts --seed 10 --count 40`. Afterwards the nearest
 * tests are added to the list by hand.
 */
import { parseArgs } from "node:util";
import { walkFiles } from "../files.ts";
import { OPERATORS } from "./operators.ts";

export interface Mutation {
  id: number;
  file: string;
  /** The lines before and after the changed one, to tell it from equal lines in the file. */
  context: [string, string];
  before: string;
  /** null: the line is removed. */
  after: string | null;
  operator: string;
  /** Test files that should notice it. */
  tests: string[];
  /** Why no test can notice it: it does not change the behaviour. */
  equivalent?: string;
}

const FOLDERS = [
  "api",
  "client",
  "components/live",
  "db",
  "domain/agents",
  "domain/analytics",
  "domain/bot",
  "domain/collaboration",
  "domain/conversations",
  "domain/notifications",
  "domain/programs",
  "domain/search",
  "domain/tables",
  "domain/visitors",
  "domain",
  "engineio",
  "protocol",
  "realtime",
  "realtime/protocols",
  "widget",
];

/** A small generator with reproducible numbers (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function sourcesOf(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of walkFiles([folder])) files.push(file);
  const deeper = FOLDERS.filter((other) => other.startsWith(`${folder}/`));
  return files.filter((file) =>
    /\.tsx?$/.test(file) && !/(_test|test_\w+|types|\.css)\.tsx?$/.test(file) &&
    !file.includes("/migrations/") && !deeper.some((other) => file.startsWith(`${other}/`)) &&
    !/client\/test_/.test(file)
  ).sort();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "10" },
      count: { type: "string", default: "40" },
    },
  });
  const random = createRandom(Number(values.seed));
  const count = Number(values.count);
  const sites = new Map<string, Mutation[]>();
  for (const folder of FOLDERS) {
    const found: Mutation[] = [];
    for (const file of await sourcesOf(folder)) {
      const lines = (await Deno.readTextFile(file)).split("\n");
      for (const [i, line] of lines.entries()) {
        for (const { name, apply } of OPERATORS) {
          const after = apply(line);
          if (after === undefined) continue;
          const context: [string, string] = [lines[i - 1] ?? "", lines[i + 1] ?? ""];
          const mutation = { file, context, before: line, after, operator: name };
          found.push({ id: 0, ...mutation, tests: [] });
        }
      }
    }
    sites.set(folder, found);
  }
  // Takes the folders in turn, so that none is left out, and one fault per file.
  const chosen: Mutation[] = [];
  const files = new Set<string>();
  while (chosen.length < count) {
    for (const folder of FOLDERS) {
      const left = sites.get(folder)!.filter(({ file }) => !files.has(file));
      if (left.length === 0 || chosen.length === count) continue;
      const operators = [...new Set(left.map(({ operator }) => operator))].sort();
      const operator = operators[Math.floor(random() * operators.length)];
      const fitting = left.filter((site) => site.operator === operator);
      const mutation = fitting[Math.floor(random() * fitting.length)]!;
      files.add(mutation.file);
      chosen.push({ ...mutation, id: chosen.length + 1 });
    }
  }
  await Deno.writeTextFile(
    new URL("list.json", import.meta.url),
    `${JSON.stringify(chosen, null, 2)}\n`,
  );
}
