/**
 * Puts a whole Parley together from settings, so that main.ts and every test start the same thing.
 * `server/` has the parts.
 */
import { createWorkers } from "./api/workers.ts";
import type { Site } from "./api/site.ts";
import { isUnavailable } from "./db/database_error.ts";
import { createPasswords } from "./domain/agents/passwords.ts";
import { setupCode } from "./domain/agents/setup_code.ts";
import { createEventBus, type EventBus } from "./domain/events.ts";
import { watchDatabase } from "./domain/metrics.ts";
import { guardMemory } from "./process/memory_guard.ts";
import { type BrokerKind, brokerKind } from "./process/open_broker.ts";
import { openStore, type Store } from "./process/open_store.ts";
import type { Realtime, RealtimeStats } from "./realtime/types.ts";
import { createAccess } from "./server/access.ts";
import { createApi } from "./server/api.ts";
import { startBackground } from "./server/background.ts";
import type { Core, ReportError } from "./server/core.ts";
import { publishDashboard } from "./server/dashboard.ts";
import { createServerFiles } from "./server/files.ts";
import { createHandler, type Handler } from "./server/handler.ts";
import { createServerProbes } from "./server/probes.ts";
import { startRealtime } from "./server/realtime.ts";
import { createServices } from "./server/services.ts";
import type { Settings } from "./settings.ts";

export interface Parley {
  handle: Handler["handle"];
  readonly engine: "postgres" | "pglite";
  readonly broker: BrokerKind;
  /** Name of this node. */
  readonly node: string;
  readonly needsSetup: boolean;
  /** What a first setup from another machine has to bring; null once there is a user. */
  readonly setupCode: string | null;
  stats(): RealtimeStats;
  /** Tells clients to reconnect, stores what was accepted, and closes the database. */
  stop(): Promise<void>;
}

export interface ParleyOptions {
  site: Site | null;
  onError: ReportError;
  /** This is one of several workers of one process. */
  parallel?: boolean;
  /** The database, where it is open already. */
  store?: Store;
  /** Memory is exhausted: stop, and end the process. Default: nothing. */
  onFatal?: () => void;
  /** For benchmarks: an event bus of their own, and how much the writer may group. */
  bus?: EventBus;
  maxBatch?: number;
  /** For tests: how expensive a hash of a password is; see `PasswordLimits`. */
  passwordCost?: number;
}

export async function createParley(settings: Settings, options: ParleyOptions): Promise<Parley> {
  const { site, parallel = false, onFatal = () => {}, maxBatch } = options;
  const onError = withoutOutages(options.onError);
  const broker = brokerKind(settings, parallel);
  const passwords = createPasswords({
    cost: options.passwordCost,
    atOnce: settings.signIn.passwordsAtOnce,
    waiting: settings.signIn.pendingPasswords,
  });
  const store = options.store ?? await openStore(settings, { onError, passwords });
  const { database, metrics, needsSetup } = store;
  watchDatabase(metrics, database);
  const bus = options.bus ?? createEventBus(onError);
  const node = crypto.randomUUID().slice(0, 8);
  const core: Core = { settings, database, bus, metrics, node, onError };

  // Notifications ask for presence, which is there only later.
  let presence: Pick<Realtime, "absenceOf"> | null = null;
  const absenceOf: Realtime["absenceOf"] = (userId) => presence?.absenceOf(userId) ?? null;
  const services = createServices(core, { maxBatch, absenceOf });
  const background = startBackground(core, services);
  const access = await createAccess(core, passwords);
  const files = createServerFiles(core, access, broker);
  const realtime = await startRealtime(core, access, services, broker, files);
  presence = realtime;
  const memory = guardMemory(settings.memory, { metrics, realtime, onFatal });
  const workers = parallel ? createWorkers(metrics.registry, { self: node, onError }) : null;
  const api = createApi(core, access, { ...services, files }, realtime, workers);
  const probes = createServerProbes(core, realtime, memory, broker);
  const handler = createHandler(core, access, { probes, realtime, api, site });
  publishDashboard(core, access, services);

  return {
    engine: database.engine,
    broker,
    node,
    needsSetup,
    setupCode: needsSetup ? setupCode(access.secret) : null,
    stats: () => realtime.stats(),
    handle: handler.handle,
    async stop() {
      memory?.stop();
      access.stop();
      workers?.close();
      await realtime.drain();
      await handler.close();
      await files.stop();
      await services.finish();
      await background.stop();
      await realtime.close();
      await services.changes.stop();
      await database.close();
    },
  };
}

/** An outage of the database is reported once, where it was opened, and not by every caller. */
function withoutOutages(onError: ReportError): ReportError {
  return (error, context) => {
    if (!isUnavailable(error)) onError(error, context);
  };
}
