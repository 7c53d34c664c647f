/** The HTTP API, with the services and limits that it needs. */
import { createHttpApi } from "../api/app.ts";
import type { Api } from "../api/env.ts";
import type { Workers } from "../api/workers.ts";
import type { FileService } from "../domain/files/types.ts";
import { eraseContact } from "../domain/visitors/erasure.ts";
import { VERSION } from "../process/version.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Access } from "./access.ts";
import type { Core } from "./core.ts";
import type { Services } from "./services.ts";

export function createApi(
  core: Core,
  access: Access,
  services: Services & { files: FileService },
  realtime: Realtime,
  workers: Workers | null,
): Api {
  const { settings, database, bus, metrics, onError } = core;
  const { capacity, rates, timeouts, given, onDeploy } = settings;
  const { analytics, bot, conversations, files, handOvers, notifications } = services;
  const { pages, queueSettings, scheduled, teams } = services;
  return createHttpApi({
    version: VERSION,
    engine: database.engine,
    metrics,
    // On Deno Deploy every peer is an outside one: without a token nobody reads them.
    metricsToken: settings.telemetry.metricsToken ?? (onDeploy ? crypto.randomUUID() : undefined),
    workers,
    // An instance on Deno Deploy has no disk of its own that could be full.
    dataDir: onDeploy ? undefined : settings.database.dataDir,
    db: database.db,
    bus,
    signIn: access.signIn,
    passwords: access.passwords,
    participantTokens: access.participantTokens,
    visitorBySession: access.visitorBySession,
    principalByToken: access.principalByToken,
    programByKey: access.programByKey,
    originAllowed: access.originAllowed,
    agentOrigins: access.agentOrigins,
    renames: access.renames,
    async eraseContact(actor, id) {
      const erased = await eraseContact(database.jobs, actor, id);
      files.wake();
      return erased;
    },
    peer: access.peer,
    conversations,
    files,
    pages,
    handOvers,
    scheduled,
    queueSettings,
    teams,
    bot,
    notifications,
    analytics,
    realtime,
    sessionLifeMs: settings.visitors.sessionMs,
    loginsPerMinute: rates.logins,
    sessionsPerMinute: rates.sessions,
    maxBodyBytes: capacity.messageBytes,
    bodyTimeoutMs: timeouts.bodyMs,
    openRequests: {
      total: capacity.openRequests,
      perNetwork: capacity.openRequestsPerNetwork,
      perMinute: rates.requests,
      exempt: {
        perNetwork: !given.has("MAX_OPEN_REQUESTS_PER_NETWORK"),
        perMinute: !given.has("LIMIT_REQUESTS_PER_MINUTE"),
      },
    },
    secureCookies: settings.server.secureCookies,
    onError,
  });
}
