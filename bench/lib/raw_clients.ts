import {
  connectTo,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLIN,
  EVENT_DATA,
  EVENT_WORDS,
  libc,
  MSG_DONTWAIT,
  sendAll,
} from "./libc.ts";

/** One WebSocket of the generator. `next` and `count` belong to the scenario. */
export interface Peer {
  readonly id: number;
  readonly fd: number;
  open: boolean;
  /** The close code, 1006 when the connection ended without one, null while it is open. */
  closed: number | null;
  /** Bytes of an incomplete frame. */
  carry: Uint8Array<ArrayBuffer> | null;
  /** The group that the scenario assigned it to. */
  group: number;
  count: number;
  next: number;
}

/** A whole text frame with its payload from start to end. The buffer is reused after the call. */
export type OnFrame = (peer: Peer, buffer: Uint8Array, start: number, end: number) => void;

const CARRY = 1 << 20;
const READ = 1 << 18;
const EVENTS = 512;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A masked text frame. The mask is zero, which leaves the payload unchanged. */
export function textFrame(text: string, opcode = 1): Uint8Array<ArrayBuffer> {
  const payload = encoder.encode(text);
  const long = payload.length > 125;
  const frame = new Uint8Array((long ? 8 : 6) + payload.length);
  frame[0] = 0x80 | opcode;
  if (payload.length > 65535) throw new Error("Cannot make a frame: the text is too long");
  if (long) frame.set([0xfe, payload.length >> 8, payload.length & 255], 1);
  else frame[1] = 0x80 | payload.length;
  frame.set(payload, frame.length - payload.length);
  return frame;
}

/** WebSocket clients on one epoll. Every call blocks: the process does nothing else. */
export class RawClients {
  readonly peers: Peer[] = [];
  onFrame: OnFrame;
  bytes = 0;
  reads = 0;
  readonly #epoll = libc.epoll_create1(0);
  readonly #buffer = new Uint8Array(CARRY + READ);
  /** Reads go here; the rest of the previous read is copied right in front of it. */
  readonly #target = this.#buffer.subarray(CARRY);
  readonly #events = new Int32Array(EVENTS * EVENT_WORDS);

  constructor(onFrame: OnFrame = () => {}) {
    this.onFrame = onFrame;
  }

  /** Connects and requests the upgrade; a later `poll` reads the response. */
  connect(port: number, path: string, protocols: string[] = []): Peer {
    const fd = connectTo(port);
    const peer: Peer = {
      id: this.peers.length,
      fd,
      open: false,
      closed: null,
      carry: null,
      group: 0,
      count: 0,
      next: 0,
    };
    this.peers.push(peer);
    const offered = protocols.length === 0
      ? ""
      : `Sec-WebSocket-Protocol: ${protocols.join(", ")}\r\n`;
    sendAll(
      fd,
      encoder.encode(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n` +
          `Sec-WebSocket-Version: 13\r\n${offered}\r\n`,
      ),
    );
    this.resume(peer);
    return peer;
  }

  /** Stops reading from it, so that the kernel's buffers fill up. */
  stall(peer: Peer): void {
    libc.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, peer.fd, this.#event(peer));
  }

  resume(peer: Peer): void {
    libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, peer.fd, this.#event(peer));
  }

  #event(peer: Peer): Uint8Array<ArrayBuffer> {
    const event = new Int32Array(EVENT_WORDS);
    event[0] = EPOLLIN;
    event[EVENT_DATA] = peer.id;
    return new Uint8Array(event.buffer);
  }

  send(peer: Peer, text: string): boolean {
    return sendAll(peer.fd, textFrame(text));
  }

  sendFrame(peer: Peer, frame: Uint8Array<ArrayBuffer>): boolean {
    return sendAll(peer.fd, frame);
  }

  /** Reads once from every socket that is ready, waiting for at most `ms`. */
  poll(ms: number): void {
    const events = this.#events;
    const ready = libc.epoll_wait(this.#epoll, events as BufferSource, EVENTS, ms);
    for (let i = 0; i < ready; i++) this.#read(this.peers[events[i * EVENT_WORDS + EVENT_DATA]!]!);
  }

  /** Polls until the condition holds. @throws {Error} when it does not within `ms` */
  until(isSo: () => boolean, what: string, ms = 30_000): void {
    const deadline = performance.now() + ms;
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`Waited ${ms} ms for ${what}`);
      this.poll(5);
    }
  }

  /** Polls for a time. */
  during(ms: number): void {
    const end = performance.now() + ms;
    for (let left = ms; left > 0; left = end - performance.now()) this.poll(Math.ceil(left));
  }

  close(peer: Peer, code = 1006): void {
    if (peer.closed !== null) return;
    peer.closed = code;
    peer.carry = null;
    libc.close(peer.fd);
  }

  closeAll(): void {
    for (const peer of this.peers) this.close(peer);
    libc.close(this.#epoll);
  }

  #read(peer: Peer): void {
    if (peer.closed !== null) return;
    const n = Number(libc.recv(peer.fd, this.#target, BigInt(READ), MSG_DONTWAIT));
    if (n <= 0) {
      this.close(peer);
      return;
    }
    this.reads++;
    this.bytes += n;
    const buffer = this.#buffer;
    const end = CARRY + n;
    let at = CARRY;
    if (peer.carry !== null) {
      at -= peer.carry.length;
      buffer.set(peer.carry, at);
      peer.carry = null;
    }
    if (!peer.open) at = this.#upgrade(peer, at, end);
    if (peer.open) at = this.#frames(peer, at, end);
    if (at < end && peer.closed === null) peer.carry = buffer.slice(at, end);
    if (end - at > CARRY) throw new Error("Cannot keep a frame of more than 1 MiB");
  }

  #upgrade(peer: Peer, start: number, end: number): number {
    const text = decoder.decode(this.#buffer.subarray(start, end));
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return start;
    if (!text.startsWith("HTTP/1.1 101")) throw new Error(`Not upgraded: ${text}`);
    peer.open = true;
    return start + encoder.encode(text.slice(0, head + 4)).length;
  }

  #frames(peer: Peer, start: number, end: number): number {
    const buffer = this.#buffer;
    let at = start;
    while (end - at >= 2) {
      let length = buffer[at + 1]!;
      let payload = at + 2;
      if (length === 126) {
        if (end - at < 4) break;
        length = buffer[at + 2]! << 8 | buffer[at + 3]!;
        payload = at + 4;
      } else if (length === 127) {
        if (end - at < 10) break;
        length = buffer[at + 6]! * 2 ** 24 + (buffer[at + 7]! << 16) + (buffer[at + 8]! << 8) +
          buffer[at + 9]!;
        payload = at + 10;
      }
      const next = payload + length;
      if (next > end) break;
      const opcode = buffer[at]! & 15;
      if (opcode === 1) this.onFrame(peer, buffer, payload, next);
      else if (opcode === 9) this.#pong(peer, payload, next);
      else if (opcode === 8) {
        this.close(peer, length < 2 ? 1005 : buffer[payload]! << 8 | buffer[payload + 1]!);
        return end;
      } else throw new Error(`Cannot read a frame with opcode ${opcode}`);
      at = next;
      if (peer.closed !== null) return end;
    }
    return at;
  }

  #pong(peer: Peer, start: number, end: number): void {
    sendAll(peer.fd, textFrame(decoder.decode(this.#buffer.subarray(start, end)), 10));
  }
}

export function textOf(buffer: Uint8Array, start: number, end: number): string {
  return decoder.decode(buffer.subarray(start, end));
}
