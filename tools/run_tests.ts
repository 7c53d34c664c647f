/**
 * `deno task test`: builds what is stale, runs every test that this machine can run, says what was
 * skipped, and ends with the line "N passed, N failed, N skipped". Arguments go to `deno test`.
 */
import { buildStale } from "./build.ts";

const SUMMARY =
  /(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;
/** A test's line where several files run at once; a step's has another "..." in it. */
const TIMED =
  /^\.\/(\S+) => (?!.* \.\.\. .* \.\.\. ).* \.\.\. \w+ \((?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?\)$/;
// deno-lint-ignore no-control-regex -- the escape sequences of colours
const COLOUR = /\x1b\[[0-9;]*m/g;

Deno.chdir(new URL("..", import.meta.url));
await buildStale();

/** Files at once: much of a test is waiting, but browsers and databases are many processes each. */
const JOBS = Math.min(navigator.hardwareConcurrency, 4);

/** What a test leaves behind fails it; one that has to leave something says why. */
const SANITIZERS = ["--sanitize-ops", "--sanitize-resources"];

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--parallel", ...SANITIZERS, ...Deno.args],
  env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${JOBS}` },
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

const skipped: string[] = [];
const seconds = new Map<string, number>();
let rest = "";
let counts = { passed: 0, failed: 0, skipped: 0 };
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  await Deno.stdout.write(new TextEncoder().encode(text));
  const lines = (rest + text).replace(COLOUR, "").split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const reason = /^(.*\(skipped: .*\)) \.\.\. ignored/.exec(line)?.[1];
    if (reason !== undefined) skipped.push(reason);
    const timed = TIMED.exec(line);
    if (timed !== null) {
      const [, file, min, s, ms] = timed;
      const took = Number(min ?? 0) * 60 + Number(s ?? 0) + Number(ms ?? 0) / 1000;
      seconds.set(file!, (seconds.get(file!) ?? 0) + took);
    }
    const summary = SUMMARY.exec(line);
    if (summary !== null) {
      counts = {
        passed: Number(summary[1]),
        failed: Number(summary[2]),
        skipped: Number(summary[3] ?? 0),
      };
    }
  }
}
const { code } = await child.status;
printTimes();
if (skipped.length > 0) console.log(`\nSkipped on this machine:\n  ${skipped.join("\n  ")}`);
// A crash outside any test fails the run although no test is counted as failed.
const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
console.log(
  `\n${counts.passed} passed, ${failed} failed` +
    (counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""),
);
Deno.exit(code);

/** Seconds of each file that takes one or more, the slowest first, and the sum of the others. */
function printTimes(): void {
  const slow = [...seconds].filter(([, time]) => time >= 1).sort((a, b) => b[1] - a[1]);
  if (slow.length < 2) return;
  const others = [...seconds.values()].filter((time) => time < 1);
  const print = (time: number, what: string) =>
    console.log(`${time.toFixed(1).padStart(7)}  ${what}`);
  console.log("\nSeconds of each file, the slowest first:");
  for (const [file, time] of slow) print(time, file);
  print(others.reduce((sum, time) => sum + time, 0), `${others.length} other files`);
}
