/**
 * Socket.IO at `/socket.io/`: the official server on this house's own engine, and a connection of the
 * hub for each of its sockets, so that limits, queues, rights and rooms are the hub's.
 */
import { Server } from "socket.io";
import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Slot } from "../domain/capacity.ts";
import type { LoggedEvent } from "../protocol/native.ts";
import type { Principal } from "../domain/principal.ts";
import type { PeerReader } from "./address.ts";
import type { Connection, ConnectionLimits } from "./connection.ts";
import type { HandshakeReason, TellRefused } from "./handshake_refusals.ts";
import type { Hub } from "./hub.ts";
import type { PresenceTracker } from "./presence.ts";
import type { Protocol } from "./protocol.ts";
import { createSocketIoProtocol, type SocketIoFrame } from "./protocols/socket_io.ts";
import { packetsIn, parseOffset, parseRooms, type Place } from "./protocols/socket_io_places.ts";
import { createPeer, type SocketIoOptions, type SocketIoPeer } from "./protocols/socket_io_peer.ts";
import { createRecovery, type Recovery, type RecoverySession } from "./recovery.ts";
import { remembering } from "./remembering.ts";
import { ROOMS } from "./rooms.ts";
import { createAdapter } from "./socket_io_adapter.ts";
import { argumentsOf, givenIn, type IoSocket, socketLike } from "./socket_io_socket.ts";
import type { Unread } from "./unread.ts";
import { createEngine, type EngineSocket } from "./socketio/engine.ts";
import type { EngineErrorName } from "./socketio/responses.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import { type From, refuseWith } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

const PATH = "/socket.io/";

export function isSocketIo(path: string): boolean {
  return `${path}/`.startsWith(PATH);
}

export interface SocketIoServerOptions
  extends Pick<SocketIoOptions, "commands" | "authenticate" | "epoch" | "typingMs"> {
  hub: Hub;
  wheel: TimerWheel;
  presence: PresenceTracker;
  unread: Unread;
  limits: ConnectionLimits;
  heartbeatMs: number;
  authTimeoutMs: number;
  recoveryMs: number;
  maxRecoverable: number;
  maxReplayEvents: number;
  peer: PeerReader;
  /** Counts a session or a websocket of one that is not authenticated. */
  takeSlot: (peer: ReturnType<PeerReader>) => Slot;
  /** A response is a refusal, for a new session. */
  allow: (request: Request, peer: ReturnType<PeerReader>) => Promise<Response | null>;
  tellRefused: TellRefused;
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  entries: (
    principal: Principal,
    places: { conversationId: string; seq: number }[],
  ) => Promise<Map<string, LoggedEvent>>;
  /** A connection of the hub on that socket. */
  connect: (
    socket: SocketLike,
    protocol: Protocol,
    from: From,
  ) => Connection;
  /** The connection is open: it is expected to authenticate. */
  opened: (connection: Connection) => void;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

export interface SocketIoServer {
  handle(request: Request, remote: string): Promise<Response>;
  /** A visitor's conversation was opened, and their connections follow it. */
  conversationOpened(contactId: string, conversationId: string, isHere: boolean): void;
  /** Connections that were cut cannot be recovered of those for whom that is true. */
  forget(whose: (principal: Principal) => boolean): void;
  /** No connection that there is now can be recovered: something may have passed it by. */
  forgetAll(): void;
  /** Connections of the hub whose sockets are open. */
  readonly connections: number;
  /** Sessions of the engine, and those that it has ended whose peer does not let go. */
  readonly sessions: number;
  readonly lingering: number;
  close(): Promise<void>;
}

/** Why the engine makes no session of a request, as far as that is worth telling. */
const REASONS: Partial<Record<EngineErrorName, HandshakeReason>> = {
  unsupportedVersion: "engine_io_version",
  unknownTransport: "transport",
  badHandshakeMethod: "method",
  full: "full",
  unknownSession: "session",
};

/** Of socket.io's packets. */
const EVENT = 2;

export function createSocketIoServer(options: SocketIoServerOptions): SocketIoServer {
  const { hub, wheel, presence, limits, epoch, onError } = options;
  const peers = new WeakMap<Connection, SocketIoPeer>();
  const open = new Set<Connection>();
  const connections = new WeakMap<RecoverySession<Place>, Connection>();

  const placing = { epoch, packetsIn: remembering(packetsIn) };

  const protocol: Protocol = createSocketIoProtocol({
    commands: options.commands,
    authenticate: options.authenticate,
    epoch,
    typingMs: options.typingMs,
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
    peerOf,
    async followAll(connection) {
      hub.join(connection, ROOMS.messages);
      options.unread.join(connection);
      await hub.settled(connection);
    },
    resume(connection) {
      if (!recovery.resume(peerOf(connection).session, connection)) return false;
      for (const room of connection.rooms) {
        const conversationId = ROOMS.conversationOf(room);
        if (conversationId !== null) presence.join(connection, conversationId, "none");
      }
      if (connection.principal?.kind === "agent") options.unread.join(connection);
      return true;
    },
  });

  function peerOf(connection: Connection): SocketIoPeer {
    const peer = peers.get(connection);
    if (peer === undefined) throw new ParleyError("internal", "Cannot find the peer");
    return peer;
  }

  const engine = createEngine({
    path: PATH,
    // The runtime's own pings end a dead websocket after twice this time, too.
    pingIntervalMs: options.heartbeatMs,
    pingTimeoutMs: options.heartbeatMs,
    // As far as the hub tells a peer that a message is too large before it sends it away.
    maxPayload: 4 * limits.messageBytes,
    upgradeTimeoutMs: options.authTimeoutMs,
    // The hub's writer holds back long before; this is for what is read as one long answer.
    maxBufferedBytes: 4 * limits.queueBytes,
    wheel,
    peer: options.peer,
    allow: options.allow,
    onRefused(name, request, { address }, sent) {
      const reason = REASONS[name];
      const origin = request.headers.get("origin");
      if (reason !== undefined) {
        options.tellRefused({ reason, address, origin, path: PATH, sent });
      }
    },
    takeSlot: options.takeSlot,
    refused: refuseWith,
    cors: (origin, { selfOrigin }) => options.originAllowed({ origin, self: selfOrigin }),
    onError,
  });

  const recovery: Recovery<Place> = createRecovery<Place>({
    hub,
    wheel,
    lastsMs: options.recoveryMs,
    returnMs: options.authTimeoutMs,
    maxAway: options.maxRecoverable,
    maxPlaces: options.maxReplayEvents,
    maxBytes: limits.queueBytes,
    placesIn: remembering((text) => packetsIn(text).flatMap(({ place }) => place ?? [])),
    entries: options.entries,
    standIn(socket, principal) {
      const nobody = { address: "", origin: null, selfOrigin: "" };
      const connection = options.connect(socket, protocol, nobody);
      connection.principal = principal;
      return connection;
    },
  });

  const Recovering = createAdapter({
    recovery,
    epoch,
    maxBytes: limits.queueBytes,
    connectionOf: (session) => connections.get(session)!,
    onError,
  });
  const io = new Server({
    serveClient: false,
    connectTimeout: options.authTimeoutMs,
    adapter: Recovering,
    connectionStateRecovery: { maxDisconnectionDuration: options.recoveryMs },
  });
  // It only listens to the engine's connections, and closes it.
  io.bind(engine as unknown as Parameters<typeof io.bind>[0]);

  io.on("connection", (raw) => {
    const socket = raw as unknown as IoSocket;
    try {
      begin(socket);
    } catch (error) {
      onError(error, { socket: socket.id });
      socket.disconnect(true);
    }
  });

  function begin(socket: IoSocket): void {
    const engineSocket = socket.conn as unknown as EngineSocket;
    const { auth } = socket.handshake;
    // Its own word for the secret by which a client finds its session again.
    const { pid } = socket as unknown as { pid: string };
    const cut = () => {
      socket._onclose("transport close");
      engineSocket.close(true);
    };
    const session = socket.recovered ? socket.data.session : recovery.open(pid, cut);
    session.cut = cut;
    session.name = socket.id;
    socket.data.session = session;
    const { address, origin, selfOrigin } = engineSocket.request;
    const writable = socketLike(socket, engineSocket, session, placing);
    const connection = options.connect(writable, protocol, {
      address,
      origin,
      selfOrigin,
      slot: { release: () => engineSocket.authenticated() },
    });
    const comesBack = !socket.recovered && typeof auth.pid === "string";
    const offset = socket.recovered || typeof auth.offset !== "string" ? "" : auth.offset;
    const came = parseOffset(offset);
    const brought = parseRooms(offset, limits.subscriptions);
    peers.set(connection, createPeer({ session, came, brought, comesBack }));
    connections.set(session, connection);

    engineSocket.on("heartbeat", () => session.confirmed());
    // In place of socket.io's own dispatch to listeners by name: every event goes through the
    // connection's queue, and its acknowledgement through the connection's writer.
    const onPacket = socket._onpacket.bind(socket);
    socket._onpacket = (packet) => {
      if (packet.type !== EVENT) return onPacket(packet);
      safely(connection, () => receive(connection, packet));
    };
    open.add(connection);
    socket.on("disconnect", () => {
      open.delete(connection);
      // A session has one connection of the hub, whose limits it would otherwise begin anew.
      engineSocket.close();
      safely(connection, () => {
        connection.end();
        if (session.state !== "away") recovery.end(session);
      });
    });

    options.opened(connection);
    const given = givenIn(auth);
    if (given !== null || socket.recovered) {
      connection.receive(JSON.stringify({ auth: given } satisfies SocketIoFrame));
    }
  }

  /** A throw in a socket's callback would end the process. */
  function safely(connection: Connection, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      onError(error, { connection: connection.id });
      connection.close(CLOSE.internal);
    }
  }

  function receive(connection: Connection, packet: { data?: unknown[]; id?: number }): void {
    const [event, ...args] = packet.data ?? [];
    const ack = packet.id ?? null;
    // The acknowledgement first: it is read from the head of what is refused unread.
    const frame: SocketIoFrame = { ack, event, ...argumentsOf(args) };
    connection.receive(JSON.stringify(frame));
  }

  return {
    handle: (request, remote) => engine.handle(request, remote),

    conversationOpened(contactId, conversationId, isHere) {
      // What was said in it on the other node may have passed already.
      if (!isHere) recovery.forget(({ userId }) => userId === contactId);
      recovery.opened(contactId, conversationId);
      for (const connection of hub.members(ROOMS.user(contactId))) {
        const following = peers.get(connection)?.session.following;
        if (following === undefined || following.has(conversationId)) continue;
        following.set(conversationId, { from: 0, at: 0 });
      }
    },

    forget: recovery.forget,
    forgetAll: recovery.close,

    get connections() {
      return open.size;
    },
    get sessions() {
      return engine.clientsCount;
    },
    get lingering() {
      return engine.lingering;
    },

    async close() {
      recovery.close();
      await io.close();
    },
  };
}
