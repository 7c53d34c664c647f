/** A connection of the hub for each socket of the socket.io server. */
import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { EngineSocket } from "../engineio/mod.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import type { SocketIoFrame } from "./protocols/socket_io.ts";
import {
  type PacketPosition,
  parseOffset,
  parseRooms,
  type PositionedPacket,
} from "./protocols/socket_io_positions.ts";
import { createPeer, type SocketIoPeer } from "./protocols/socket_io_peer.ts";
import type { Recovery } from "./recovery.ts";
import type { RecoveryState } from "./recovery_state.ts";
import { argumentsOf, credentialsIn, type IoSocket, socketLike } from "./socket_io_socket.ts";
import type { PeerInfo } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

/** The type of socket.io's packets that are events. */
const EVENT = 2;

export interface SocketIoConnectionsOptions {
  protocol: Protocol;
  recovery: Recovery<PacketPosition>;
  /** Rooms of one client that are followed again after a reconnect. */
  maxRooms: number;
  epoch: string;
  packetsIn: (text: string) => PositionedPacket[];
  /** Creates a connection of the hub. */
  connect: (socket: SocketLike, protocol: Protocol, from: PeerInfo) => Connection;
  /** The connection is open, and has to authenticate. */
  opened: (connection: Connection) => void;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

export interface SocketIoConnections {
  /** Connections whose sockets are open. */
  readonly size: number;
  open(socket: IoSocket): void;
  /** @throws {ParleyError} `internal` for a connection of another protocol. */
  peerOf(connection: Connection): SocketIoPeer;
  findPeer(connection: Connection): SocketIoPeer | undefined;
  /** The connection of a live state. */
  connectionOf(state: RecoveryState<PacketPosition>): Connection;
}

export function createSocketIoConnections(
  options: SocketIoConnectionsOptions,
): SocketIoConnections {
  const { recovery, onError } = options;
  const peers = new WeakMap<Connection, SocketIoPeer>();
  const connections = new WeakMap<RecoveryState<PacketPosition>, Connection>();
  const open = new Set<Connection>();

  /** An exception in a socket's callback would end the process. */
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
    // The acknowledgement is first, because it is read from the start of a frame that is too large.
    const frame: SocketIoFrame = { ack, event, ...argumentsOf(args) };
    connection.receive(JSON.stringify(frame));
  }

  /** The state that is recovered, or a new one. */
  function stateOf(socket: IoSocket, engineSocket: EngineSocket): RecoveryState<PacketPosition> {
    // socket.io's private session id, by which a client finds its state again.
    const { pid } = socket as unknown as { pid: string };
    const disconnect = () => {
      socket._onclose("transport close");
      engineSocket.close(true);
    };
    const state = socket.recovered ? socket.data.state : recovery.open(pid, disconnect);
    state.disconnect = disconnect;
    state.name = socket.id;
    socket.data.state = state;
    return state;
  }

  function connect(
    socket: IoSocket,
    engineSocket: EngineSocket,
    state: RecoveryState<PacketPosition>,
  ): Connection {
    const { address, origin, selfOrigin } = engineSocket.request;
    const { auth } = socket.handshake;
    const connection = options.connect(
      socketLike(socket, engineSocket, state, options),
      options.protocol,
      { address, origin, selfOrigin, slot: { release: () => engineSocket.releaseSlot() } },
    );
    const offset = socket.recovered || typeof auth.offset !== "string" ? "" : auth.offset;
    const peer = createPeer({
      state,
      lastReceived: parseOffset(offset),
      previousRooms: parseRooms(offset, options.maxRooms),
      isReconnect: !socket.recovered && typeof auth.pid === "string",
    });
    peers.set(connection, peer);
    connections.set(state, connection);
    return connection;
  }

  function findPeer(connection: Connection): SocketIoPeer | undefined {
    return peers.get(connection);
  }

  return {
    get size() {
      return open.size;
    },

    open(socket) {
      const engineSocket = socket.conn as unknown as EngineSocket;
      const state = stateOf(socket, engineSocket);
      const connection = connect(socket, engineSocket, state);
      engineSocket.on("heartbeat", () => state.confirmed());
      // Replaces socket.io's dispatch to listeners: each event goes through the connection's queue,
      // and its acknowledgement through the connection's writer.
      const onPacket = socket._onpacket.bind(socket);
      socket._onpacket = (packet) => {
        if (packet.type !== EVENT) return onPacket(packet);
        safely(connection, () => receive(connection, packet));
      };
      open.add(connection);
      socket.on("disconnect", () => {
        open.delete(connection);
        // An Engine.IO session has one connection of the hub: a second one would have new limits.
        engineSocket.close();
        safely(connection, () => {
          connection.end();
          if (state.phase !== "suspended") recovery.end(state);
        });
      });

      options.opened(connection);
      const given = credentialsIn(socket.handshake.auth);
      if (given !== null || socket.recovered) {
        connection.receive(JSON.stringify({ auth: given } satisfies SocketIoFrame));
      }
    },

    findPeer,
    peerOf(connection) {
      const peer = findPeer(connection);
      if (peer === undefined) throw new ParleyError("internal", "Cannot find the peer");
      return peer;
    },
    connectionOf: (state) => connections.get(state)!,
  };
}
