/**
 * Engine.IO 4 packets on the wire: a digit and the data. Over polling several packets are joined by
 * a record separator, and a binary message is "b" and base64. Over WebSocket each packet is a
 * frame, and a binary message is a binary frame.
 */
import type { Packet, PacketType } from "./types.ts";

export const SEPARATOR = "\x1e";

const TYPES: readonly PacketType[] = [
  "open",
  "close",
  "ping",
  "pong",
  "message",
  "upgrade",
  "noop",
];

/** Packets without data, encoded. */
export const CLOSE = "1";
export const PING = "2";
export const PONG_PROBE = "3probe";
export const NOOP = "6";

let lastText = "";
let lastMessage = "4";

/**
 * A text message as a packet. The last result is cached: when one text is sent to many sessions,
 * they share one string, which the runtime flattens once.
 */
export function encodeMessage(text: string): string {
  if (text !== lastText) {
    lastText = text;
    lastMessage = "4" + text;
  }
  return lastMessage;
}

/** An encoded packet, or a binary message, for a polling payload. */
export function encodeForPolling(packet: string | Uint8Array): string {
  return typeof packet === "string" ? packet : "b" + packet.toBase64();
}

/** The packet of a text frame, or of a payload's part that is not base64; null where it is none. */
export function decodeText(text: string): Packet | null {
  const type = TYPES[text.charCodeAt(0) - 48];
  if (type === undefined) return null;
  if (text.length > 1) return { type, data: text.slice(1) };
  return type === "message" ? { type, data: "" } : { type };
}

/** The packets of a POST body in order. Ends with null at the first part that is not a packet. */
export function* decodePayload(payload: string): Generator<Packet | null> {
  for (let start = 0; start <= payload.length;) {
    const separator = payload.indexOf(SEPARATOR, start);
    const end = separator === -1 ? payload.length : separator;
    const packet = decodeOne(payload.slice(start, end));
    yield packet;
    if (packet === null) return;
    start = end + 1;
  }
}

function decodeOne(text: string): Packet | null {
  if (!text.startsWith("b")) return decodeText(text);
  try {
    return { type: "message", data: Uint8Array.fromBase64(text.slice(1)) };
  } catch {
    return null;
  }
}
