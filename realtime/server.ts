import { CLOSE } from "../protocol/close_codes.ts";
import type { Page } from "../protocol/model.ts";
import { SUBPROTOCOL } from "../protocol/native.ts";
import type { ConnectionStats } from "../protocol/programs.ts";
import type { Documents } from "../domain/collaboration/service.ts";
import type { Conversations } from "../domain/conversations/service.ts";
import type { ProcessCounters } from "../domain/analytics/process_counters.ts";
import type { Gauges } from "../domain/analytics/registry.ts";
import type { Analytics } from "../domain/analytics/service.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { EventBus, LogEntry } from "../domain/events.ts";
import { audienceOf, type Principal, type VisitorPrincipal } from "../domain/principal.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";
import type { Tables } from "../domain/tables/service.ts";
import type { Peer, PeerReader } from "./address.ts";
import { createAuthenticator } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { createCensus } from "./census.ts";
import { createCollaboration, toEntry } from "./collaboration.ts";
import { createCommands, leaveConversation } from "./commands.ts";
import { Connection, type ConnectionEvents, type ConnectionLimits } from "./connection.ts";
import { deliverDomainEvents } from "./delivery.ts";
import { createFollow } from "./follow.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { createEverywhere } from "./everywhere.ts";
import { Hub } from "./hub.ts";
import { createMetricSubscriptions } from "./metrics.ts";
import { startNodes } from "./nodes.ts";
import { createPresence } from "./presence.ts";
import { createProbes } from "./probes.ts";
import type { Protocol } from "./protocol.ts";
import { createChatJsonProtocol } from "./protocols/chat_json.ts";
import { logRefused } from "./log.ts";
import { createNativeProtocol } from "./protocols/native.ts";
import { createScopedAnalyticsProtocol } from "./protocols/scoped_analytics.ts";
import { createScopedChatProtocol } from "./protocols/scoped_chat.ts";
import { createScopedCollaborationProtocol } from "./protocols/scoped_collaboration.ts";
import { createTopicsProtocol } from "./protocols/topics.ts";
import { type Disconnect, followRights, isWhose } from "./rights.ts";
import { ROOMS } from "./rooms.ts";
import type { SequencedEntry } from "./sequencer.ts";
import { createScopes } from "./scopes.ts";
import { createSessions } from "./sessions.ts";
import { createTableSubscriptions } from "./tables.ts";
import { createSocketIoServer, isSocketIo } from "./socket_io.ts";
import { createTimerWheel } from "./timer_wheel.ts";
import { createTyping } from "./typing.ts";
import { followUnread } from "./unread.ts";
import { type Accepted, createUpgrade, type Endpoints, refuse } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

export interface RealtimeOptions {
  metrics: Metrics;
  bus: EventBus;
  broker: Broker;
  conversations: Conversations;
  tables: Tables;
  analytics: Pick<Analytics, "live">;
  counters: Pick<ProcessCounters, "delivered" | "answered">;
  documents: Documents;
  /** Name of this node, different from every other's. */
  node: string;
  /** Milliseconds of silence after which another node is gone, with the people who were there. */
  nodeTimeoutMs: number;
  /** The log of a conversation after a position, in order, or the first part of it. */
  logAfter: (conversationId: string, seq: number) => Promise<LogEntry[]>;
  limits: ConnectionLimits;
  /** New sockets a minute and address; null: not for loopback peers. */
  connectionsPerMinute: number;
  exemptLoopback: boolean;
  maxConnectionsPerUser: number;
  authTimeoutMs: number;
  heartbeatMs: number;
  typingMs: number;
  presenceGraceMs: number;
  tokenGraceMs: number;
  /** Milliseconds for which a Socket.IO connection that was cut can be recovered, and how many. */
  recoveryMs: number;
  maxRecoverable: number;
  maxReplayEvents: number;
  drainMs: number;
  agentOrigins: readonly string[];
  peer: PeerReader;
  /** Whether a web page of this origin may open a socket at all. */
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  agentByToken: (token: string) => Promise<Principal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  /** The conversation of a context, which is opened where there is none. */
  openContext: (principal: Principal, contextId: string) => Promise<string>;
  /** The same, null where there is none. */
  contextConversation: (contextId: string) => Promise<string | null>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
  conversationOf: (contactId: string) => Promise<string | null>;
  /** Where the logs of conversations stand. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
  /** Someone has no connection any more, and the grace is over. */
  onGone: (userId: string, kind: "agent" | "visitor") => void;
  totalUnread: (userId: string) => Promise<number>;
  /** The same of each of these users, by platform. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, Record<string, number>>>;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

/** The connections of one protocol. */
export interface ProtocolStats {
  protocol: string;
  /** Not authenticated yet. */
  pending: number;
  agents: number;
  visitors: number;
  /** Frames since the start. */
  received: number;
  sent: number;
}

export interface RealtimeStats {
  connections: number;
  authenticatedUsers: number;
  rooms: number;
  /** null: there is no other node; false: others cannot be reached now. */
  nodesConnected: boolean | null;
  slowClosed: number;
  /** Sockets that the server has ended and whose peer does not let go; the runtime cannot. */
  lingering: number;
  broadcasts: number;
  deliveries: number;
}

/** The narrow face that the rest of the house sees. */
export interface Realtime {
  /** Whether sockets are opened at this path. */
  serves(path: string): boolean;
  /** Answers an upgrade request at one of its paths. */
  upgrade(request: Request, remote: string): Promise<Response>;
  stats(): RealtimeStats;
  /** Looks at every connection: for a scrape now and then. */
  traffic(): { byProtocol: ProtocolStats[]; queueBytes: number };
  /**
   * Ends every connection of a user, a visitor's session, a sign-in or a single token, on every
   * node. @returns how many; those of a node that does not answer are not counted.
   */
  disconnect(whose: Disconnect): Promise<number>;
  /**
   * Sends an event to every connection of a user or contact, on every node, under a name of the
   * sender's own (`EventName`). Who is not connected does not get it.
   */
  sendToUser(userId: string, event: string, data: Record<string, unknown>): void;
  /** The same to every connected agent, or to everybody who follows a conversation. */
  sendToRoom(
    room: "agents" | { conversationId: string },
    event: string,
    data: Record<string, unknown>,
  ): void;
  /** How many connections a user or contact has, on all nodes that answer. */
  connectionsOf(userId: string): Promise<number>;
  /** Connections and people, on all nodes that answer. */
  connectionStats(): Promise<ConnectionStats>;
  /** What analytics knows of this moment, on all nodes that answer. */
  gauges(): Promise<Gauges>;
  /** Refuses new sockets, asks every client to come back in its own time, and closes them. */
  drain(): Promise<void>;
  /** After the drain, when nothing more will be told to other nodes. */
  close(): Promise<void>;
  readonly draining: boolean;
}

/** How long a drain waits for clients to answer their close. */
const CLOSE_HANDSHAKE_MS = 1000;
/** Over which time clients are sent to recover after broadcasts may have been lost. */
const RESYNC_MS = 2000;

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
  const everywhere = createEverywhere(bus, nodes, onError);
  const presence = createPresence({
    hub,
    nodes,
    wheel,
    graceMs: options.presenceGraceMs,
    onGone: (userId, role) => options.onGone(userId, role === "agent" ? "agent" : "visitor"),
  });
  const typing = createTyping({ hub, wheel, lastsMs: options.typingMs });
  const authenticator = createAuthenticator({
    hub,
    wheel,
    presence,
    agentByToken: options.agentByToken,
    principalByToken: options.principalByToken,
    visitorBySession: options.visitorBySession,
    conversationOf: options.conversationOf,
    totalUnread: options.totalUnread,
    onLeave: (connection, id) => leaveConversation({ typing, presence }, connection, id),
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
    async peopleOf(contextId) {
      const id = await options.contextConversation(contextId);
      if (id === null) return { agents: 0, visitors: 0 };
      const { members } = presence.members(id, { limit: Number.MAX_SAFE_INTEGER });
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
  const native = createNativeProtocol({
    commands,
    node: options.node,
    heartbeatMs: options.heartbeatMs,
    authTimeoutMs: options.authTimeoutMs,
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
  const chatJson = createChatJsonProtocol({
    commands,
    followTables: (connection, accept) => tables.followAll(connection, accept),
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
  const topics = createTopicsProtocol({
    commands,
    follow: createFollow({ hub, conversations, presence }),
    epoch: conversations.epoch,
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
  const scoped = {
    scopes: createScopes({ authenticator, openContext: options.openContext }),
    onUnexpected: (error: unknown, connection: Connection) =>
      onError(error, { connection: connection.id }),
  };
  const endpoints: Endpoints = {
    "/realtime": { protocol: native, subprotocol: SUBPROTOCOL },
    "/ws": { protocol: chatJson },
    "/api/chat/ws": {
      protocol: createScopedChatProtocol({ ...scoped, commands, epoch: conversations.epoch }),
    },
    "/api/analytics/ws": {
      protocol: createScopedAnalyticsProtocol({
        ...scoped,
        metrics: followed,
      }),
    },
    "/api/collaboration/ws": {
      protocol: createScopedCollaborationProtocol({
        ...scoped,
        collaboration,
      }),
    },
    "/api/v1/ws": { protocol: topics },
  };
  /** From the upgrade until the socket is closed for good. */
  const sockets = new Map<EventTarget | null, Connection>();
  let draining = false;
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
  followUnread({ hub, wheel, unreadCounts: options.unreadCounts, onError });
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

  function accept({ socket, protocol, from, credentials, refused }: Accepted): void {
    const connection = connect(socket, protocol, from);
    sockets.set(socket, connection);
    const onOpen = listener<Event>(() => {
      if (refused !== null) {
        connection.fail(refused, CLOSE.rateLimited);
        return;
      }
      opened(connection);
      if (credentials !== null) connection.receive(protocol.authFrame(credentials));
    });
    socket.addEventListener("open", onOpen, { once: true });
    socket.addEventListener("message", onMessage);
    socket.addEventListener("close", onClose);
    socket.addEventListener("error", onBroken);
  }

  /** Of a socket and all others alike: ten thousand have the same few functions. */
  function listener<E extends Event>(handle: (connection: Connection, event: E) => void) {
    return (event: E) => {
      // The runtime may say twice that a socket is closed.
      const connection = sockets.get(event.target);
      if (connection === undefined) return;
      try {
        handle(connection, event);
      } catch (error) {
        // A throw in a socket's callback would end the process.
        onError(error, { connection: connection.id });
        connection.close(CLOSE.internal);
      }
    };
  }
  const onMessage = listener<MessageEvent>((connection, { data }) => connection.receive(data));
  const onBroken = listener<Event>((connection) => connection.end());
  const onClose = listener<CloseEvent>((connection, { code, target }) => {
    sockets.delete(target);
    connection.peerClosedWith = code;
    connection.end();
  });

  const connects = new KeyedLimiter(options.connectionsPerMinute);
  /** Milliseconds that a new socket of this peer has to wait; 0: none. */
  function takeConnection(peer: Peer): number {
    const wait = options.exemptLoopback && peer.isLoopback ? 0 : connects.take(peer.address);
    if (wait > 0) metrics.refusals.inc({ limit: "LIMIT_CONNECTIONS_PER_MINUTE" });
    return wait;
  }
  const socketIo = createSocketIoServer({
    hub,
    wheel,
    presence,
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
    originAllowed: options.originAllowed,
    async allow(request, peer) {
      if (draining) return refuse(503, "Server is restarting", { "retry-after": "1" });
      const origin = request.headers.get("origin");
      if (!await options.originAllowed({ origin, self: peer.selfOrigin })) {
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
    takeConnection,
    idleTimeoutMs: options.heartbeatMs * 2,
    draining: () => draining,
    accept,
  });

  return {
    disconnect,
    sendToUser(userId, name, data) {
      const event = {
        type: "user_event" as const,
        timestamp: new Date().toISOString(),
        data: { name, data },
      };
      hub.publish({ room: ROOMS.user(userId), forAgents: event, forVisitors: event });
    },
    sendToRoom(room, name, data) {
      const timestamp = new Date().toISOString();
      const event = { type: "user_event", timestamp, data: { name, data } } as const;
      if (room === "agents") {
        hub.publish({ room: ROOMS.agents, forAgents: event, forVisitors: null });
      } else {
        const name = ROOMS.conversation(room.conversationId);
        hub.publish({ room: name, forAgents: event, forVisitors: event });
      }
    },
    connectionsOf: (userId) => census.connectionsOf(userId),
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
      ...hub.counters,
      lingering: socketIo.lingering +
        Math.max(0, sockets.size + socketIo.connections - hub.connections.size),
    }),

    traffic() {
      const byProtocol = new Map<string, ProtocolStats>();
      const of = (protocol: string) => {
        const known = byProtocol.get(protocol);
        if (known !== undefined) return known;
        const none = { protocol, pending: 0, agents: 0, visitors: 0, received: 0, sent: 0 };
        byProtocol.set(protocol, none);
        return none;
      };
      for (const [protocol, { received, sent }] of hub.ended) {
        Object.assign(of(protocol), { received, sent });
      }
      let queueBytes = 0;
      for (const { protocol, principal, received, sent, writer } of hub.connections) {
        const stats = of(protocol.name);
        stats.received += received;
        stats.sent += sent;
        stats[principal === null ? "pending" : audienceOf(principal)]++;
        queueBytes += writer.waitingBytes;
      }
      return { byProtocol: [...byProtocol.values()], queueBytes };
    },

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
