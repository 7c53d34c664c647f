/** Characters of the longest frame that can be a ping. */
const MAX_PING = 1000;

/** Whether a frame is a ping, in every protocol that has its own: `{"type":"ping",…}` alone. */
export function isPing(frame: string): boolean {
  if (frame.length > MAX_PING || !frame.includes('"ping"')) return false;
  try {
    return (JSON.parse(frame) as { type?: unknown } | null)?.type === "ping";
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();

/** UTF-8 length; counted exactly only where it can be near the limit. */
export function byteLength(text: string, limit: number): number {
  if (text.length * 3 <= limit || text.length > limit * 8) return text.length;
  return encoder.encode(text).length;
}
