/** What every way to start has in common: settings, logs, the site, and all parts put together. */
import { getLogger } from "@logtape/logtape";
import { createSite } from "./api/site.ts";
import { DataDirError } from "./db/data_dir.ts";
import { tracingWarning } from "./domain/tracing.ts";
import { configureLogging, reportError } from "./logging.ts";
import { createParley, type Parley } from "./server.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";

/** Prints one line and ends: the start failed for a reason that the operator can mend. */
export function refuse(error: unknown): never {
  const known = error instanceof SettingsError || error instanceof DataDirError;
  const message = error instanceof Error ? error.message : String(error);
  console.error(known ? message : `Cannot start: ${message}`);
  Deno.exit(1);
}

function settings(): Settings {
  try {
    return readSettings(Deno.env.toObject());
  } catch (error) {
    if (error instanceof SettingsError) refuse(error);
    throw error;
  }
}

export interface Booted {
  config: Settings;
  parley: Parley;
  /** Answers a request that came over this connection. */
  serve(request: Request, info: Deno.ServeHandlerInfo): Promise<Response>;
  /** Says where it listens. */
  announce(port: number): void;
}

/** @param parallel this is one of several workers of one process */
export async function boot({ parallel }: { parallel: boolean }): Promise<Booted> {
  const config = settings();
  await configureLogging(config.LOG_LEVEL);
  const warning = tracingWarning(Deno.env.toObject());
  if (warning !== null) getLogger(["parley"]).warn(warning);
  const site = await createSite({
    dashboardDir: ".output",
    widgetDir: ".build/widget",
    reload: config.DEV_RELOAD,
  });
  const parley = await createParley(config, { site, onError: reportError, parallel })
    .catch(refuse);
  return {
    config,
    parley,
    serve(request, { remoteAddr }) {
      const remote = remoteAddr.transport === "tcp" ? remoteAddr.hostname : "127.0.0.1";
      return parley.handle(request, remote);
    },
    announce(port) {
      const url = `http://localhost:${port}${parley.needsSetup ? "/setup" : ""}`;
      console.log(`Parley is ready at ${url} (${parley.engine})`);
    },
  };
}
