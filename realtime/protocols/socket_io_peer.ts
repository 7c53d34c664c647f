import { TokenBucket } from "../../domain/rate_limit.ts";
import type { Authenticator } from "../authenticator.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import type { RecoveryState } from "../recovery_state.ts";
import { type Audience } from "../../domain/principal.ts";
import { eventText, offsetOf, packetsOf } from "./socket_io_events.ts";
import { type FollowedRoom, type PacketPosition, SEPARATOR } from "./socket_io_positions.ts";

/** Clients announce every keystroke. Those that change nothing count only for this rate. */
const KEYSTROKES_PER_MINUTE = 1200;

/** What this protocol keeps of a connection. */
export interface SocketIoPeer {
  state: RecoveryState<PacketPosition>;
  /** The last packet that the client received on its previous connection; used once. */
  lastReceived: PacketPosition | null;
  /** What the client followed on a previous connection that this server does not know. */
  previousRooms: FollowedRoom[];
  /** Of these, the ones that are complete again and that the client has not joined itself yet. */
  caughtUp: Set<string>;
  /** The client had a connection before. */
  isReconnect: boolean;
  /** Counts the packets that are not in a log. */
  nextMarker: number;
  /** Until when its typing counts as announced, by conversation. */
  typing: Map<string, number>;
  keystrokes: TokenBucket;
}

export function createPeer(
  known: Pick<SocketIoPeer, "state" | "lastReceived" | "previousRooms" | "isReconnect">,
): SocketIoPeer {
  const keystrokes = new TokenBucket(KEYSTROKES_PER_MINUTE, 60_000, Date.now());
  return { ...known, caughtUp: new Set(), nextMarker: 0, typing: new Map(), keystrokes };
}

export interface SocketIoOptions {
  commands: Commands;
  authenticate: Authenticator["authenticate"];
  peerOf: (connection: Connection) => SocketIoPeer;
  /** The agent receives what concerns all conversations from now on. */
  followAll: (connection: Connection) => Promise<unknown>;
  /** The connection continues its state. False: it cannot. */
  resume: (connection: Connection) => boolean;
  epoch: string;
  /** Milliseconds after which typing ends by itself. */
  typingMs: number;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

/** The answer to an event; `success` is added to it. */
export type Answer = Record<string, unknown>;

/** The client's last position, if it is in that conversation. */
export function takeLastReceived(
  peer: SocketIoPeer,
  conversationId: string,
): PacketPosition | undefined {
  const { lastReceived } = peer;
  if (lastReceived?.conversationId !== conversationId) return undefined;
  peer.lastReceived = null;
  return lastReceived;
}

/** The packets of an event as one text, each with its offset. */
export function encodeEvent(
  epoch: string,
  event: HubEvent,
  room: string | null,
  audience: Audience,
): string | null {
  const packets = packetsOf(event, room, audience);
  if (packets.length === 0) return null;
  return packets.map((packet) =>
    eventText(packet.name, packet.data, offsetOf(epoch, event, packet))
  ).join(SEPARATOR);
}
