/**
 * Applies each fault of list.json to the code, runs the nearest test files, and reverts it: `deno
 * run -A tools/mutations/run.ts [id …]`. A fault that no test notices has survived. Exits with 1
 * when fewer than 95 in 100 were noticed; a fault that does not fit the code counts as not noticed.
 */
import type { Mutation } from "./choose.ts";

Deno.chdir(new URL("../..", import.meta.url));
const TIMEOUT_S = 120;

type Verdict = "noticed" | "survived" | "does not fit" | "no test";

/** The text with the fault in it; null where its line does not exist exactly once. */
function inject(text: string, { before, after, context }: Mutation): string | null {
  const lines = text.split("\n");
  const places = lines.flatMap((line, i) =>
    line === before && (lines[i - 1] ?? "") === context[0] && (lines[i + 1] ?? "") === context[1]
      ? [i]
      : []
  );
  if (places.length !== 1) return null;
  lines.splice(places[0]!, 1, ...(after === null ? [] : [after]));
  return lines.join("\n");
}

/** A fault that makes a test hang is noticed, too: after the timeout all processes are ended. */
async function testsPass(files: string[]): Promise<boolean> {
  const test = [Deno.execPath(), "run", "-A", "tools/run_tests.ts", "--fail-fast", ...files];
  const { success } = await new Deno.Command("timeout", {
    args: ["--kill-after=5", String(TIMEOUT_S), ...test],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function check(mutation: Mutation): Promise<Verdict> {
  if (mutation.tests.length === 0) return "no test";
  const text = await Deno.readTextFile(mutation.file);
  const faulty = inject(text, mutation);
  if (faulty === null) return "does not fit";
  const restore = () => Deno.writeTextFileSync(mutation.file, text);
  const interrupted = () => {
    restore();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  Deno.addSignalListener("SIGTERM", interrupted);
  try {
    await Deno.writeTextFile(mutation.file, faulty);
    return await testsPass(mutation.tests) ? "survived" : "noticed";
  } finally {
    restore();
    Deno.removeSignalListener("SIGINT", interrupted);
    Deno.removeSignalListener("SIGTERM", interrupted);
  }
}

const list: Mutation[] = JSON.parse(
  await Deno.readTextFile(new URL("list.json", import.meta.url)),
);
const ids = Deno.args.map(Number);
const wanted = list.filter(({ id, equivalent }) =>
  equivalent === undefined && (ids.length === 0 || ids.includes(id))
);
const verdicts: Verdict[] = [];
for (const mutation of wanted) {
  const verdict = await check(mutation);
  verdicts.push(verdict);
  const { id, file, operator, before } = mutation;
  console.log(`${verdict.padEnd(12)} ${id} ${file} (${operator}): ${before.trim()}`);
}
const noticed = verdicts.filter((verdict) => verdict === "noticed").length;
console.log(`\n${noticed} of ${verdicts.length} faults were noticed`);
Deno.exit(noticed / verdicts.length >= 0.95 ? 0 : 1);
