/**
 * `deno task test`: builds what is stale, runs every test that this machine can run, says what was
 * skipped, and ends with the line "N passed, N failed, N skipped". Arguments go to `deno test`.
 */
import { buildStale } from "./build.ts";

const SUMMARY =
  /(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;
// deno-lint-ignore no-control-regex -- the escape sequences of colours
const COLOUR = /\x1b\[[0-9;]*m/g;

Deno.chdir(new URL("..", import.meta.url));
await buildStale();

/** Files at once: much of a test is waiting, but browsers and databases are many processes each. */
const JOBS = Math.min(navigator.hardwareConcurrency, 4);

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--parallel", ...Deno.args],
  env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${JOBS}` },
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

const skipped: string[] = [];
let rest = "";
let counts = { passed: 0, failed: 0, skipped: 0 };
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  await Deno.stdout.write(new TextEncoder().encode(text));
  const lines = (rest + text).replace(COLOUR, "").split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const reason = /^(.*\(skipped: .*\)) \.\.\. ignored/.exec(line)?.[1];
    if (reason !== undefined) skipped.push(reason);
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
if (skipped.length > 0) console.log(`\nSkipped on this machine:\n  ${skipped.join("\n  ")}`);
// A crash outside any test fails the run although no test is counted as failed.
const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
console.log(
  `\n${counts.passed} passed, ${failed} failed` +
    (counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""),
);
Deno.exit(code);
