/**
 * Socket.IO at `/socket.io/`: the official server on the Engine.IO server of `engineio/`, and a
 * connection of the hub for each of its sockets, so that limits, queues, rights and rooms are the
 * hub's.
 */
import { Server } from "socket.io";
import type { LoggedEvent } from "../protocol/native.ts";
import type { Principal } from "../domain/principal.ts";
import type { Hub } from "./hub.ts";
import { memoizeLast } from "./memoize_last.ts";
import type { PresenceTracker } from "./presence.ts";
import type { Protocol } from "./protocol.ts";
import { createSocketIoProtocol } from "./protocols/socket_io.ts";
import { type PacketPosition, packetsIn } from "./protocols/socket_io_positions.ts";
import type { SocketIoOptions } from "./protocols/socket_io_peer.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import { ROOMS } from "./rooms.ts";
import { createAdapter } from "./socket_io_adapter.ts";
import {
  createSocketIoConnections,
  type SocketIoConnections,
  type SocketIoConnectionsOptions,
} from "./socket_io_connections.ts";
import { createSocketIoEngine, type SocketIoEngineOptions } from "./socket_io_engine.ts";
import type { IoSocket } from "./socket_io_socket.ts";
import type { RealtimeTimeouts, RecoverySettings } from "./types.ts";
import type { Unread } from "./unread.ts";

export interface SocketIoServerOptions
  extends
    SocketIoEngineOptions,
    Pick<SocketIoConnectionsOptions, "connect" | "opened">,
    Pick<SocketIoOptions, "commands" | "authenticate" | "epoch"> {
  hub: Hub;
  presence: PresenceTracker;
  unread: Unread;
  timeouts: Pick<RealtimeTimeouts, "authMs" | "heartbeatMs" | "typingMs">;
  recovery: RecoverySettings;
  entries: (
    principal: Principal,
    positions: { conversationId: string; seq: number }[],
  ) => Promise<Map<string, LoggedEvent>>;
}

export interface SocketIoServer {
  handle(request: Request, remote: string): Promise<Response>;
  /** A visitor's conversation was opened, and their connections follow it. */
  conversationOpened(contactId: string, conversationId: string, isLocal: boolean): void;
  /** Suspended connections of the principals that match cannot be recovered. */
  endRecoveryWhere(matches: (principal: Principal) => boolean): void;
  /** No connection can be recovered: broadcasts may have been lost. */
  endAllRecovery(): void;
  /** Connections of the hub whose sockets are open. */
  readonly connections: number;
  /** Sessions of the engine. */
  readonly engineSessions: number;
  /** WebSockets that the engine has closed and whose peer has not. */
  readonly lingering: number;
  close(): Promise<void>;
}

export function createSocketIoServer(options: SocketIoServerOptions): SocketIoServer {
  const { hub, wheel, presence, limits, timeouts, epoch, onError } = options;
  const packetsOnce = memoizeLast(packetsIn);

  const protocol: Protocol = createSocketIoProtocol({
    commands: options.commands,
    authenticate: options.authenticate,
    epoch,
    typingMs: timeouts.typingMs,
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
    peerOf: (connection) => connections.peerOf(connection),
    async followAll(connection) {
      hub.join(connection, ROOMS.messages);
      options.unread.join(connection);
      await hub.roomsReady(connection);
    },
    resume(connection) {
      if (!recovery.resume(connections.peerOf(connection).state, connection)) return false;
      for (const room of connection.rooms) {
        const conversationId = ROOMS.conversationOf(room);
        if (conversationId !== null) presence.join(connection, conversationId, "none");
      }
      if (connection.principal?.kind === "agent") options.unread.join(connection);
      return true;
    },
  });

  const recovery: Recovery<PacketPosition> = createRecovery<PacketPosition>({
    hub,
    wheel,
    timeoutMs: options.recovery.timeoutMs,
    resumeTimeoutMs: timeouts.authMs,
    maxSuspended: options.recovery.maxSuspended,
    maxPositions: options.recovery.maxReplayEvents,
    maxBytes: limits.queueBytes,
    positionsIn: memoizeLast((text) => packetsIn(text).flatMap(({ position }) => position ?? [])),
    entries: options.entries,
    createRecorder(socket, principal) {
      const nowhere = { address: "", origin: null, selfOrigin: "" };
      const connection = options.connect(socket, protocol, nowhere);
      connection.principal = principal;
      return connection;
    },
  });

  const connections: SocketIoConnections = createSocketIoConnections({
    protocol,
    recovery,
    maxRooms: limits.subscriptions,
    epoch,
    packetsIn: packetsOnce,
    connect: options.connect,
    opened: options.opened,
    onError,
  });

  const engine = createSocketIoEngine(options);
  const io = new Server({
    serveClient: false,
    connectTimeout: timeouts.authMs,
    adapter: createAdapter({
      recovery,
      epoch,
      maxBytes: limits.queueBytes,
      connectionOf: connections.connectionOf,
      onError,
    }),
    connectionStateRecovery: { maxDisconnectionDuration: options.recovery.timeoutMs },
  });
  // The server uses only the engine's "connection" event, and closes it.
  io.bind(engine as unknown as Parameters<typeof io.bind>[0]);

  io.on("connection", (raw) => {
    const socket = raw as unknown as IoSocket;
    try {
      connections.open(socket);
    } catch (error) {
      onError(error, { socket: socket.id });
      socket.disconnect(true);
    }
  });

  return {
    handle: (request, remote) => engine.handle(request, remote),

    conversationOpened(contactId, conversationId, isLocal) {
      // Its first messages may have been broadcast on the other node already.
      if (!isLocal) recovery.endWhere(({ userId }) => userId === contactId);
      recovery.conversationOpened(contactId, conversationId);
      for (const connection of hub.members(ROOMS.user(contactId))) {
        const following = connections.findPeer(connection)?.state.following;
        if (following === undefined || following.has(conversationId)) continue;
        following.set(conversationId, { from: 0, at: 0 });
      }
    },

    endRecoveryWhere: recovery.endWhere,
    endAllRecovery: recovery.endAll,

    get connections() {
      return connections.size;
    },
    get engineSessions() {
      return engine.clientsCount;
    },
    get lingering() {
      return engine.lingering;
    },

    async close() {
      recovery.endAll();
      await io.close();
    },
  };
}
