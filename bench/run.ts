/**
 * `deno task bench [scenario…]`: measures against named baselines and prints Markdown tables. `deno
 * task bench --against REV [scenario…]` compares this tree with another revision, in turns. Each
 * scenario runs in a separate process, which is also the load generator; the servers are further
 * processes. Nothing here is a test: a missed budget is reported, and is no failure.
 */
import { parseArgs } from "node:util";
import { describeMachine } from "./lib/machine.ts";
import { AGAINST, checkOut } from "./lib/trees.ts";

type Scenarios = Record<string, () => Promise<() => Promise<void>>>;

const ALONE: Scenarios = {
  fanout: async () => (await import("./scenarios/fanout.ts")).fanout,
  single: async () => (await import("./scenarios/single.ts")).single,
  durable: async () => (await import("./scenarios/durable.ts")).durable,
  idle: async () => (await import("./scenarios/idle.ts")).idle,
  slow: async () => (await import("./scenarios/slow.ts")).slow,
  reconnect: async () => (await import("./scenarios/reconnect.ts")).reconnect,
  live: async () => (await import("./scenarios/live.ts")).live,
  edits: async () => (await import("./scenarios/edits.ts")).edits,
  scale: async () => (await import("./scenarios/scale.ts")).scale,
  size: async () => (await import("./scenarios/size.ts")).size,
  analytics: async () => (await import("./scenarios/analytics.ts")).analytics,
  limiter: async () => (await import("./scenarios/limiter.ts")).limiter,
  aged: async () => (await import("./scenarios/aged.ts")).aged,
  pages: async () => (await import("./scenarios/pages.ts")).pages,
};

/** Scenarios that can be run on two revisions. */
const PAIRED: Scenarios = {
  writer: async () => (await import("./scenarios/against.ts")).writer,
  durable: async () => (await import("./scenarios/against.ts")).durable,
  followed: async () => (await import("./scenarios/against.ts")).followed,
  live: async () => (await import("./scenarios/against.ts")).live,
  idle: async () => (await import("./scenarios/against.ts")).idle,
};

const { values: { against, one }, positionals: wanted } = parseArgs({
  args: Deno.args,
  options: { against: { type: "string" }, one: { type: "string" } },
  allowPositionals: true,
});
const paired = against !== undefined || Deno.env.has(AGAINST.path);
const scenarios = paired ? PAIRED : ALONE;
if (one !== undefined) {
  await (await scenarios[one]!())();
  Deno.exit(0);
}
const names = wanted.length > 0 ? wanted : Object.keys(scenarios);
const unknown = names.find((name) => !Object.hasOwn(scenarios, name));
if (unknown !== undefined) {
  console.error(`No scenario "${unknown}"; there are ${Object.keys(scenarios).join(", ")}`);
  Deno.exit(1);
}

if (Deno.build.os !== "linux") {
  console.error("The benchmarks need Linux: they read /proc and call the C library");
  Deno.exit(1);
}
console.log(await describeMachine());
const other = against === undefined ? null : await checkOut(against);
const env: Record<string, string> = other === null
  ? {}
  : { [AGAINST.path]: other.path, [AGAINST.name]: other.name };
let failed = false;
for (const name of names) {
  const started = performance.now();
  const busyBefore = busy();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(import.meta.url).pathname, `--one=${name}`],
    env,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const { success } = await child.status;
  if (!success) failed = true;
  const seconds = (performance.now() - started) / 1000;
  const after = busy();
  const others = (after.machine - after.own - busyBefore.machine + busyBefore.own) / seconds;
  console.log(
    `\n${name} took ${seconds.toFixed(0)} s; everything else on the machine ` +
      `(a Postgres server, too) used ${
        others.toFixed(2)
      } of ${navigator.hardwareConcurrency} cores.`,
  );
}
await other?.remove();
if (failed) Deno.exit(1);

/** CPU seconds of this process and its ended children, and of the whole machine. */
function busy(): { own: number; machine: number } {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ").map(Number);
  const own = fields[11]! + fields[12]! + fields[13]! + fields[14]!;
  const [user, nice, system, , , irq, softirq, steal] = Deno.readTextFileSync("/proc/stat")
    .split("\n")[0]!.trim().split(/\s+/).slice(1).map(Number);
  const machine = user! + nice! + system! + irq! + softirq! + steal!;
  return { own: own / 100, machine: machine / 100 };
}
