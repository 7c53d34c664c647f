/** What both entries have in common: settings, logs, the site, and putting all parts together. */
import { dirname } from "node:path";
import { getLogger } from "@logtape/logtape";
import { pathOf } from "../api/path.ts";
import { respondWhileStarting } from "../api/probes.ts";
import { problemResponse } from "../api/problem.ts";
import { withSecurityHeaders } from "../api/security_headers.ts";
import { type BuiltSite, createSite } from "../api/site.ts";
import { DataDirError } from "../db/data_dir.ts";
import { tracingWarning } from "../domain/tracing.ts";
import { createPeerReader } from "../realtime/address.ts";
import { createParley, type Parley } from "../server.ts";
import { readSettings, type Settings, SettingsError } from "../settings.ts";
import {
  configureLogging,
  type LogFormat,
  logMigrated,
  logReady,
  logSetupCode,
  plain,
  reportError,
} from "./logging.ts";
import { openStoreWithRetry } from "./open_store.ts";
import { StartError } from "./start_error.ts";
import { logUncaughtErrors } from "./uncaught_errors.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

const logger = getLogger("parley");

/** What is built lies in the folder of main.ts, wherever the process was started. */
const HOME = dirname(import.meta.dirname!);

/** Prints one line and ends: the start failed for a reason that the operator can fix. */
export function exitWithError(error: unknown): never {
  const known = error instanceof SettingsError || error instanceof DataDirError ||
    error instanceof StartError;
  const message = error instanceof Error ? error.message : String(error);
  console.error(known ? message : `Cannot start: ${message}`);
  Deno.exit(1);
}

function readOrExit(): Settings {
  try {
    return readSettings(Deno.env.toObject());
  } catch (error) {
    if (error instanceof SettingsError) exitWithError(error);
    throw error;
  }
}

export interface Startup {
  settings: Settings;
  /** Answers a request, also while the server is starting. */
  serve(request: Request, info: Deno.ServeHandlerInfo): Promise<Response>;
  /** The answer where `serve` has thrown. */
  failed(error: unknown): Response;
  /**
   * Opens the database, waiting for it as long as that can help, and puts all parts together. Where
   * that fails it ends the process with one line.
   *
   * @param port for the log
   */
  start(port: number): Promise<void>;
  /** Logs where it listens, once it is ready. */
  announce(port: number): void;
  /** Stops what was started, or the wait for the database. */
  stop(): Promise<void>;
}

/** EX_TEMPFAIL: the process cannot continue, and its supervisor should start it again. */
export const EXIT_RESTART = 75;

/** @param parallel this is one of several workers of one process */
export async function prepareStart(
  { parallel, onFatal, onUncaught }: {
    parallel: boolean;
    /** The process cannot continue: memory is exhausted, or the embedded engine has ended. */
    onFatal: () => void;
    /** @returns whether the error is handled; others are logged. */
    onUncaught?: (error: unknown) => boolean;
  },
): Promise<Startup> {
  const settings = readOrExit();
  await configureLogging(settings.telemetry.logLevel, formatOf(settings));
  const warning = tracingWarning(Deno.env.toObject());
  if (warning !== null) logger.warn(warning);
  logUncaughtErrors(onUncaught);
  const stopping = new AbortController();
  const peer = createPeerReader(settings.server.trustedProxies, {
    hosted: settings.onDeploy,
    ownOrigin: settings.server.publicUrl,
  });
  let missing = ["The server is starting"];
  let site: BuiltSite | null = null;
  let parley: Parley | null = null;
  let starting: Promise<void> | null = null;
  let watchdog: Watchdog | null = null;
  let announced: number | null = null;

  function announceReady(): void {
    if (announced === null || parley === null) return;
    const url = `http://localhost:${announced}${parley.needsSetup ? "/setup" : ""}`;
    const { engine, broker, node } = parley;
    logReady({ url, host: settings.server.host, port: announced, engine, broker, node });
    if (parley.setupCode !== null) logSetupCode(parley.setupCode);
  }

  async function loadSite(): Promise<BuiltSite> {
    try {
      return site = await createSite({
        dashboardDir: `${HOME}/.output`,
        widgetDir: `${HOME}/.build/widget`,
        reload: settings.server.devReload,
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new StartError(
        `Cannot start: the dashboard is not built in "${HOME}" (run "deno task build" first)`,
      );
    }
  }

  /** At the start the engine may take longer: for migrations, and to recover from a crash. */
  function watchEngine(): Watchdog | null {
    const { url, stuckMs, jobTimeoutMs } = settings.database;
    if (url !== undefined || stuckMs === 0) return null;
    const startMs = jobTimeoutMs === 0 ? 0 : Math.max(jobTimeoutMs, stuckMs);
    return startWatchdog(startMs, formatOf(settings));
  }

  async function open(port: number): Promise<void> {
    watchdog = watchEngine();
    const loading = loadSite();
    const migrated: string[] = [];
    const callbacks = {
      onError: reportError,
      onMigrated: (name: string) => void migrated.push(name),
      onDead(reason: string) {
        logger.fatal(
          plain(
            `The embedded database has ended: ${reason}. This process ends, to be started again`,
          ),
        );
        onFatal();
      },
    };
    const opening = openStoreWithRetry(settings, callbacks, {
      signal: stopping.signal,
      onWait: (sentence) => logger.warn(plain(`Listening on port ${port}, ${sentence}`), { port }),
      onMissing: (sentence) => missing = [sentence],
      onAvailable(ms, where) {
        const seconds = Math.round(ms / 100) / 10;
        logger.info(plain(`The database at "${where}" is there after ${seconds} s`), {
          where,
          seconds,
        });
      },
    });
    const [site, store] = await Promise.all([loading, opening]);
    if (migrated.length > 0) logMigrated(migrated, settings.database);
    missing = ["The server is starting"];
    const opened = await createParley(settings, {
      onError: reportError,
      onFatal,
      parallel,
      site,
      store,
    });
    if (stopping.signal.aborted) return await opened.stop();
    parley = opened;
    watchdog?.allow(settings.database.stuckMs);
    announceReady();
  }

  return {
    settings,
    async serve(request, { remoteAddr }) {
      const remote = remoteAddr.transport === "tcp" ? remoteAddr.hostname : "127.0.0.1";
      if (parley !== null) return await parley.handle(request, remote);
      const path = pathOf(request);
      if (path instanceof Response) return withSecurityHeaders(path, false);
      // Websites get the widget already now, and it waits for the server.
      const response = site?.file(request, path) ??
        respondWhileStarting(request, path, { missing: () => missing });
      return withSecurityHeaders(response, peer(request, remote).selfOrigin.startsWith("https:"));
    },
    failed(error) {
      reportError(error);
      const detail = "Cannot answer: internal error";
      return withSecurityHeaders(problemResponse({ code: "internal", detail }), false);
    },
    async start(port) {
      try {
        await (starting = open(port));
      } catch (error) {
        if (!stopping.signal.aborted) exitWithError(error);
      }
    },
    announce(port) {
      announced = port;
      announceReady();
    },
    async stop() {
      stopping.abort();
      await starting?.catch(() => {});
      await parley?.stop();
      watchdog?.stop();
    },
  };
}

/** Text for people at a terminal, JSON for programs that collect logs. */
function formatOf({ telemetry: { logFormat } }: Settings): LogFormat {
  if (logFormat !== "auto") return logFormat;
  return Deno.stdout.isTerminal() ? "text" : "json";
}
