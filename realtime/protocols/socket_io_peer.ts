import { TokenBucket } from "../../domain/rate_limit.ts";
import type { Authenticator } from "../authenticator.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import type { RecoverySession } from "../recovery.ts";
import { type Audience } from "../../domain/principal.ts";
import { eventText, offsetOf, packetsOf } from "./socket_io_events.ts";
import { type FollowedRoom, type Place, SEPARATOR } from "./socket_io_places.ts";

/** Clients announce every keystroke; those that change nothing count only against this. */
const KEYSTROKES_PER_MINUTE = 1200;

/** What the protocol knows of a connection beside what the hub knows. */
export interface SocketIoPeer {
  session: RecoverySession<Place>;
  /** The last that its client received before it lost another connection; used once. */
  came: Place | null;
  /** What its client followed on a connection that this server knows nothing of. */
  brought: FollowedRoom[];
  /** Of these it has all that was missed already, and its client has not asked for them yet. */
  regained: Set<string>;
  /** Whether it is a new connection of a client that had one before. */
  comesBack: boolean;
  /** Counts its packets that stand in no log. */
  nextMarker: number;
  /** Until when its typing counts as announced, by conversation. */
  typing: Map<string, number>;
  keystrokes: TokenBucket;
}

export function createPeer(
  known: Pick<SocketIoPeer, "session" | "came" | "brought" | "comesBack">,
): SocketIoPeer {
  const keystrokes = new TokenBucket(KEYSTROKES_PER_MINUTE, 60_000, Date.now());
  return { ...known, regained: new Set(), nextMarker: 0, typing: new Map(), keystrokes };
}

export interface SocketIoOptions {
  commands: Commands;
  authenticate: Authenticator["authenticate"];
  peerOf: (connection: Connection) => SocketIoPeer;
  /** The agent gets what concerns all conversations from here on. */
  followAll: (connection: Connection) => Promise<unknown>;
  /** The connection goes on in place of the one that its session had. False: it cannot. */
  resume: (connection: Connection) => boolean;
  epoch: string;
  /** Milliseconds after which typing ends by itself. */
  typingMs: number;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

/** Answers an event; `success` stands before it. */
export type Answer = Record<string, unknown>;

/** The position that the peer came with, where it is of that conversation. */
export function takeCame(peer: SocketIoPeer, conversationId: string): Place | undefined {
  const { came } = peer;
  if (came?.conversationId !== conversationId) return undefined;
  peer.came = null;
  return came;
}

/** An event's packets as one text, each with the offset that recovery knows it by. */
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
