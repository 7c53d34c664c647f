/**
 * `deno task start`: builds what is missing or stale, then runs the server in this process; with
 * `--parallel` in another process with a worker for each core (DENO_JOBS sets the number).
 */
import { listenError } from "../process/listener.ts";
import { brokerKind } from "../process/open_broker.ts";
import { exitWithError } from "../process/startup.ts";
import { readSettings, SettingsError } from "../settings.ts";
import { buildStale } from "./build.ts";

Deno.chdir(new URL("..", import.meta.url));
await buildStale();
if (Deno.args.includes("--parallel")) await serveParallel();
else await import("../main.ts");

async function serveParallel(): Promise<never> {
  const { host, port } = check();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["serve", "-A", "--parallel", "--host", host, "--port", `${port}`, "process/parallel.ts"],
    // Ctrl-C reaches only this process, which then stops the workers gracefully.
    detached: true,
    stdin: "null",
  }).spawn();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => child.kill("SIGQUIT"));
  }
  Deno.exit((await child.status).code);
}

/** Checked here, because each worker would report it again. */
function check() {
  try {
    const settings = readSettings(Deno.env.toObject());
    brokerKind(settings, true);
    if (settings.server.port === 0) {
      throw new SettingsError(
        "Cannot start: setting PORT is 0: several workers need a port that is the same for all",
      );
    }
    // The workers share the port, so another Parley on it would not be noticed.
    try {
      Deno.listen({ hostname: settings.server.host, port: settings.server.port }).close();
    } catch (error) {
      throw listenError(error, settings.server);
    }
    return settings.server;
  } catch (error) {
    return exitWithError(error);
  }
}
