import { setImmediate } from "node:timers";
import { CLOSE } from "../protocol/close_codes.ts";
import { audienceOf } from "../domain/principal.ts";
import { tracing } from "../domain/tracing.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Broadcast, Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import { encodeAll, type Encoded, isExcepted, toFrames, traceFanOut } from "./fan_out.ts";
import { logClosed } from "./log.ts";
import type { Protocol } from "./protocol.ts";
import { createPump } from "./pump.ts";
import { createSequencer, seqOf, type Sequencer, type SequencerOptions } from "./sequencer.ts";
import type { ConnectionWriter } from "./writer.ts";

/**
 * How long a broadcast may be on its way between nodes: as long as a broker or a node may be
 * stalled before its connections are lost.
 */
const MAX_TRANSIT_MS = 60_000;

interface Room {
  members: Set<Connection>;
  /** Connections that are reading the state, and the broadcasts since they started. */
  joining: Map<Connection, Broadcast[]>;
  /**
   * Members that joined recently and have read the log up to `seq`: older broadcasts of other nodes
   * may still arrive. null: there are none.
   */
  recent: Map<Connection, { seq: number; until: number }> | null;
  /** Resolves when other nodes' broadcasts to the room arrive; null: they do. */
  ready: Promise<void> | null;
  /** null: idle, the next broadcast is sent at once. Otherwise what came since, for one frame. */
  pending: Broadcast[] | null;
}

export type HubMetrics = Pick<Metrics, "broadcastSize" | "broadcastDuration" | "closes">;

/** RFC 6455 7.4.1: the peer gave no code. */
const NO_STATUS = 1005;

export interface HubCounters {
  slowClosed: number;
  broadcasts: number;
  deliveries: number;
}

/**
 * Connections, rooms and the fan-out. The rooms are one state: joining, pending broadcasts and
 * recent members decide together what a member receives, so they are one file.
 */
export class Hub {
  readonly connections = new Set<Connection>();
  readonly counters: HubCounters = { slowClosed: 0, broadcasts: 0, deliveries: 0 };
  /** Frames of connections that have ended, by protocol. */
  readonly ended = new Map<string, { received: number; sent: number }>();
  readonly #broker: Broker;
  readonly #metrics: HubMetrics;
  readonly #sequencer: Sequencer | null;
  readonly #listeners: ((broadcast: Broadcast) => void)[] = [];
  readonly #rooms = new Map<string, Room>();
  /** Rooms that are not idle. */
  readonly #active = new Set<Room>();
  readonly #pump = createPump();
  #flushScheduled = false;

  constructor(
    broker: Broker,
    order: Omit<SequencerOptions, "deliver">,
    metrics: HubMetrics,
  ) {
    this.#broker = broker;
    this.#metrics = metrics;
    const deliver = (broadcast: Broadcast) => this.#deliver(broadcast);
    const sequencer = broker.isSingleNode ? null : createSequencer({ ...order, deliver });
    this.#sequencer = sequencer;
    broker.onBroadcast(
      sequencer === null ? deliver : (broadcast) => sequencer.receive(broadcast),
    );
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    connection.cleanups.push(this.#remove);
  }

  readonly #remove = (connection: Connection): void => {
    this.connections.delete(connection);
    for (const room of [...connection.rooms]) this.leave(connection, room);
    this.#countClosed(connection);
  };

  #countClosed(connection: Connection): void {
    const { protocol, received, sent, closedWith, peerClosedWith } = connection;
    const ended = this.ended.get(protocol.name) ?? { received: 0, sent: 0 };
    ended.received += received;
    ended.sent += sent;
    this.ended.set(protocol.name, ended);
    const by = closedWith === null ? "peer" : "server";
    const code = closedWith ?? peerClosedWith ?? NO_STATUS;
    this.#metrics.closes.inc({ code, by });
    logClosed(connection, code, by);
  }

  /** To the members of the room on every node. */
  publish(broadcast: Broadcast): void {
    this.#broker.publish(broadcast);
  }

  /** To the members on this node: for events that every node publishes by itself. */
  publishLocal(broadcast: Broadcast): void {
    this.#deliver(broadcast);
  }

  /** Called after a broadcast to a room of this node was delivered, from whichever node. */
  onDelivered(listener: (broadcast: Broadcast) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when other nodes' broadcasts reach the connection in all its rooms; null: they do. */
  roomsReady(connection: Connection): Promise<unknown> | null {
    let waiting: Promise<void>[] | null = null;
    for (const name of connection.rooms) {
      const ready = this.#rooms.get(name)?.ready ?? null;
      if (ready !== null) (waiting ??= []).push(ready);
    }
    return waiting === null ? null : Promise.all(waiting);
  }

  join(connection: Connection, name: string): void {
    if (connection.isOver || connection.rooms.has(name)) return;
    const room = this.#room(name);
    this.#flush(room);
    connection.rooms.add(name);
    room.members.add(connection);
  }

  /**
   * Joins a room with a state that is read first. `accept` sends the state. Then follow the
   * broadcasts since the start of the read, as far as `keep` says that they are not in the state,
   * and then new ones.
   *
   * @param seqOfState the state's position in the log, for rooms whose broadcasts are ordered by
   * one
   */
  async joinAfter<T>(
    connection: Connection,
    name: string,
    read: () => Promise<T>,
    accept: (state: T) => void,
    keep: (broadcast: Broadcast, state: T) => boolean,
    seqOfState?: (state: T) => number,
  ): Promise<T> {
    // A member that joins again starts again from the state that is read now.
    this.leave(connection, name);
    const room = this.#room(name);
    const held: Broadcast[] = [];
    room.joining.set(connection, held);
    try {
      if (room.ready !== null) await room.ready;
      const state = await read();
      const seq = seqOfState?.(state);
      if (seq !== undefined) this.#sequencer?.begin(name, seq);
      accept(state);
      for (const broadcast of held) {
        if (keep(broadcast, state)) this.#deliverTo(connection, broadcast);
      }
      room.joining.delete(connection);
      this.join(connection, name);
      if (this.#sequencer !== null && seq !== undefined && room.members.has(connection)) {
        const until = performance.now() + MAX_TRANSIT_MS;
        (room.recent ??= new Map()).set(connection, { seq, until });
      }
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
    if (room.recent?.delete(connection) === true && room.recent.size === 0) room.recent = null;
    this.#discardIfEmpty(name, room);
  }

  /** The members of a room on this node. */
  members(name: string): ReadonlySet<Connection> {
    return this.#rooms.get(name)?.members ?? NOBODY;
  }

  /** Closes a connection whose reader does not keep up. The client may reconnect. */
  closeSlow(connection: Connection): void {
    this.counters.slowClosed++;
    connection.close(CLOSE.slow);
  }

  /** Pumps a writer until its queue is empty. */
  pumpLater(writer: ConnectionWriter): void {
    this.#pump.add(writer);
  }

  /** Sends what is collected for the next frame of each room. */
  flushAll(): void {
    for (const room of this.#active) this.#flush(room);
  }

  async close(): Promise<void> {
    this.#pump.stop();
    await this.#broker.close();
  }

  #room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room: Room = {
      members: new Set(),
      joining: new Map(),
      recent: null,
      ready: null,
      pending: null,
    };
    this.#rooms.set(name, room);
    const ready = this.#broker.subscribe(name);
    if (ready !== undefined) room.ready = ready.finally(() => void (room.ready = null));
    return room;
  }

  #discardIfEmpty(name: string, room: Room): void {
    if (room.members.size > 0 || room.joining.size > 0 || this.#rooms.get(name) !== room) return;
    this.#rooms.delete(name);
    this.#active.delete(room);
    this.#broker.unsubscribe(name);
    this.#sequencer?.end(name);
  }

  #deliver(broadcast: Broadcast): void {
    const room = this.#rooms.get(broadcast.room);
    if (room === undefined) return;
    this.#enqueue(room, broadcast);
    for (const listener of this.#listeners) listener(broadcast);
  }

  #enqueue(room: Room, broadcast: Broadcast): void {
    this.counters.broadcasts++;
    for (const held of room.joining.values()) held.push(broadcast);
    if (room.members.size === 0) return;
    if (room.pending !== null) {
      room.pending.push(broadcast);
      return;
    }
    // The first of a burst is sent at once; what follows in this turn shares one frame.
    room.pending = [];
    this.#active.add(room);
    this.#scheduleFlush();
    this.#fanOut(room, [broadcast]);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      for (const room of this.#active) {
        if (room.pending === null || room.pending.length === 0) {
          room.pending = null;
          this.#active.delete(room);
        } else {
          this.#flush(room);
        }
      }
      if (this.#active.size > 0) this.#scheduleFlush();
    });
  }

  #flush(room: Room): void {
    const pending = room.pending;
    if (pending === null || pending.length === 0) return;
    room.pending = [];
    this.#fanOut(room, pending);
  }

  #fanOut(room: Room, broadcasts: Broadcast[]): void {
    const start = performance.now();
    const recent = recentMembers(room, start);
    const oldest = recent === null
      ? Infinity
      : Math.min(...broadcasts.map((broadcast) => seqOf(broadcast) ?? Infinity));
    const hasExceptions = broadcasts.some((broadcast) =>
      broadcast.exceptUser !== undefined || broadcast.exceptConnection !== undefined
    );
    const known = { agents: new Map<Protocol, Encoded>(), visitors: new Map<Protocol, Encoded>() };
    for (const connection of room.members) {
      const { principal, protocol } = connection;
      if (principal === null) continue;
      const seen = recent?.get(connection)?.seq ?? 0;
      if (seen >= oldest) {
        this.#deliverAfter(seen, connection, broadcasts);
        continue;
      }
      const audience = audienceOf(principal);
      let encoded = known[audience].get(protocol);
      if (encoded === undefined) {
        encoded = encodeAll(protocol, audience, broadcasts);
        known[audience].set(protocol, encoded);
      }
      let { frames, lines } = encoded;
      if (hasExceptions && broadcasts.some((broadcast) => isExcepted(connection, broadcast))) {
        lines = lines.filter((_, i) => !isExcepted(connection, broadcasts[i]!));
        frames = toFrames(protocol, lines);
      }
      for (const frame of frames) connection.send(frame);
      this.counters.deliveries += lines.length;
    }
    const took = performance.now() - start;
    this.#metrics.broadcastSize.observe(room.members.size);
    this.#metrics.broadcastDuration.observe(took / 1000);
    if (tracing !== null) traceFanOut(tracing, broadcasts, room.members.size, took);
  }

  /** Without the changes that the member has read from the log. */
  #deliverAfter(seq: number, connection: Connection, broadcasts: Broadcast[]): void {
    for (const broadcast of broadcasts) {
      if ((seqOf(broadcast) ?? Infinity) > seq) this.#deliverTo(connection, broadcast);
    }
  }

  #deliverTo(connection: Connection, broadcast: Broadcast): void {
    const { principal } = connection;
    if (principal === null || isExcepted(connection, broadcast)) return;
    const event = audienceOf(principal) === "agents" ? broadcast.forAgents : broadcast.forVisitors;
    if (event === null) return;
    connection.sendEvent(event, broadcast.room);
    this.counters.deliveries++;
  }
}

/** The members to whom an older broadcast may still arrive, without those whose time has passed. */
function recentMembers(room: Room, now: number): Room["recent"] {
  if (room.recent === null) return null;
  for (const [connection, { until }] of room.recent) {
    // They are in the order of joining.
    if (until > now) break;
    room.recent.delete(connection);
  }
  if (room.recent.size === 0) room.recent = null;
  return room.recent;
}

const NOBODY: ReadonlySet<Connection> = new Set();
