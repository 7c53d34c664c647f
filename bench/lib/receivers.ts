/**
 * Receivers of broadcasts, the same for every server. Messages have a constant length, so each is
 * found by it, and its seq is read in place: checking that every receiver got every message in
 * order costs a few additions.
 */
import { conversationOf, sessionOf } from "./databases.ts";
import type { BenchServer } from "./processes.ts";
import { type Peer, RawClients, textFrame, textOf } from "./raw_clients.ts";

export type Wire = "plain" | "socket.io" | "parley";

export interface ReceiverGroup {
  server: BenchServer;
  peers: Peer[];
  /** Messages that all of them received. */
  received: number;
  /** Messages that did not follow the last one. */
  outOfOrder: number;
}

interface Group extends ReceiverGroup {
  wire: Wire;
  ready: number;
  /** Length of a message and the position of its seq in it; 0 before the first message. */
  length: number;
  seqAt: number;
}

const NEWLINE = 10;
const SEQ_DIGITS = 7;
const JOIN = textFrame(
  JSON.stringify({ type: "join", id: "join", data: { conversationId: conversationOf(0) } }),
);
const CONNECT = textFrame("40");
/** Connections at a time, so that no server's accept queue overflows. */
const CONNECTING = 50;

export class Receivers {
  readonly clients = new RawClients((peer, buffer, start, end) =>
    this.#onFrame(peer, buffer, start, end)
  );
  readonly #groups: Group[] = [];

  /** Connects `count` receivers and returns when all of them are in the room. */
  add(server: BenchServer, wire: Wire, count: number): ReceiverGroup {
    const group: Group = {
      server,
      wire,
      peers: [],
      ready: 0,
      received: 0,
      outOfOrder: 0,
      length: 0,
      seqAt: 0,
    };
    this.#groups.push(group);
    this.grow(group, count);
    return group;
  }

  /** Adds receivers to an existing group. */
  grow(grown: ReceiverGroup, count: number): void {
    const group = grown as Group;
    const path = group.wire === "parley"
      ? "/realtime"
      : group.wire === "socket.io"
      ? "/socket.io/?EIO=4&transport=websocket"
      : "/";
    const protocols = group.wire === "parley"
      ? ["parley.v1", `parley.session.${sessionOf(0)}`]
      : [];
    for (let i = 0; i < count; i++) {
      const peer = this.clients.connect(group.server.port, path, protocols);
      peer.group = this.#groups.indexOf(group);
      group.peers.push(peer);
      if (group.wire === "plain") {
        this.clients.until(() => peer.open, "an upgrade");
        group.ready++;
      }
      const left = group.peers.length - CONNECTING;
      this.clients.until(() => group.ready >= left, "receivers to join");
    }
    this.clients.until(() => group.ready === group.peers.length, "receivers to join");
  }

  /**
   * Triggers `turns` bursts (or single messages), at most `window` of them not yet received by all,
   * and returns when everybody has received everything.
   */
  run(group: ReceiverGroup, command: "b" | "m", turns: number, window: number, ms = 60_000): void {
    const perTurn = (command === "b" ? 32 : 1) * group.peers.length;
    const start = group.received;
    let asked = Math.min(window, turns);
    group.server.trigger(command.repeat(asked));
    this.clients.until(
      () => {
        const done = Math.floor((group.received - start) / perTurn);
        if (asked < turns && asked - done < window) {
          const more = Math.min(window - (asked - done), turns - asked);
          group.server.trigger(command.repeat(more));
          asked += more;
        }
        return done >= turns;
      },
      `all deliveries from ${group.server.name}`,
      ms,
    );
    const expected = start + perTurn * turns;
    if (group.received !== expected) {
      throw new Error(`${group.server.name} delivered ${group.received}, expected ${expected}`);
    }
  }

  close(): void {
    this.clients.closeAll();
  }

  #onFrame(peer: Peer, buffer: Uint8Array, start: number, end: number): void {
    const group = this.#groups[peer.group]!;
    let at = start;
    while (at < end) {
      const next = at + group.length;
      if (group.length === 0 || next > end || (next < end && buffer[next] !== NEWLINE)) {
        at = this.#other(group, peer, buffer, at, end);
        continue;
      }
      let seq = 0;
      for (let i = at + group.seqAt, to = i + SEQ_DIGITS; i < to; i++) {
        seq = seq * 10 + buffer[i]! - 48;
      }
      if (peer.next !== 0 && seq !== peer.next) group.outOfOrder++;
      peer.next = seq + 1;
      peer.count++;
      group.received++;
      at = next + 1;
    }
  }

  /** The greeting, and the first message, which sets the length of the others. */
  #other(group: Group, peer: Peer, buffer: Uint8Array, start: number, end: number): number {
    const newline = buffer.indexOf(NEWLINE, start);
    const stop = newline < 0 || newline > end ? end : newline;
    const line = textOf(buffer, start, stop);
    if (line.includes('"message_deleted"')) {
      if (group.length !== 0) throw new Error(`Not the length of the others: ${line}`);
      group.length = stop - start;
      group.seqAt = line.indexOf('"seq":') + 6;
      return start;
    }
    if (group.wire === "socket.io") {
      if (line.startsWith("0")) this.clients.sendFrame(peer, CONNECT);
      else if (line.startsWith("40")) group.ready++;
    } else if (line.startsWith('{"type":"ack","id":"auth"')) {
      this.clients.sendFrame(peer, JOIN);
    } else if (line.startsWith('{"type":"ack","id":"join"')) {
      group.ready++;
    } else if (line.startsWith('{"type":"error"')) {
      throw new Error(line);
    }
    return stop + 1;
  }
}
