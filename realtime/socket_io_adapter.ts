import { Adapter, type Session as StoredSession } from "socket.io-adapter";
import { type Audience, audienceOf } from "../domain/principal.ts";
import type { LoggedEvent } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import { offsetOf, packetsOf } from "./protocols/socket_io_events.ts";
import { ownOffset, type Place, roomsText } from "./protocols/socket_io_places.ts";
import type { Recovery, RecoverySession } from "./recovery.ts";
import { ROOMS } from "./rooms.ts";

export interface AdapterOptions {
  recovery: Recovery<Place>;
  epoch: string;
  /** Bytes of missed packets that are sent at once. */
  maxBytes: number;
  connectionOf: (session: RecoverySession<Place>) => Connection;
  onError: (error: unknown) => void;
}

/** What socket.io keeps of a socket for its recovery: nothing but the session. */
export interface SocketData {
  session: RecoverySession<Place>;
}

/** What socket.io asks an adapter for, of which only recovery is used here: rooms are the hub's. */
export function createAdapter(options: AdapterOptions): typeof Adapter {
  const { recovery, onError } = options;

  return class Recovering extends Adapter {
    override persistSession({ data }: { data: unknown }): void {
      const { session } = data as SocketData;
      try {
        recovery.lost(session, options.connectionOf(session));
      } catch (error) {
        onError(error);
        recovery.end(session);
      }
    }

    override async restoreSession(id: string, offset: string): Promise<StoredSession> {
      try {
        const found = await recovery.restore(id, ownOffset(offset));
        if (found !== null) {
          const { session } = found;
          const missedPackets = missedBy(options, found);
          if (missedPackets !== null) {
            return { sid: session.name, pid: id, rooms: [], data: { session }, missedPackets };
          }
          recovery.end(session);
        }
      } catch (error) {
        onError(error);
      }
      // How socket.io's own adapter says that there is none, whatever the type says.
      return null as unknown as StoredSession;
    }
  };
}

type Found = NonNullable<Awaited<ReturnType<Recovery<Place>["restore"]>>>;

/** The packets, in their order; null where one cannot be made, or all are too many. */
function missedBy({ epoch, maxBytes }: AdapterOptions, { session, missed }: Found) {
  const packets: unknown[][] = [];
  let bytes = 0;
  for (const { place, event } of missed) {
    const packet = packetAt(epoch, place, event, audienceOf(session.principal!));
    if (packet === null) return null;
    bytes += JSON.stringify(packet).length;
    if (bytes > maxBytes) return null;
    packets.push(packet);
  }
  // Each tells how far the client has its conversations with it.
  const rooms = new Map(session.rooms);
  for (let i = missed.length - 1; i >= 0; i--) {
    const { conversationId, seq, isFollowed, offset } = missed[i]!.place;
    packets[i]![2] = offset + roomsText(epoch, rooms);
    if (isFollowed && rooms.has(conversationId)) rooms.set(conversationId, seq - 1);
  }
  return packets;
}

/** What was sent for that place, made anew from the log. */
function packetAt(epoch: string, place: Place, event: LoggedEvent, audience: Audience) {
  for (const room of [ROOMS.messages, ROOMS.conversation(place.conversationId)]) {
    for (const packet of packetsOf(event, room, audience)) {
      const offset = offsetOf(epoch, event, packet);
      if (offset === place.offset) return [packet.name, packet.data, offset];
    }
  }
  return null;
}
