/**
 * Puts a whole Parley together from settings, so that main.ts and every test start the same thing.
 */
import { sql } from "kysely";
import { isUnavailable } from "./db/database_error.ts";
import { startHousekeeping } from "./db/housekeeping.ts";
import { inMegabytes } from "./db/disk_guard.ts";
import { databaseFailure } from "./db/failure.ts";
import { createProcessCounters } from "./domain/analytics/process_counters.ts";
import { createAnalytics } from "./domain/analytics/service.ts";
import { createAttempts } from "./domain/agents/attempts.ts";
import { createDevices } from "./domain/agents/devices.ts";
import { createPasswords } from "./domain/agents/passwords.ts";
import { setupCode } from "./domain/agents/setup_code.ts";
import { createSignIn } from "./domain/agents/sign_in.ts";
import { keepAudit, listAudit } from "./domain/audit.ts";
import { createBot } from "./domain/bot/engine.ts";
import { listRules } from "./domain/bot/rules.ts";
import { createTokens, signingSecret } from "./domain/agents/tokens.ts";
import { countUsers, listUsers, touchUser } from "./domain/agents/users.ts";
import { createDocuments } from "./domain/collaboration/service.ts";
import { findContextConversation, openContext } from "./domain/conversations/contexts.ts";
import { logAfter } from "./domain/conversations/log.ts";
import { positionsOf, unreadCounts } from "./domain/conversations/queries.ts";
import { listLabels } from "./domain/conversations/labels.ts";
import { createHandOvers } from "./domain/conversations/hand_over.ts";
import { createConversations } from "./domain/conversations/service.ts";
import { createWriter } from "./domain/conversations/writer.ts";
import { DASHBOARD, type Dashboard } from "./domain/dashboard.ts";
import { createEventBus, type EventBus } from "./domain/events.ts";
import { createLoader } from "./domain/loader.ts";
import { watchDatabase, watchEventLoop } from "./domain/metrics.ts";
import { createNotifications } from "./domain/notifications/service.ts";
import { createSearchIndexer } from "./domain/search/indexer.ts";
import type { AgentPrincipal } from "./domain/principal.ts";
import { KeyedLimiter } from "./domain/rate_limit.ts";
import { listApiKeys } from "./domain/programs/api_keys.ts";
import { createPrograms } from "./domain/programs/programs.ts";
import { startTables } from "./domain/tables/start.ts";
import { touchContact } from "./domain/visitors/contacts.ts";
import { createOriginPolicy } from "./domain/visitors/origins.ts";
import {
  authenticateParticipant,
  createParticipantTokens,
  isAgentToken,
} from "./domain/visitors/participants.ts";
import { createSessionCheck, recordPage, webConversationsOf } from "./domain/visitors/sessions.ts";
import { listWidgets } from "./domain/visitors/widgets.ts";
import { createWorkspaceChat, WORKSPACE_CHAT } from "./domain/workspace/chat.ts";
import type { User } from "./protocol/model.ts";
import { createHttpApi } from "./api/app.ts";
import { REFRESH_COOKIE } from "./api/cookies.ts";
import { pathOf } from "./api/path.ts";
import { createInFlightRequests } from "./api/in_flight.ts";
import { createRequests } from "./api/requests.ts";
import { createProbes, isProbe } from "./api/probes.ts";
import { problemResponse } from "./api/problem.ts";
import { withSecurityHeaders } from "./api/security_headers.ts";
import type { Site } from "./api/site.ts";
import { serveSocketIoClient } from "./api/socket_io_client.ts";
import { createWorkers } from "./api/workers.ts";
import { sayKeysReadable, sayKeysUnreadable } from "./process/logging.ts";
import { guardMemory } from "./process/memory_guard.ts";
import { createPeerReader } from "./realtime/address.ts";
import type { Realtime, RealtimeStats } from "./realtime/face.ts";
import { createRealtime } from "./realtime/server.ts";
import { type BrokerKind, brokerKind, openBroker } from "./process/open_broker.ts";
import { openStore, type Store } from "./process/open_store.ts";
import { limitsOf, type Settings } from "./settings.ts";
import { VERSION } from "./process/version.ts";

export interface Parley {
  /** Answers every request; `remote` is the address of the direct peer. */
  handle(request: Request, remote: string): Promise<Response>;
  readonly engine: "postgres" | "pglite";
  readonly broker: BrokerKind;
  /** Name of this node. */
  readonly node: string;
  readonly needsSetup: boolean;
  /** What whoever sets it up from another machine has to bring; null once there is a user. */
  readonly setupCode: string | null;
  stats(): RealtimeStats;
  /** Tells clients to come back, stores what was taken, and closes the database. */
  stop(): Promise<void>;
}

/** Milliseconds without a change after which the embedded database is tidied up. */
const QUIET_MS = 2000;

export type ReportError = (error: unknown, context?: Record<string, unknown>) => void;

export async function createParley(
  settings: Settings,
  parts: {
    site: Site | null;
    onError: ReportError;
    /** This is one of several workers of one process. */
    parallel?: boolean;
    /** The database, where it is open already. */
    store?: Store;
    /** Memory is exhausted: stop, and end the process. Default: nothing. */
    onFatal?: () => void;
    /** For benchmarks: a bus that they have a hold of, and how much the writer may group. */
    bus?: EventBus;
    maxBatch?: number;
    /** For tests: how dear it is to compute a hash of a password; see `PasswordLimits`. */
    passwordCost?: number;
  },
): Promise<Parley> {
  const { site } = parts;
  // That the database is away is said once, where it was opened, and not by everybody who asks it.
  const onError: ReportError = (error, context) => {
    if (!isUnavailable(error)) parts.onError(error, context);
  };
  const broker = brokerKind(settings, parts.parallel ?? false);
  const passwords = createPasswords({
    cost: parts.passwordCost,
    atOnce: settings.MAX_PASSWORDS_AT_ONCE,
    waiting: settings.MAX_PENDING_PASSWORDS,
  });
  const { database, metrics, needsSetup } = parts.store ??
    await openStore(settings, { onError, passwords });
  const { db, jobs, epoch } = database;
  watchDatabase(metrics, database);
  const bus = parts.bus ?? createEventBus(onError);
  const retention = {
    minutes: settings.METRIC_MINUTES_DAYS,
    hours: settings.METRIC_HOURS_DAYS,
    days: settings.METRIC_DAYS_DAYS,
  };
  // Before everything else that listens: it takes the time of a commit.
  const counters = createProcessCounters({ db, bus, metrics, retention });
  const secret = await signingSecret(settings.JWT_SECRET, settings.DATA_DIR);
  const tokens = createTokens(secret, settings.ACCESS_TOKEN_MS);
  const participantTokens = createParticipantTokens({
    secret,
    jwksUrl: settings.JWT_JWKS_URL,
    publicKey: settings.JWT_PUBLIC_KEY,
    issuer: settings.JWT_ISSUER,
    audience: settings.JWT_AUDIENCE,
    anyContextIssuers: settings.JWT_ANY_CONTEXT_ISSUERS,
    onKeysUnreadable: sayKeysUnreadable,
    onKeysReadable: sayKeysReadable,
  });
  const attempts = createAttempts({
    perMinute: settings.LIMIT_LOGINS_PER_MINUTE,
    maxDelayMs: settings.MAX_SIGN_IN_DELAY_MS,
    maxDelayed: settings.MAX_DELAYED_SIGN_INS,
  });
  const signIn = createSignIn({
    db,
    bus,
    tokens,
    passwords,
    attempts,
    devices: createDevices(secret),
    metrics,
    key: secret,
    refreshLifeMs: settings.REFRESH_TOKEN_MS,
    maxLifeMs: settings.MAX_SIGN_IN_MS,
    maxPerUser: settings.MAX_SIGN_INS_PER_USER,
  });
  const changes = startTables({
    database,
    bus,
    maxReplay: settings.MAX_REPLAY_EVENTS,
    keepMs: settings.CHANGE_RETENTION_MS,
    maxChanges: settings.MAX_CHANGES,
    onError,
  });
  const batches = (what: "messages" | "documents") => (size: number, waitedMs: number) => {
    metrics.batchSize.observe({ what }, size);
    metrics.batchWait.observe({ what }, waitedMs / 1000);
  };
  const writer = createWriter({
    db,
    bus,
    epoch,
    maxPending: settings.MAX_PENDING_WRITES,
    maxBatch: parts.maxBatch,
    patienceMs: settings.DATABASE_RETRY_MS,
    // The embedded database does one thing after the other.
    maxRunning: database.engine === "postgres" ? 2 : 1,
    onBatch: batches("messages"),
    maxStatuses: settings.MAX_REPLAY_EVENTS,
  });
  const conversations = createConversations({
    db,
    bus,
    writer,
    epoch,
    maxReplayEvents: settings.MAX_REPLAY_EVENTS,
    broadcastsPerMinute: settings.LIMIT_ROOM_BROADCASTS_PER_MINUTE,
    onError,
  });
  const indexer = createSearchIndexer({
    db,
    bus,
    // Where nothing else can be done meanwhile, a step is short.
    step: database.engine === "postgres" ? 500 : 50,
    onError,
  });
  const workspaceChat = createWorkspaceChat({
    db,
    bus,
    epoch,
    maxReplayEvents: settings.MAX_REPLAY_EVENTS,
    maxPending: settings.MAX_PENDING_WRITES,
    patienceMs: settings.DATABASE_RETRY_MS,
    takeBroadcast: () => conversations.takeBroadcast(WORKSPACE_CHAT),
  });
  let lastWrite = performance.now();
  bus.on("conversation.logged", () => lastWrite = performance.now());
  const housekeeping = database.engine === "postgres" ? null : startHousekeeping({
    db,
    isQuiet: () => writer.pending === 0 && performance.now() - lastWrite > QUIET_MS,
    onError,
  });
  const handOvers = createHandOvers({ db, writer, onError });
  const bot = createBot({ db, bus, writer, conversations, name: settings.BOT_NAME, onError });
  let presence: Pick<Realtime, "absenceOf"> | null = null;
  const notifications = createNotifications({
    db,
    jobs,
    bus,
    maxPending: settings.MAX_PENDING_WRITES,
    waitingAlertMs: settings.WAITING_ALERT_MS,
    absentAfterMs: settings.ABSENT_AFTER_MS,
    absenceOf: (userId) => presence?.absenceOf(userId) ?? null,
    keepMs: settings.NOTIFICATION_RETENTION_MS,
    onError,
  });
  const documents = createDocuments({
    db,
    bus,
    epoch,
    limits: {
      documentBytes: settings.MAX_DOCUMENT_BYTES,
      editBytes: settings.MAX_EDIT_BYTES,
      operations: settings.MAX_DOCUMENT_OPERATIONS,
    },
    maxPending: settings.MAX_PENDING_WRITES,
    patienceMs: settings.DATABASE_RETRY_MS,
    onBatch: batches("documents"),
  });
  const renames = new KeyedLimiter(settings.LIMIT_RENAMES_PER_MINUTE);
  const peer = createPeerReader(settings.TRUSTED_PROXIES, {
    hosted: settings.onDeploy,
    ownOrigin: settings.PUBLIC_URL,
  });
  const originAllowed = createOriginPolicy(db, settings.FRONTEND_URL);
  const visitorBySession = createSessionCheck(db, { lifeMs: settings.SESSION_MS });
  const node = crypto.randomUUID().slice(0, 8);
  const analytics = createAnalytics({ db, jobs, bus, counters, retention, onError });
  const realtime = createRealtime({
    metrics,
    bus,
    broker: await openBroker(broker, settings, { name: epoch, node, onError }, database),
    conversations,
    tables: changes.tables,
    analytics,
    counters,
    documents,
    workspaceChat,
    node,
    nodeTimeoutMs: settings.NODE_TIMEOUT_MS,
    logAfter: (id, seq) =>
      id === WORKSPACE_CHAT
        ? workspaceChat.logAfter(seq)
        : logAfter(db, id, seq, settings.MAX_REPLAY_EVENTS),
    limits: {
      messageBytes: settings.MAX_MESSAGE_BYTES,
      preAuthBytes: settings.MAX_PRE_AUTH_BYTES,
      preAuthMessages: settings.MAX_PRE_AUTH_MESSAGES,
      queueBytes: settings.MAX_QUEUE_BYTES,
      pendingFrames: settings.MAX_PENDING_COMMANDS,
      messagesPerMinute: settings.LIMIT_MESSAGES_PER_MINUTE,
      typingPerMinute: settings.LIMIT_TYPING_PER_MINUTE,
      editsPerMinute: settings.LIMIT_EDITS_PER_MINUTE,
      cursorsPerMinute: settings.LIMIT_CURSORS_PER_MINUTE,
      subscriptions: settings.MAX_SUBSCRIPTIONS,
    },
    connectionsPerMinute: settings.LIMIT_CONNECTIONS_PER_MINUTE,
    exemptLoopback: !settings.given.has("LIMIT_CONNECTIONS_PER_MINUTE"),
    unauthenticated: {
      total: settings.MAX_UNAUTHENTICATED_SOCKETS,
      perNetwork: settings.MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK,
      exemptLoopback: !settings.given.has("MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK"),
    },
    maxConnectionsPerUser: settings.MAX_CONNECTIONS_PER_USER,
    authTimeoutMs: settings.AUTH_TIMEOUT_MS,
    heartbeatMs: settings.HEARTBEAT_MS,
    typingMs: settings.TYPING_MS,
    presenceGraceMs: settings.PRESENCE_GRACE_MS,
    tokenGraceMs: settings.TOKEN_GRACE_MS,
    recoveryMs: settings.RECOVERY_MS,
    maxRecoverable: settings.MAX_RECOVERABLE,
    maxReplayEvents: settings.MAX_REPLAY_EVENTS,
    drainMs: settings.DRAIN_MS,
    agentOrigins: settings.FRONTEND_URL,
    peer,
    originAllowed,
    agentByToken: (token) => signIn.authenticate(token),
    principalByToken: (token) =>
      isAgentToken(token)
        ? signIn.authenticate(token)
        : authenticateParticipant(db, bus, participantTokens, token, renames),
    openContext: (principal, contextId) => openContext(db, bus, principal, contextId),
    contextConversation: (contextId) => findContextConversation(db, contextId),
    visitorBySession,
    conversationOf: createLoader((contactIds: string[]) => webConversationsOf(db, contactIds)),
    recordPage: async (visitor, page) => {
      if (visitor.sessionHash !== null) await recordPage(db, visitor.sessionHash, page);
      bot.visited(visitor, page);
    },
    onGone: (id, kind) => {
      (kind === "agent" ? touchUser(db, id) : touchContact(db, id)).catch(onError);
    },
    positions: (ids) => positionsOf(db, ids),
    totalUnread: (userId) => conversations.totalUnread(agentPrincipal({ id: userId })),
    unreadCounts: (userIds) => unreadCounts(db, userIds),
    onError,
  });
  presence = realtime;
  const stopWatching = watchEventLoop(metrics);
  const workers = parts.parallel === true
    ? createWorkers(metrics.registry, { self: node, onError })
    : null;
  metrics.watch("parley_ready", "Whether new traffic is welcome, as at /ready: 1, or 0", () => {
    const ready = database.availability.state === "up" && !realtime.draining;
    return [{ value: ready ? 1 : 0 }];
  });
  const pending = {
    messages: () => writer.pending + workspaceChat.pending,
    documents: () => documents.pending,
  };
  metrics.watch(
    "parley_pending_writes",
    "Changes that wait for the database",
    () => Object.entries(pending).map(([what, read]) => ({ labels: { what }, value: read() })),
    ["what"],
  );
  const stopForgetting = keepAudit(db, settings.AUDIT_RETENTION_MS, onError);
  const memory = guardMemory(settings, {
    metrics,
    realtime,
    onExhausted: parts.onFatal ?? (() => {}),
  });
  const api = createHttpApi({
    version: VERSION,
    engine: database.engine,
    metrics,
    // On Deno Deploy nobody is known to be inside: without a token nobody reads them.
    metricsToken: settings.METRICS_TOKEN ??
      (settings.onDeploy ? crypto.randomUUID() : undefined),
    workers,
    // There is no disk of one's own on Deno Deploy, and none that could be full.
    dataDir: settings.onDeploy ? undefined : settings.DATA_DIR,
    db,
    bus,
    signIn,
    passwords,
    conversations,
    handOvers,
    bot,
    notifications,
    participantTokens,
    realtime,
    analytics,
    peer,
    agentOrigins: settings.FRONTEND_URL,
    visitorBySession,
    programByKey: createPrograms(db, settings.LIMIT_API_REQUESTS_PER_MINUTE).authenticate,
    originAllowed,
    renames,
    sessionLifeMs: settings.SESSION_MS,
    loginsPerMinute: settings.LIMIT_LOGINS_PER_MINUTE,
    sessionsPerMinute: settings.LIMIT_SESSIONS_PER_MINUTE,
    maxBodyBytes: settings.MAX_MESSAGE_BYTES,
    bodyTimeoutMs: settings.BODY_TIMEOUT_MS,
    openRequests: {
      total: settings.MAX_OPEN_REQUESTS,
      perNetwork: settings.MAX_OPEN_REQUESTS_PER_NETWORK,
      perMinute: settings.LIMIT_REQUESTS_PER_MINUTE,
      exempt: {
        perNetwork: !settings.given.has("MAX_OPEN_REQUESTS_PER_NETWORK"),
        perMinute: !settings.given.has("LIMIT_REQUESTS_PER_MINUTE"),
      },
    },
    secureCookies: settings.SECURE_COOKIES,
    onError,
  });

  const dashboard: Dashboard = {
    version: VERSION,
    development: settings.DEV_RELOAD,
    async agent(request) {
      const token = cookieOf(request, `__Host-${REFRESH_COOKIE}`) ??
        cookieOf(request, REFRESH_COOKIE);
      return token === undefined ? null : await signIn.peek(token);
    },
    needsSetup: async () => await countUsers(db) === 0,
    conversations: (user, query) => conversations.list(agentPrincipal(user), query),
    conversation: (user, id) => orNull(conversations.get(agentPrincipal(user), id)),
    messages: (user, id) => conversations.history(agentPrincipal(user), id, {}),
    unreadNotifications: (user) => notifications.unread(agentPrincipal(user)),
    users: async () => (await listUsers(db)).filter((user) => user.disabledAt === null),
    allUsers: () => listUsers(db),
    apiKeys: (user) => user.role === "admin" ? listApiKeys(db) : Promise.resolve([]),
    audit: (user) =>
      user.role === "admin"
        ? listAudit(db, { limit: 50 })
        : Promise.resolve({ items: [], nextCursor: null }),
    labels: () => listLabels(db),
    businessHours: () => analytics.businessHours(),
    rules: () => listRules(db),
    widgets: () => listWidgets(db),
    async demoWidgetKey() {
      const widgets = await listWidgets(db);
      return widgets.find((widget) => widget.enabled)?.widgetKey ?? null;
    },
    limits: () => limitsOf(settings),
  };
  (globalThis as Record<symbol, unknown>)[DASHBOARD] = dashboard;
  const inFlight = createInFlightRequests();
  const probes = createProbes({
    async database() {
      if (database.availability.state === "read_only") return "it takes no changes";
      try {
        await sql`select 1`.execute(db);
        return null;
      } catch (error) {
        return databaseFailure(error).words;
      }
    },
    troubles: () => [
      ...(realtime.stats().nodesConnected === false
        ? [
          `${broker === "redis" ? "Redis" : "The broker"} does not answer: ` +
          "what happens on other nodes is not heard here",
        ]
        : []),
      ...(memory?.state().short === true ? ["Memory is short: new sockets are refused"] : []),
      ...(database.disk?.low === true
        ? [
          `The disk of DATA_DIR is nearly full: ${inMegabytes(database.disk.freeBytes ?? 0)} are ` +
          `free, and below ${inMegabytes(database.disk.minFreeBytes)} nothing is written`,
        ]
        : []),
    ],
    draining: () => realtime.draining,
    services() {
      const { connections, authenticatedUsers, slowClosed, lingering, nodesConnected } = realtime
        .stats();
      return {
        redis: broker !== "redis"
          ? "not configured"
          : nodesConnected === false
          ? "disconnected"
          : "connected",
        memory: memory?.state() ?? "not guarded",
        ...(database.disk === null ? {} : { disk: database.disk.low ? "low" : "ok" }),
        websocket: { status: "active", connections, authenticatedUsers, slowClosed, lingering },
      };
    },
    websocket: () => ({
      connections: realtime.stats().connections,
      status: realtime.draining ? "draining" : "healthy",
    }),
  });
  const requests = createRequests(metrics);

  /** What the API has no route for: a socket's path, or anything of the site. */
  function routeOf(request: Request): string {
    const path = new URL(request.url).pathname;
    if (isProbe(path)) return path;
    if (!realtime.serves(path)) return "site";
    return path.startsWith("/socket.io") ? "/socket.io/" : path;
  }

  function isHttps(request: Request, remote: string): boolean {
    try {
      return peer(request, remote).selfOrigin.startsWith("https:");
    } catch {
      // An address that cannot be read.
      return false;
    }
  }

  async function answer(path: string, request: Request, remote: string): Promise<Response> {
    try {
      const probe = probes.respond(path);
      if (probe !== null) return await probe;
      const client = await serveSocketIoClient(request);
      if (client !== null) return client;
      if (realtime.serves(path)) return await realtime.upgrade(request, remote);
      if (isApi(path) || site === null) {
        return await inFlight.run(() => api.fetch(request, { remote }));
      }
      return await inFlight.run(() => site(request));
    } catch (error) {
      onError(error, { path });
      if (isUnavailable(error)) {
        const { code, message: detail, retryAfter = 1000 } = error;
        return problemResponse({ code, detail, retryAfter });
      }
      return problemResponse({ code: "internal", detail: "Cannot answer: internal error" });
    }
  }

  return {
    engine: database.engine,
    broker,
    node,
    needsSetup,
    stats: () => realtime.stats(),
    setupCode: needsSetup ? setupCode(secret) : null,
    async handle(request, remote) {
      const path = pathOf(request);
      if (path instanceof Response) return withSecurityHeaders(path, false);
      return await requests.measure(request, routeOf, async () => {
        const response = await answer(path, request, remote);
        return withSecurityHeaders(response, isHttps(request, remote));
      });
    },
    async stop() {
      stopWatching();
      memory?.stop();
      attempts.stop();
      workers?.close();
      await realtime.drain();
      await inFlight.close();
      await bot.idle();
      await handOvers.stop();
      await writer.idle();
      await workspaceChat.idle();
      await analytics.stop();
      await documents.close();
      await notifications.stop();
      await indexer.stop();
      await housekeeping?.stop();
      await stopForgetting();
      await realtime.close();
      await changes.stop();
      await database.close();
    },
  };
}

function isApi(path: string): boolean {
  return path === "/metrics" || path === "/api" || path.startsWith("/api/");
}

function agentPrincipal(user: Pick<User, "id"> & Partial<User>): AgentPrincipal {
  return {
    kind: "agent",
    userId: user.id,
    userName: user.name ?? "",
    role: user.role ?? "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
}

function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return undefined;
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if ((error as { code?: string }).code === "not_found") return null;
    throw error;
  }
}
