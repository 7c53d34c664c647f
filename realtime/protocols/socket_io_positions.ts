/**
 * Offsets: the last argument of a packet, which the client sends with its next connection. An
 * offset names a packet of a log, followed by the conversations that the connection follows and the
 * last position of each. So a server that does not know the client, after a restart or on another
 * node, can follow the same conversations again from there.
 */

/** Between the packets of one event. JSON never contains it. */
export const SEPARATOR = "\x1e";

/** Between a packet's own offset and the list of conversations. */
const ROOMS_AFTER = "~";

/** What an offset names: one packet of one entry of a conversation's log. */
export interface PacketPosition {
  offset: string;
  epoch: string;
  conversationId: string;
  seq: number;
  part: string;
  /** False: a packet for the list of conversations, not of one that is followed. */
  isFollowed: boolean;
  /** The packet is not in a log; its offset only carries the list of conversations. */
  isMarker?: true;
}

/** A conversation that was followed, and the last `seq` of it that arrived. */
export interface FollowedRoom {
  epoch: string;
  conversationId: string;
  seq: number;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const OFFSET = new RegExp(`^([0-9a-zA-Z]{1,64})\\.(${UUID})\\.(\\d{1,15})(\\w)$`);
const ROOM = new RegExp(`^(${UUID})\\.(\\d{1,15})$`);
const EPOCH = /^[0-9a-zA-Z]{1,64}$/;
const MARKER = /^m\d{1,15}$/;

/** The offset of the `nth` packet of a connection that is not in a log. */
export function markerOf(nth: number): string {
  return `m${nth}`;
}

/** The packet's own offset, without the list of conversations. */
export function ownOffset(offset: string): string {
  const end = offset.indexOf(ROOMS_AFTER);
  return end < 0 ? offset : offset.slice(0, end);
}

/** null: it is not an offset of this server. */
export function parseOffset(given: string): PacketPosition | null {
  const offset = ownOffset(given);
  if (MARKER.test(offset)) {
    const nowhere = { epoch: "", conversationId: "", seq: 0, part: "" };
    return { offset, ...nowhere, isFollowed: false, isMarker: true };
  }
  const match = OFFSET.exec(offset);
  if (match === null) return null;
  const [, epoch, conversationId, seq, part] = match;
  return {
    offset,
    epoch: epoch!,
    conversationId: conversationId!,
    seq: Number(seq),
    part: part!,
    isFollowed: part !== "n",
  };
}

/** The conversations in an offset, at most `limit`. Entries that cannot be read are skipped. */
export function parseRooms(offset: string, limit: number): FollowedRoom[] {
  const [epoch = "", list = ""] = offset.slice(ownOffset(offset).length + 1).split(";");
  if (!EPOCH.test(epoch)) return [];
  const rooms = list.split(",", limit).flatMap((entry) => {
    const match = ROOM.exec(entry);
    return match === null ? [] : [{ epoch, conversationId: match[1]!, seq: Number(match[2]) }];
  });
  return [...new Map(rooms.map((room) => [room.conversationId, room])).values()];
}

/** The list that follows a packet's own offset; empty if no conversation is followed. */
export function roomsText(epoch: string, rooms: ReadonlyMap<string, number>): string {
  if (rooms.size === 0) return "";
  const list = [...rooms].map(([conversationId, seq]) => `${conversationId}.${seq}`);
  return `${ROOMS_AFTER}${epoch};${list.join(",")}`;
}

/** Appends the list to the offset that ends the packet. */
export function withRooms(packet: string, rooms: string): string {
  return rooms === "" ? packet : `${packet.slice(0, -2)}${rooms}"]`;
}

export interface PositionedPacket {
  packet: string;
  /** null: it has no offset, as most packets. */
  position: PacketPosition | null;
}

/** The packets that were joined in one text, each with its position. */
export function packetsIn(text: string): PositionedPacket[] {
  return text.split(SEPARATOR).map((packet) => {
    // Only packets with an offset end with a string.
    if (!packet.endsWith('"]')) return { packet, position: null };
    const start = packet.lastIndexOf('"', packet.length - 3);
    // Parsed into a new string: a slice would keep the whole packet in memory.
    return { packet, position: parseOffset(JSON.parse(packet.slice(start, -1))) };
  });
}
