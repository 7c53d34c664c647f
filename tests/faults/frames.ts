/** WebSocket frames (RFC 6455 §5.2) as bytes, for tests that have to send what no client would. */

export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface Frame {
  fin: boolean;
  opcode: number;
  /** Unmasked. */
  payload: Uint8Array;
  /** The frame as it came, to be forwarded unchanged. */
  raw: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function textOf(frame: Frame): string {
  return decoder.decode(frame.payload);
}

/** One frame from a client: masked, with a mask of zeros, which leaves the payload readable. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string = new Uint8Array(),
  options: { fin?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const body = typeof payload === "string" ? encoder.encode(payload) : payload;
  const head = frameHead(opcode, body.length, options);
  const frame = new Uint8Array(head.length + body.length);
  frame.set(head);
  frame.set(body, head.length);
  return frame;
}

/** The head alone, which may promise more than ever follows. */
export function frameHead(
  opcode: number,
  length: number,
  options: { fin?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = new Uint8Array(2 + extended + 4);
  const view = new DataView(head.buffer);
  head[0] = (options.fin === false ? 0 : 0x80) | opcode;
  head[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, length);
  if (extended === 8) view.setBigUint64(2, BigInt(length));
  return head;
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Where the head of an HTTP message ends, -1 while it has not. */
export function endOfHead(bytes: Uint8Array): number {
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10) return i + 1;
  }
  return -1;
}

/** Cuts a stream of bytes into whole frames. */
export class FrameReader {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  push(chunk: Uint8Array): Frame[] {
    this.#rest = this.#rest.length === 0 ? new Uint8Array(chunk) : concat(this.#rest, chunk);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const frame = readFrame(this.#rest, at);
      if (frame === null) break;
      frames.push(frame);
      at += frame.raw.length;
    }
    if (at > 0) this.#rest = this.#rest.slice(at);
    return frames;
  }
}

function readFrame(bytes: Uint8Array<ArrayBuffer>, at: number): Frame | null {
  if (bytes.length - at < 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  const masked = (view.getUint8(1) & 0x80) !== 0;
  let length = view.getUint8(1) & 0x7f;
  let head = 2;
  if (length === 126) {
    if (view.byteLength < 4) return null;
    length = view.getUint16(2);
    head = 4;
  } else if (length === 127) {
    if (view.byteLength < 10) return null;
    length = Number(view.getBigUint64(2));
    head = 10;
  }
  const body = head + (masked ? 4 : 0);
  if (view.byteLength < body + length) return null;
  const raw = bytes.slice(at, at + body + length);
  const payload = raw.slice(body);
  if (masked) {
    for (let i = 0; i < payload.length; i++) payload[i]! ^= raw[head + i % 4]!;
  }
  return { fin: (view.getUint8(0) & 0x80) !== 0, opcode: view.getUint8(0) & 0xf, payload, raw };
}
