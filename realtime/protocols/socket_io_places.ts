/**
 * Offsets: what the last argument of a packet tells its client, and the client tells with its next
 * connection. One names a packet of a log, and behind it the conversations that the connection
 * follows with how far it has them. So whoever comes back to a server that knows nothing of them, or
 * to another node, is in their rooms again, and gets of each what they missed.
 */

/** Between the packets of one event; JSON never contains it. */
export const SEPARATOR = "\x1e";

/** Between a packet's own offset and the conversations that are followed. */
const ROOMS_AFTER = "~";

/** What an offset names: one packet of one entry of a conversation's log. */
export interface Place {
  offset: string;
  epoch: string;
  conversationId: string;
  seq: number;
  part: string;
  /** False: it is of the list of conversations, and not of one that is followed. */
  isFollowed: boolean;
  /** Of a packet that stands in no log, and is only there to carry the rooms. */
  isMarker?: true;
}

/** A conversation that was followed, and the last `seq` of it that had arrived. */
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

/** The offset of the `nth` packet of a connection that stands in no log. */
export function markerOf(nth: number): string {
  return `m${nth}`;
}

/** The packet's own offset, without the rooms. */
export function ownOffset(offset: string): string {
  const end = offset.indexOf(ROOMS_AFTER);
  return end < 0 ? offset : offset.slice(0, end);
}

/** null: not an offset of this server's. */
export function parseOffset(given: string): Place | null {
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

/** The rooms that a client brings back, at most `limit`; what is none of them is not looked at. */
export function parseRooms(offset: string, limit: number): FollowedRoom[] {
  const [epoch = "", list = ""] = offset.slice(ownOffset(offset).length + 1).split(";");
  if (!EPOCH.test(epoch)) return [];
  const rooms = list.split(",", limit).flatMap((entry) => {
    const match = ROOM.exec(entry);
    return match === null ? [] : [{ epoch, conversationId: match[1]!, seq: Number(match[2]) }];
  });
  return [...new Map(rooms.map((room) => [room.conversationId, room])).values()];
}

/** What follows a packet's own offset; nothing where nothing is followed. */
export function roomsText(epoch: string, rooms: ReadonlyMap<string, number>): string {
  if (rooms.size === 0) return "";
  const list = [...rooms].map(([conversationId, seq]) => `${conversationId}.${seq}`);
  return `${ROOMS_AFTER}${epoch};${list.join(",")}`;
}

/** A packet that ends with its offset, and behind that the rooms. */
export function withRooms(packet: string, rooms: string): string {
  return rooms === "" ? packet : `${packet.slice(0, -2)}${rooms}"]`;
}

export interface PlacedPacket {
  packet: string;
  /** null: it has no offset, as most. */
  place: Place | null;
}

/** The packets that were joined in one text, each with its place. */
export function packetsIn(text: string): PlacedPacket[] {
  return text.split(SEPARATOR).map((packet) => {
    // Only an offset makes a string the last argument.
    if (!packet.endsWith('"]')) return { packet, place: null };
    const start = packet.lastIndexOf('"', packet.length - 3);
    // Parsed, because a slice would keep the whole packet in memory.
    return { packet, place: parseOffset(JSON.parse(packet.slice(start, -1))) };
  });
}
