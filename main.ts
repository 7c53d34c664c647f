import { configureLogging, reportError } from "./logging.ts";
import { createSite } from "./api/site.ts";
import { createParley } from "./server.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { DataDirError } from "./db/data_dir.ts";

/** Prints one line and ends: the start failed for a reason that the operator can mend. */
function refuse(message: string): never {
  console.error(message);
  Deno.exit(1);
}

function settings(): Settings {
  try {
    return readSettings(Deno.env.toObject());
  } catch (error) {
    if (error instanceof SettingsError) refuse(error.message);
    throw error;
  }
}

const config = settings();
await configureLogging(config.LOG_LEVEL);
const site = await createSite({
  dashboardDir: ".output",
  widgetDir: ".build/widget",
  reload: config.DEV_RELOAD,
});
const parley = await createParley(config, { site, onError: reportError }).catch((error) => {
  if (error instanceof DataDirError) refuse(error.message);
  refuse(`Cannot start: ${error instanceof Error ? error.message : String(error)}`);
});

const server = Deno.serve({
  port: config.PORT,
  hostname: config.HOST,
  onListen({ port }) {
    const url = `http://localhost:${port}`;
    console.log(`Parley is ready at ${url}${parley.needsSetup ? "/setup" : ""} (${parley.engine})`);
  },
}, (request, info) => {
  const remote = info.remoteAddr.transport === "tcp" ? info.remoteAddr.hostname : "127.0.0.1";
  return parley.handle(request, remote);
});

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, async () => {
    if (stopping) return;
    stopping = true;
    // Hosts kill what does not end within five seconds; what was acknowledged is stored by then.
    setTimeout(() => Deno.exit(0), 4800);
    await parley.stop();
    await server.shutdown();
    Deno.exit(0);
  });
}
