import { Adapter, type Session as StoredSession } from "socket.io-adapter";
import { type Audience, audienceOf } from "../domain/principal.ts";
import type { LoggedEvent } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import { offsetOf, packetsOf } from "./protocols/socket_io_events.ts";
import { ownOffset, type PacketPosition, roomsText } from "./protocols/socket_io_positions.ts";
import type { Recovery, Restored } from "./recovery.ts";
import type { RecoveryState } from "./recovery_state.ts";
import { ROOMS } from "./rooms.ts";

export interface AdapterOptions {
  recovery: Recovery<PacketPosition>;
  epoch: string;
  /** Bytes of missed packets that are sent at once. */
  maxBytes: number;
  connectionOf: (state: RecoveryState<PacketPosition>) => Connection;
  onError: (error: unknown) => void;
}

/** What socket.io keeps of a socket for its recovery. */
export interface SocketData {
  state: RecoveryState<PacketPosition>;
}

/** An adapter of socket.io that only does recovery: rooms and broadcasts are the hub's. */
export function createAdapter(options: AdapterOptions): typeof Adapter {
  const { recovery, onError } = options;

  return class Recovering extends Adapter {
    override persistSession({ data }: { data: unknown }): void {
      const { state } = data as SocketData;
      try {
        recovery.suspend(state, options.connectionOf(state));
      } catch (error) {
        onError(error);
        recovery.end(state);
      }
    }

    override async restoreSession(id: string, offset: string): Promise<StoredSession> {
      try {
        const restored = await recovery.restore(id, ownOffset(offset));
        if (restored !== null) {
          const { state } = restored;
          const missedPackets = missedBy(options, restored);
          if (missedPackets !== null) {
            return { sid: state.name, pid: id, rooms: [], data: { state }, missedPackets };
          }
          recovery.end(state);
        }
      } catch (error) {
        onError(error);
      }
      // socket.io's own adapter returns null where there is none, although the type does not allow
      // it.
      return null as unknown as StoredSession;
    }
  };
}

/** The packets in order; null if one cannot be encoded again, or if they are too many bytes. */
function missedBy(
  { epoch, maxBytes }: AdapterOptions,
  { state, missed }: Restored<PacketPosition>,
) {
  const packets: unknown[][] = [];
  let bytes = 0;
  for (const { position, event } of missed) {
    const packet = packetAt(epoch, position, event, audienceOf(state.principal!));
    if (packet === null) return null;
    bytes += JSON.stringify(packet).length;
    if (bytes > maxBytes) return null;
    packets.push(packet);
  }
  // The offset of each packet has the position of every conversation after that packet.
  const rooms = new Map(state.rooms);
  for (let i = missed.length - 1; i >= 0; i--) {
    const { conversationId, seq, isFollowed, offset } = missed[i]!.position;
    packets[i]![2] = offset + roomsText(epoch, rooms);
    if (isFollowed && rooms.has(conversationId)) rooms.set(conversationId, seq - 1);
  }
  return packets;
}

/** The packet that was sent at that position, encoded again from the log. */
function packetAt(
  epoch: string,
  position: PacketPosition,
  event: LoggedEvent,
  audience: Audience,
) {
  for (const room of [ROOMS.messages, ROOMS.conversation(position.conversationId)]) {
    for (const packet of packetsOf(event, room, audience)) {
      const offset = offsetOf(epoch, event, packet);
      if (offset === position.offset) return [packet.name, packet.data, offset];
    }
  }
  return null;
}
