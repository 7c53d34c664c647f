import { setImmediate } from "node:timers";
import { CLOSE } from "../protocol/close_codes.ts";
import { type Audience, audienceOf } from "../domain/principal.ts";
import type { Broadcast, Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import type { ConnectionWriter } from "./writer.ts";

/** How often a queue that waits for its reader is tried again. */
const PUMP_MS = 20;

interface Room {
  members: Set<Connection>;
  /** Connections that read their snapshot: what happens meanwhile is kept for them. */
  joining: Map<Connection, Broadcast[]>;
  /** null: idle, the next broadcast goes out at once. Otherwise what came since, for one frame. */
  pending: Broadcast[] | null;
}

export interface HubCounters {
  slowClosed: number;
  broadcasts: number;
  deliveries: number;
}

/** Connections, rooms and the fan-out: one encoding for each protocol and audience, however many receive it. */
export class Hub {
  readonly connections = new Set<Connection>();
  readonly counters: HubCounters = { slowClosed: 0, broadcasts: 0, deliveries: 0 };
  readonly #broker: Broker;
  readonly #rooms = new Map<string, Room>();
  readonly #hot = new Set<Room>();
  readonly #waiting = new Set<ConnectionWriter>();
  #flushScheduled = false;
  #pump: ReturnType<typeof setInterval> | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
    broker.listen((broadcast) => this.#deliver(broadcast));
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    connection.cleanups.push(() => {
      this.connections.delete(connection);
      for (const room of [...connection.rooms]) this.leave(connection, room);
    });
  }

  /** To everybody in the room, on every node. */
  publish(broadcast: Broadcast): void {
    this.#broker.publish(broadcast);
  }

  join(connection: Connection, name: string): void {
    if (connection.isOver || connection.rooms.has(name)) return;
    const room = this.#room(name);
    this.#flush(room);
    connection.rooms.add(name);
    room.members.add(connection);
  }

  /**
   * Joins while `read` reads the state that the joiner starts from. `accept` sends it; what was
   * broadcast since the start follows, as far as `keep` wants it, and then everything live.
   */
  async joinAfter<T>(
    connection: Connection,
    name: string,
    read: () => Promise<T>,
    accept: (state: T) => void,
    keep: (broadcast: Broadcast, state: T) => boolean,
  ): Promise<T> {
    // Whoever is in already and joins again starts anew from the state that is read now.
    this.leave(connection, name);
    const room = this.#room(name);
    const held: Broadcast[] = [];
    room.joining.set(connection, held);
    try {
      const state = await read();
      accept(state);
      for (const broadcast of held) {
        if (keep(broadcast, state)) this.#deliverTo(connection, broadcast);
      }
      room.joining.delete(connection);
      this.join(connection, name);
      return state;
    } finally {
      room.joining.delete(connection);
      this.#discardIfEmpty(name, room);
    }
  }

  leave(connection: Connection, name: string): void {
    const room = this.#rooms.get(name);
    connection.rooms.delete(name);
    if (room === undefined || !room.members.delete(connection)) return;
    this.#discardIfEmpty(name, room);
  }

  /** The members of a room on this node. */
  members(name: string): ReadonlySet<Connection> {
    return this.#rooms.get(name)?.members ?? NOBODY;
  }

  /** A reader that does not keep up: nothing more is queued for it, and it may come back. */
  slow(connection: Connection): void {
    this.counters.slowClosed++;
    connection.close(CLOSE.slow);
  }

  wait(writer: ConnectionWriter): void {
    this.#waiting.add(writer);
    this.#pump ??= setInterval(() => {
      for (const waiting of this.#waiting) {
        if (waiting.pump()) this.#waiting.delete(waiting);
      }
      if (this.#waiting.size === 0) {
        clearInterval(this.#pump);
        this.#pump = undefined;
      }
    }, PUMP_MS);
  }

  /** Sends what is still collected for one frame; for a drain and for tests. */
  flushAll(): void {
    for (const room of this.#hot) this.#flush(room);
  }

  async close(): Promise<void> {
    clearInterval(this.#pump);
    await this.#broker.close();
  }

  #room(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = { members: new Set(), joining: new Map(), pending: null };
      this.#rooms.set(name, room);
      this.#broker.subscribe(name);
    }
    return room;
  }

  #discardIfEmpty(name: string, room: Room): void {
    if (room.members.size > 0 || room.joining.size > 0 || this.#rooms.get(name) !== room) return;
    this.#rooms.delete(name);
    this.#hot.delete(room);
    this.#broker.unsubscribe(name);
  }

  #deliver(broadcast: Broadcast): void {
    const room = this.#rooms.get(broadcast.room);
    if (room === undefined) return;
    this.counters.broadcasts++;
    for (const held of room.joining.values()) held.push(broadcast);
    if (room.members.size === 0) return;
    if (room.pending !== null) {
      room.pending.push(broadcast);
      return;
    }
    // The first of a burst goes out at once; what follows in this turn shares one frame.
    room.pending = [];
    this.#hot.add(room);
    this.#scheduleFlush();
    this.#fanOut(room, [broadcast]);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      for (const room of this.#hot) {
        if (room.pending === null || room.pending.length === 0) {
          room.pending = null;
          this.#hot.delete(room);
        } else {
          this.#flush(room);
        }
      }
      if (this.#hot.size > 0) this.#scheduleFlush();
    });
  }

  #flush(room: Room): void {
    const pending = room.pending;
    if (pending === null || pending.length === 0) return;
    room.pending = [];
    this.#fanOut(room, pending);
  }

  #fanOut(room: Room, broadcasts: Broadcast[]): void {
    const exceptions = broadcasts.some((broadcast) => broadcast.exceptUser !== undefined);
    const encoded = { agents: new Map<Protocol, string[]>(), visitors: new Map() };
    for (const connection of room.members) {
      const { principal, protocol } = connection;
      if (principal === null) continue;
      if (exceptions && broadcasts.some(({ exceptUser }) => exceptUser === principal.userId)) {
        for (const broadcast of broadcasts) this.#deliverTo(connection, broadcast);
        continue;
      }
      const audience = audienceOf(principal);
      let frames = encoded[audience].get(protocol);
      if (frames === undefined) {
        frames = encodeAll(protocol, audience, broadcasts);
        encoded[audience].set(protocol, frames);
      }
      for (const frame of frames) connection.send(frame);
      this.counters.deliveries += broadcasts.length;
    }
  }

  #deliverTo(connection: Connection, broadcast: Broadcast): void {
    const { principal } = connection;
    if (principal === null || broadcast.exceptUser === principal.userId) return;
    const event = audienceOf(principal) === "agents" ? broadcast.forAgents : broadcast.forVisitors;
    if (event === null) return;
    connection.sendEvent(event, broadcast.room);
    this.counters.deliveries++;
  }
}

const NOBODY: ReadonlySet<Connection> = new Set();

function encodeAll(
  protocol: Protocol,
  audience: Audience,
  broadcasts: Broadcast[],
): string[] {
  const lines: string[] = [];
  for (const broadcast of broadcasts) {
    const event = audience === "agents" ? broadcast.forAgents : broadcast.forVisitors;
    const line = event === null ? null : protocol.encode(event, broadcast.room);
    if (line !== null) lines.push(line);
  }
  return protocol.batching && lines.length > 1 ? [lines.join("\n")] : lines;
}
