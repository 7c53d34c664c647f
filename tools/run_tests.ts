/**
 * `deno task test`: builds what is stale, runs every test that this machine can run, says what was
 * skipped, and ends with the line "N passed, N failed, N skipped". Arguments are files and folders,
 * and options of `deno test`, such as `--filter=name`.
 */
import { buildStale } from "./build.ts";
import { walkFiles } from "./files.ts";

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/m;
// deno-lint-ignore no-control-regex -- the escape sequences of colours
const COLOUR = /\x1b\[[0-9;]*m/g;
/** Folders whose tests are not ours. */
const FOREIGN = new Set(["node_modules", "data"]);

/** Files at once: two more than there are cores, because much of a test is waiting. */
const JOBS = Number(Deno.env.get("DENO_JOBS") ?? Math.min(navigator.hardwareConcurrency + 2, 6));

/**
 * Files that take longest, which begin first: one that begins last keeps a core idle until its end.
 * The table at the end of a run says which they are.
 */
const LONGEST = [
  "tests/faults_test.ts",
  "tests/stuck_database_test.ts",
  "tests/websocket_test_page_test.ts",
  "tests/pages_test.ts",
  "tests/disk_test.ts",
  "tests/search_indexer_test.ts",
  "tests/protocols/matrix_test.ts",
  "tests/nodes_test.ts",
  "tests/protocols/socket_io_recovery_test.ts",
  "tests/protocols/topics_test.ts",
  "tests/writing_together_page_test.ts",
  "tests/contact_erasure_test.ts",
  "tests/analytics_test.ts",
  "tests/search_test.ts",
  "tests/slow_reader_test.ts",
  "tests/composer_page_test.ts",
  "tests/queue_page_test.ts",
];

/** Milliseconds after which a file that hangs is ended, so that the others are told. */
const LIMIT_MS = 15 * 60_000;

/** What a test leaves behind fails it; one that has to leave something says why. */
const SANITIZERS = ["--sanitize-ops", "--sanitize-resources"];

interface Ran {
  file: string;
  seconds: number;
  passed: number;
  failed: number;
  ignored: number;
  /** Names of tests and steps that failed. */
  failures: string[];
  /** Names of those that were skipped, with the reason. */
  skipped: string[];
}

Deno.chdir(new URL("..", import.meta.url));
await buildStale();

const options = Deno.args.filter((arg) => arg.startsWith("-"));
const roots = Deno.args.filter((arg) => !arg.startsWith("-"));
const files = await testFiles();
const all: Ran[] = [];
const queue = files.values();
const running = new Set<string>();
/** What a file says is printed at its end; one that hangs is known by its name. */
const telling = setInterval(() => console.log(`Running: ${[...running].join(" ")}`), 60_000);
await Promise.all(Array.from({ length: JOBS }, async () => {
  for (const file of queue) {
    running.add(file);
    all.push(await run(file));
    running.delete(file);
    if (options.includes("--fail-fast") && all.some(({ failed }) => failed > 0)) return;
  }
}));
clearInterval(telling);
printTimes();
printList("Skipped on this machine", all.flatMap(({ skipped }) => skipped));
printList("Failed", all.flatMap(({ failures }) => failures));
const [passed, failed, ignored] = (["passed", "failed", "ignored"] as const)
  .map((what) => all.reduce((sum, one) => sum + one[what], 0));
console.log(`\n${passed} passed, ${failed} failed` + (ignored! > 0 ? `, ${ignored} skipped` : ""));
Deno.exit(failed === 0 ? 0 : 1);

/** Every file with tests below what was asked for, the longest first. @throws without any. */
async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  const below = roots.length > 0 ? roots : [...Deno.readDirSync(".")].map(({ name }) => name)
    .filter((name) => !name.startsWith(".") && !FOREIGN.has(name));
  for await (const path of walkFiles(below)) if (/_test\.tsx?$/.test(path)) found.push(path);
  if (found.length === 0) throw new Error(`Cannot find tests in "${below.join(" ")}"`);
  const missing = roots.length > 0 ? [] : LONGEST.filter((path) => !found.includes(path));
  if (missing.length > 0) throw new Error(`Cannot begin with "${missing.join()}": no such file`);
  const rank = (path: string) => LONGEST.includes(path) ? LONGEST.indexOf(path) : LONGEST.length;
  return found.sort().sort((a, b) => rank(a) - rank(b));
}

/** Runs one file in a process of its own, and prints what it said: at once where it is the only one. */
async function run(file: string): Promise<Ran> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...SANITIZERS, ...options, file],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said: Uint8Array<ArrayBuffer>[] = [];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const bytes of stream) {
      said.push(bytes);
      if (files.length === 1) await Deno.stdout.write(bytes);
    }
  };
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const [{ success }] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  clearTimeout(limit);
  const text = await new Blob(said).text();
  if (files.length > 1) console.log(text.trim());
  return { file, seconds: (performance.now() - start) / 1000, ...readOutput(file, text, success) };
}

function readOutput(file: string, output: string, success: boolean) {
  const text = output.replace(COLOUR, "");
  const [passed = 0, failed = 0, ignored = 0] = SUMMARY.exec(text)?.slice(1)
    .map((count) => Number(count ?? 0)) ?? [];
  const names = (pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name]) => `${file} => ${name!.trim()}`);
  // Each is told with its error, and once more at the end.
  const failures = [...new Set(names(/^(.+) => \.\/\S+:\d+:\d+$/gm))];
  return {
    passed,
    // A crash outside any test fails the run although no test is counted as failed.
    failed: success ? 0 : Math.max(1, failed),
    ignored,
    failures: success || failures.length > 0 ? failures : [`${file} => outside of its tests`],
    skipped: names(/^(.*\(skipped: .*\)) \.\.\. ignored/gm),
  };
}

function printList(title: string, names: string[]): void {
  if (names.length > 0) console.log(`\n${title}:\n  ${names.join("\n  ")}`);
}

/** Seconds of each file that takes five or more, with what it loads, and the sum of the others. */
function printTimes(): void {
  if (all.length < 2) return;
  const slow = all.filter(({ seconds }) => seconds >= 5).sort((a, b) => b.seconds - a.seconds);
  const others = all.filter(({ seconds }) => seconds < 5);
  const print = (time: number, what: string) =>
    console.log(`${time.toFixed(1).padStart(7)}  ${what}`);
  console.log("\nSeconds of each file, the slowest first:");
  for (const { file, seconds } of slow) print(seconds, file);
  print(others.reduce((sum, { seconds }) => sum + seconds, 0), `${others.length} other files`);
}
