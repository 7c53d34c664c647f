/**
 * `deno task dev`: the server, rebuilt and restarted on every change, and open pages reloaded.
 * Development and production use the same build and the same server.
 */
import { buildStale } from "./build.ts";

const WATCHED = [
  "api",
  "client",
  "components",
  "db",
  "domain",
  "engineio",
  "islands",
  "process",
  "protocol",
  "public",
  "realtime",
  "routes",
  "server",
  "settings",
  "widget",
  "main.ts",
  "server.ts",
  "settings.ts",
];
/** Editors write several files at once; changes within this time count as one. */
const SETTLE_MS = 150;

Deno.chdir(new URL("..", import.meta.url));

let child: Deno.ChildProcess | null = null;

async function stop(): Promise<void> {
  if (child === null) return;
  child.kill("SIGTERM");
  await child.status;
  child = null;
}

async function run(): Promise<void> {
  try {
    await buildStale();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return;
  }
  await stop();
  child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts"],
    env: { DRAIN_MS: "0", DEV_RELOAD: "true" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    await stop();
    Deno.exit(0);
  });
}

await run();
let timer: ReturnType<typeof setTimeout> | undefined;
let queue = Promise.resolve();
for await (const event of Deno.watchFs(WATCHED)) {
  if (event.kind === "access" || event.paths.every((path) => path.endsWith("_test.ts"))) continue;
  clearTimeout(timer);
  timer = setTimeout(() => queue = queue.then(run), SETTLE_MS);
}
