import { CLOSE } from "../protocol/close_codes.ts";
import type { Page } from "../protocol/model.ts";
import { SUBPROTOCOL } from "../protocol/native.ts";
import type { Conversations } from "../domain/conversations/service.ts";
import type { EventBus } from "../domain/events.ts";
import type { Principal, VisitorPrincipal } from "../domain/principal.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";
import type { PeerReader } from "./address.ts";
import { createAuthenticator } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { createCommands, leaveConversation } from "./commands.ts";
import { Connection, type ConnectionLimits } from "./connection.ts";
import { deliverDomainEvents } from "./delivery.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { Hub } from "./hub.ts";
import { createPresence } from "./presence.ts";
import { createChatJsonProtocol } from "./protocols/chat_json.ts";
import { createNativeProtocol } from "./protocols/native.ts";
import { type Disconnect, followRights, isWhose } from "./rights.ts";
import { ROOMS } from "./rooms.ts";
import { createTimerWheel } from "./timer_wheel.ts";
import { createTyping } from "./typing.ts";
import { type Accepted, createUpgrade, type Endpoints } from "./upgrade.ts";

export interface RealtimeOptions {
  bus: EventBus;
  broker: Broker;
  conversations: Conversations;
  /** Name of this process among its kind. */
  node: string;
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
  drainMs: number;
  agentOrigins: readonly string[];
  peer: PeerReader;
  /** Whether a web page of this origin may open a socket at all. */
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  agentByToken: (token: string) => Promise<Principal>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
  conversationOf: (contactId: string) => Promise<string | null>;
  /** Where the logs of conversations stand. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
  /** Someone has no connection any more, and the grace is over. */
  onGone: (userId: string, kind: "agent" | "visitor") => void;
  totalUnread: (userId: string) => Promise<number>;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

export interface RealtimeStats {
  connections: number;
  authenticatedUsers: number;
  rooms: number;
  slowClosed: number;
  /** Sockets that the server has ended and whose peer does not let go; the runtime cannot. */
  lingering: number;
}

/** The narrow face that the rest of the house sees. */
export interface Realtime {
  /** Whether sockets are opened at this path. */
  serves(path: string): boolean;
  /** Answers an upgrade request at one of its paths. */
  upgrade(request: Request, remote: string): Promise<Response>;
  stats(): RealtimeStats;
  /** Ends every connection of a user, a visitor's session, a sign-in or a single token. */
  disconnect(whose: Disconnect): number;
  /** Refuses new sockets, asks every client to come back in its own time, and closes them. */
  drain(): Promise<void>;
  readonly draining: boolean;
}

/** How long a drain waits for clients to answer their close. */
const CLOSE_HANDSHAKE_MS = 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function createRealtime(options: RealtimeOptions): Realtime {
  const { bus, broker, conversations, limits, onError } = options;
  const hub = new Hub(broker);
  const wheel = createTimerWheel({ onError });
  const presence = createPresence({
    hub,
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
    visitorBySession: options.visitorBySession,
    conversationOf: options.conversationOf,
    totalUnread: options.totalUnread,
    onLeave: (connection, id) => leaveConversation({ typing, presence }, connection, id),
    agentOrigins: options.agentOrigins,
    timeoutMs: options.authTimeoutMs,
    tokenGraceMs: options.tokenGraceMs,
    maxConnectionsPerUser: options.maxConnectionsPerUser,
  });
  const commands = createCommands({
    hub,
    conversations,
    presence,
    typing,
    authenticator,
    recordPage: options.recordPage,
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
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
  const endpoints: Endpoints = {
    "/realtime": { protocol: native, subprotocol: SUBPROTOCOL },
    "/ws": { protocol: chatJson },
  };
  /** From the upgrade until the socket is closed for good. */
  const sockets = new Set<WebSocket>();
  let draining = false;
  let lastNumber = 0;

  function disconnect(whose: Disconnect): number {
    const candidates = "userId" in whose ? hub.members(ROOMS.user(whose.userId)) : hub.connections;
    const ended = [...candidates].filter(({ principal }) =>
      principal !== null && isWhose(principal, whose)
    );
    for (const connection of ended) connection.close(CLOSE.disconnected);
    return ended.length;
  }

  deliverDomainEvents({
    bus,
    hub,
    wheel,
    typing,
    presence,
    totalUnread: options.totalUnread,
    onError,
  });
  const stopHeartbeat = startHeartbeat({
    hub,
    everyMs: options.heartbeatMs,
    positions: options.positions,
    onError,
  });
  followRights(bus, hub, disconnect);

  function accept({ socket, protocol, from, credentials, refused }: Accepted): void {
    const connection = new Connection({
      id: `${options.node}-${++lastNumber}`,
      number: lastNumber,
      socket,
      protocol,
      limits,
      ...from,
      onSlow: (slow) => hub.slow(slow),
      onWaiting: (writer) => hub.wait(writer),
      onError: (error, broken) => onError(error, { connection: broken.id }),
    });
    // A throw in a socket's callback would end the process.
    const safely = (callback: () => void) => {
      try {
        callback();
      } catch (error) {
        onError(error, { connection: connection.id });
        connection.close(CLOSE.internal);
      }
    };
    sockets.add(socket);
    socket.onopen = () =>
      safely(() => {
        if (refused !== null) {
          connection.fail(refused, CLOSE.rateLimited);
          return;
        }
        hub.add(connection);
        authenticator.expect(connection);
        protocol.onOpen(connection);
        if (credentials !== null) {
          connection.receive(protocol.authFrame(credentials));
        }
      });
    socket.onmessage = (event) => safely(() => connection.receive(event.data));
    socket.onclose = () => {
      sockets.delete(socket);
      safely(() => connection.end());
    };
    socket.onerror = () => safely(() => connection.end());
  }

  const upgrade = createUpgrade({
    endpoints,
    peer: options.peer,
    originAllowed: options.originAllowed,
    connects: new KeyedLimiter(options.connectionsPerMinute),
    exemptLoopback: options.exemptLoopback,
    idleTimeoutMs: options.heartbeatMs * 2,
    draining: () => draining,
    accept,
  });

  return {
    disconnect,
    serves: (path) => Object.hasOwn(endpoints, path),
    get draining() {
      return draining;
    },

    upgrade: (request, remote) => upgrade(request, remote),

    stats: () => ({
      connections: hub.connections.size,
      authenticatedUsers: presence.count().agents + presence.count().visitors,
      rooms: hub.roomCount,
      slowClosed: hub.counters.slowClosed,
      lingering: Math.max(0, sockets.size - hub.connections.size),
    }),

    async drain() {
      draining = true;
      stopHeartbeat();
      const timestamp = new Date().toISOString();
      for (const connection of hub.connections) {
        // Each its own moment: they must not come back all at once.
        const retryAfter = Math.floor(Math.random() * options.drainMs);
        connection.sendEvent({ type: "reconnect", timestamp, data: { retryAfter } });
        if (options.drainMs > 0) wheel.after(retryAfter, () => connection.close(CLOSE.draining));
      }
      const last = Date.now() + options.drainMs;
      while (hub.connections.size > 0 && Date.now() < last) await pause(20);
      hub.flushAll();
      for (const connection of [...hub.connections]) connection.close(CLOSE.draining);
      wheel.stop();
      // The runtime would end what is still closing with a code that says nothing.
      const deadline = Date.now() + CLOSE_HANDSHAKE_MS;
      while (sockets.size > 0 && Date.now() < deadline) await pause(10);
      await hub.close();
    },
  };
}
