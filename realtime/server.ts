import { CLOSE } from "../protocol/close_codes.ts";
import type { Gauges } from "../domain/analytics/registry.ts";
import { createCapacity, type Slot } from "../domain/capacity.ts";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { NetworkLimiter } from "../domain/rate_limit.ts";
import type { Peer } from "./address.ts";
import { createAuthenticator } from "./authenticator.ts";
import { createCensus } from "./census.ts";
import { createCollaboration, toEntry } from "./collaboration.ts";
import { createCommands, leaveConversation } from "./commands.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { deliverDomainEvents } from "./delivery.ts";
import { createEndpoints } from "./endpoints.ts";
import { createEverywhere } from "./everywhere.ts";
import type { Realtime, RealtimeOptions } from "./face.ts";
import { createFollow } from "./follow.ts";
import { createHandshakeRefusals } from "./handshake_refusals.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { Hub } from "./hub.ts";
import { logRefused } from "./log.ts";
import { createMetricSubscriptions } from "./metrics.ts";
import { startNodes } from "./nodes.ts";
import { createPresence } from "./presence.ts";
import { createProbes } from "./probes.ts";
import type { Protocol } from "./protocol.ts";
import { createLetIn, type Disconnect, followRights, isWhose } from "./rights.ts";
import { ROOMS } from "./rooms.ts";
import { createScopes } from "./scopes.ts";
import type { SequencedEntry } from "./sequencer.ts";
import { createSessions } from "./sessions.ts";
import { createSocketIoServer, isSocketIo } from "./socket_io.ts";
import { createSockets } from "./sockets.ts";
import { createTableSubscriptions } from "./tables.ts";
import { createTimerWheel } from "./timer_wheel.ts";
import { trafficOf } from "./traffic.ts";
import { createTyping } from "./typing.ts";
import { followUnread } from "./unread.ts";
import { type Accepted, createUpgrade, refuse } from "./upgrade.ts";
import { createUserEvents } from "./user_events.ts";
import { createWorkspaceRoom } from "./workspace_room.ts";
import type { SocketLike } from "./writer.ts";

/** How long a drain waits for clients to answer their close. */
const CLOSE_HANDSHAKE_MS = 1000;
/** Over which time clients are sent to recover after broadcasts may have been lost. */
const RESYNC_MS = 2000;

/** When to come back that is refused because memory is short. */
const PRESSED_RETRY_MS = 5000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function createRealtime(options: RealtimeOptions): Realtime {
  const { bus, broker, conversations, documents, limits, metrics, onError } = options;
  const wheel = createTimerWheel({ onError });
  const hub = new Hub(broker, {
    wheel,
    logAfter,
    onError,
  }, metrics);
  const nodes = startNodes({
    self: options.node,
    broker,
    timeoutMs: options.nodeTimeoutMs,
    graceMs: options.presenceGraceMs,
    onError,
  });
  nodes.onGone((_node, how) => metrics.nodesGone.inc({ how }));
  nodes.onLost(() => metrics.gaps.inc());
  const everywhere = createEverywhere(bus, nodes, onError);
  const presence = createPresence({
    hub,
    nodes,
    wheel,
    graceMs: options.presenceGraceMs,
    onGone: (userId, role) => options.onGone(userId, role === "agent" ? "agent" : "visitor"),
  });
  const typing = createTyping({ hub, wheel, lastsMs: options.typingMs });
  const tellRefused = createHandshakeRefusals(options.metrics);
  const authenticator = createAuthenticator({
    tellRefused,
    hub,
    wheel,
    presence,
    agentByToken: options.agentByToken,
    principalByToken: options.principalByToken,
    visitorBySession: options.visitorBySession,
    conversationOf: options.conversationOf,
    totalUnread: options.totalUnread,
    onLeave: (connection, id) => leaveConversation({ typing, presence }, connection, id),
    letIn: createLetIn(everywhere),
    agentOrigins: options.agentOrigins,
    timeoutMs: options.authTimeoutMs,
    tokenGraceMs: options.tokenGraceMs,
    expiryAheadMs: 3 * options.heartbeatMs,
    maxConnectionsPerUser: options.maxConnectionsPerUser,
  });
  const tables = createTableSubscriptions({ bus, tables: options.tables, node: options.node });
  const collaboration = createCollaboration({
    hub,
    bus,
    documents,
    sessions: createSessions({ hub, nodes, wheel, graceMs: options.presenceGraceMs }),
  });
  const census = createCensus({ hub, nodes, presence });
  nodes.answer("typing", () => typing.count());
  async function gauges(): Promise<Gauges> {
    const [{ totalConnections }, elsewhere] = await Promise.all([
      census.stats(),
      nodes.ask("typing", null),
    ]);
    const { agents, visitors } = presence.count();
    return {
      agents_online: agents,
      visitors_online: visitors,
      typing_now: elsewhere.reduce<number>((sum, count) => sum + Number(count), typing.count()),
      connections: totalConnections,
    };
  }
  const followed = createMetricSubscriptions({
    analytics: options.analytics,
    gauges,
    contextConversation: options.contextConversation,
    peopleIn(conversationId) {
      const { members } = presence.members(conversationId, { limit: Number.MAX_SAFE_INTEGER });
      const agents = members.filter(({ role }) => role === "agent").length;
      return { agents, visitors: members.length - agents };
    },
    wheel,
    onError,
  });
  const { counters } = options;
  const probes = createProbes({ hub, onAnswer: counters.answered });
  hub.onDelivered((broadcast) => {
    const { forAgents } = broadcast;
    if (forAgents?.type !== "message") return;
    const committedAt = counters.delivered(forAgents.data.conversationId, forAgents.data.seq);
    if (committedAt !== undefined) probes.handedOut(broadcast, committedAt);
  });
  const commands = createCommands({
    followed,
    probes,
    hub,
    conversations,
    presence,
    typing,
    authenticator,
    tables,
    collaboration,
    recordPage: options.recordPage,
    metrics,
  });
  const endpoints = createEndpoints({
    node: options.node,
    heartbeatMs: options.heartbeatMs,
    authTimeoutMs: options.authTimeoutMs,
    epoch: conversations.epoch,
    commands,
    tables,
    collaboration,
    metrics: followed,
    follow: createFollow({ hub, conversations, presence }),
    scopes: createScopes({ authenticator, openContext: options.openContext }),
    workspace: createWorkspaceRoom({
      hub,
      presence,
      chat: options.workspaceChat,
      epoch: conversations.epoch,
    }),
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
  let draining = false;
  let pressed = false;
  let lastNumber = 0;

  async function logAfter(room: string, seq: number): Promise<SequencedEntry[]> {
    const documentId = ROOMS.documentOf(room);
    if (documentId === null) return await options.logAfter(ROOMS.conversationOf(room)!, seq);
    const edits = await documents.editsAfter(documentId, seq);
    const at = new Date();
    return edits.map((edit) => toEntry(edit, at));
  }

  function disconnectHere(whose: Disconnect): number {
    const candidates = "userId" in whose ? hub.members(ROOMS.user(whose.userId)) : hub.connections;
    const ended = [...candidates].filter(({ principal }) =>
      principal !== null && isWhose(principal, whose)
    );
    for (const connection of ended) connection.close(CLOSE.disconnected);
    socketIo.forget((principal) => isWhose(principal, whose));
    return ended.length;
  }

  async function disconnect(whose: Disconnect): Promise<number> {
    const here = disconnectHere(whose);
    const elsewhere = await nodes.ask("disconnect", whose);
    return elsewhere.reduce<number>((sum, count) => sum + Number(count), here);
  }
  nodes.answer("disconnect", (whose) => disconnectHere(whose as Disconnect));

  /** Each client in its own moment: they must not come back all at once. */
  function sendAway(closing: typeof CLOSE.draining | typeof CLOSE.resync, overMs: number): void {
    const timestamp = new Date().toISOString();
    for (const connection of hub.connections) {
      const retryAfter = Math.floor(Math.random() * overMs);
      connection.sendEvent({ type: "reconnect", timestamp, data: { retryAfter } });
      if (overMs > 0) wheel.after(retryAfter, () => connection.close(closing));
    }
  }
  // Whoever comes back recovers by their position, or is told that they cannot.
  nodes.onLost(() => {
    if (!draining) sendAway(CLOSE.resync, RESYNC_MS);
  });

  deliverDomainEvents({
    bus,
    everywhere,
    logAfter: options.logAfter,
    hub,
    wheel,
    presence,
    unreadCounts: options.unreadCounts,
    onError,
  });
  const stopHeartbeat = startHeartbeat({
    hub,
    everyMs: options.heartbeatMs,
    positions: options.positions,
    onBeat: authenticator.beat,
    onError,
  });

  const events: ConnectionEvents = {
    onSlow: (slow) => hub.slow(slow),
    onWaiting: (writer) => hub.wait(writer),
    onError: (error, broken) => onError(error, { connection: broken.id }),
    onTold: (code, { protocol }) => metrics.errors.inc({ code, protocol: protocol.name }),
    onRefused(limit, refused) {
      metrics.refusals.inc({ limit });
      logRefused(refused, limit);
    },
  };

  function connect(
    socket: SocketLike,
    protocol: Protocol,
    from: Accepted["from"],
  ): Connection {
    return new Connection({
      id: `${options.node}-${++lastNumber}`,
      number: lastNumber,
      socket,
      protocol,
      limits,
      ...from,
      events,
    });
  }

  function opened(connection: Connection): void {
    hub.add(connection);
    authenticator.expect(connection);
    connection.protocol.onOpen(connection);
  }

  const sockets = createSockets({
    connect,
    opened,
    onError: (error, broken) => onError(error, { connection: broken.id }),
  });

  const connects = new NetworkLimiter(options.connectionsPerMinute);
  /** Milliseconds that a new socket of this peer has to wait; 0: none. */
  function takeConnection(peer: Peer): number {
    const wait = options.exemptLoopback && peer.isLoopback ? 0 : connects.take(peer.address);
    if (wait > 0) metrics.refusals.inc({ limit: "LIMIT_CONNECTIONS_PER_MINUTE" });
    return wait;
  }
  const unauthenticated = createCapacity({
    what: "open the connection",
    total: { limit: "MAX_UNAUTHENTICATED_SOCKETS", max: options.unauthenticated.total },
    perNetwork: {
      limit: "MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK",
      max: options.unauthenticated.perNetwork,
    },
    code: "too_many_connections",
    retryAfterMs: options.authTimeoutMs,
  });
  /** A slot among the connections that are not authenticated. */
  function takeSlot(peer: Peer): Slot {
    try {
      if (pressed) {
        throw new ParleyError("overloaded", "Cannot open the connection: memory is short", {
          retryAfter: PRESSED_RETRY_MS,
          limit: "MEMORY_GUARD_PERCENT",
        });
      }
      return unauthenticated.take(
        peer.address,
        peer.isLoopback && options.unauthenticated.exemptLoopback,
      );
    } catch (error) {
      metrics.refusals.inc({ limit: toParleyError(error).limit ?? "unknown" });
      throw error;
    }
  }
  const socketIo = createSocketIoServer({
    hub,
    wheel,
    presence,
    unread: followUnread({ hub, wheel, unreadCounts: options.unreadCounts, onError }),
    limits,
    heartbeatMs: options.heartbeatMs,
    authTimeoutMs: options.authTimeoutMs,
    recoveryMs: options.recoveryMs,
    maxRecoverable: options.maxRecoverable,
    maxReplayEvents: options.maxReplayEvents,
    commands,
    authenticate: authenticator.authenticate,
    epoch: conversations.epoch,
    typingMs: options.typingMs,
    peer: options.peer,
    takeSlot,
    tellRefused,
    originAllowed: options.originAllowed,
    async allow(request, peer) {
      if (draining) return refuse(503, "Server is restarting", { "retry-after": "1" });
      const origin = request.headers.get("origin");
      if (!await options.originAllowed({ origin, self: peer.selfOrigin })) {
        const path = new URL(request.url).pathname;
        tellRefused({ reason: "origin", address: peer.address, origin, path });
        return refuse(403, `Cannot connect: "${origin}" is not an allowed origin`);
      }
      const wait = takeConnection(peer);
      const seconds = String(Math.ceil(wait / 1000));
      return wait === 0 ? null : refuse(429, "Rate limit exceeded", { "retry-after": seconds });
    },
    entries: (principal, places) => conversations.entries(principal, places),
    connect,
    opened,
    onError,
  });
  everywhere.on("conversation.opened", ({ conversationId, contactId }, isHere) => {
    socketIo.conversationOpened(contactId, conversationId, isHere);
  });
  followRights(everywhere, hub, disconnectHere, socketIo.forget);
  nodes.onLost(socketIo.forgetAll);

  const upgrade = createUpgrade({
    endpoints,
    peer: options.peer,
    originAllowed: options.originAllowed,
    tellRefused,
    takeConnection,
    takeSlot,
    idleTimeoutMs: options.heartbeatMs * 2,
    draining: () => draining,
    accept: sockets.accept,
  });

  return {
    disconnect,
    ...createUserEvents(hub),
    connectionsOf: (userId) => census.connectionsOf(userId),
    absenceOf: presence.absence,
    connectionStats: () => census.stats(),
    gauges,
    serves: (path) => Object.hasOwn(endpoints, path) || isSocketIo(path),
    get draining() {
      return draining;
    },

    upgrade: (request, remote) =>
      isSocketIo(new URL(request.url).pathname)
        ? socketIo.handle(request, remote)
        : upgrade(request, remote),

    stats: () => ({
      connections: hub.connections.size,
      authenticatedUsers: presence.countHere(),
      rooms: hub.roomCount,
      nodesConnected: broker.alone ? null : broker.connected,
      broker: broker.troubles ?? null,
      nodes: { count: nodes.others().length + 1, silenceMs: nodes.silenceMs() },
      ...hub.counters,
      unauthenticated: unauthenticated.size,
      lingering: socketIo.lingering +
        Math.max(0, sockets.size + socketIo.connections - hub.connections.size),
    }),

    press(isOn) {
      const begins = isOn && !pressed;
      pressed = isOn;
      if (!begins) return 0;
      const unknown = [...hub.connections].filter(({ principal }) => principal === null);
      const error = new ParleyError("overloaded", "Cannot go on: memory is short", {
        retryAfter: PRESSED_RETRY_MS,
        limit: "MEMORY_GUARD_PERCENT",
      });
      for (const connection of unknown) connection.fail(error, CLOSE.overloaded);
      return unknown.length;
    },

    traffic: () => trafficOf(hub),

    async drain() {
      draining = true;
      stopHeartbeat();
      sendAway(CLOSE.draining, options.drainMs);
      const last = Date.now() + options.drainMs;
      while (hub.connections.size > 0 && Date.now() < last) await pause(20);
      hub.flushAll();
      for (const connection of [...hub.connections]) connection.close(CLOSE.draining);
      wheel.stop();
      // The runtime would end what is still closing with a code that says nothing.
      const deadline = Date.now() + CLOSE_HANDSHAKE_MS;
      while (sockets.size + socketIo.sessions > 0 && Date.now() < deadline) await pause(10);
      await socketIo.close();
    },

    async close() {
      // What was written since the drain may have set timers.
      wheel.stop();
      nodes.close();
      await hub.close();
    },
  };
}
