/** Visitors and agents on raw sockets, with the part of `parley.v1` that benchmarks need. */
import { conversationOf, sessionOf } from "./databases.ts";
import { type Peer, RawClients, textFrame, textOf } from "./raw_clients.ts";

/** A line after the greeting. The buffer is overwritten after the call. */
export type OnLine = (peer: Peer, buffer: Uint8Array, start: number, end: number) => void;

interface Greeting {
  /** Answers that are missing: to auth, then one for each join. */
  waiting: number;
  joins: string[];
  authenticated: boolean;
}

const NEWLINE = 10;

export class ParleyClients {
  readonly clients = new RawClients((peer, buffer, start, end) => {
    for (let at = start; at < end;) {
      const newline = buffer.indexOf(NEWLINE, at);
      const stop = newline < 0 || newline > end ? end : newline;
      const greeting = this.#greetings[peer.id];
      if (greeting === undefined || !this.#greet(peer, greeting, buffer, at, stop)) {
        this.onLine(peer, buffer, at, stop);
      }
      at = stop + 1;
    }
  });
  onLine: OnLine;
  ready = 0;
  readonly #greetings: (Greeting | undefined)[] = [];

  constructor(onLine: OnLine) {
    this.onLine = onLine;
  }

  /** Visitor `i`, in its own conversation where `join` says so. */
  visitor(port: number, i: number, join = true): Peer {
    return this.#connect(port, `parley.session.${sessionOf(i)}`, join ? [conversationOf(i)] : []);
  }

  agent(port: number, token: string, conversations: string[]): Peer {
    return this.#connect(port, `parley.token.${token}`, conversations);
  }

  #connect(port: number, credentials: string, joins: string[]): Peer {
    const peer = this.clients.connect(port, "/realtime", ["parley.v1", credentials]);
    this.#greetings[peer.id] = { waiting: 1 + joins.length, joins, authenticated: false };
    return peer;
  }

  /** Connects many, at most `atOnce` at a time, and returns when all are ready. */
  connectAll(count: number, connect: (i: number) => void, atOnce = 50): void {
    const before = this.ready;
    for (let i = 0; i < count; i++) {
      connect(i);
      this.clients.until(() => this.ready - before > i - atOnce, "clients to join", 120_000);
    }
    this.clients.until(() => this.ready - before === count, "clients to join", 120_000);
  }

  #greet(peer: Peer, greeting: Greeting, buffer: Uint8Array, start: number, end: number): boolean {
    const head = textOf(buffer, start, Math.min(end, start + 40));
    if (head.startsWith('{"type":"error"')) throw new Error(textOf(buffer, start, end));
    if (!head.startsWith('{"type":"ack"')) return false;
    if (!greeting.authenticated) {
      greeting.authenticated = true;
      for (const conversationId of greeting.joins) {
        this.clients.sendFrame(
          peer,
          textFrame(JSON.stringify({ type: "join", id: "join", data: { conversationId } })),
        );
      }
    }
    if (--greeting.waiting === 0) {
      this.#greetings[peer.id] = undefined;
      this.ready++;
    }
    return true;
  }
}

/** Whether the line starts with this; `{"type":"ack"` identifies an ack. */
export function startsWith(buffer: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}

export const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The decimal number at this position. */
export function numberAt(buffer: Uint8Array, at: number): number {
  let value = 0;
  for (let digit = buffer[at]! - 48; digit >= 0 && digit <= 9; digit = buffer[++at]! - 48) {
    value = value * 10 + digit;
  }
  return value;
}
