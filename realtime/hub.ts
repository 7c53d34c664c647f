import { setImmediate } from "node:timers";
import { CLOSE } from "../protocol/close_codes.ts";
import { type Audience, audienceOf } from "../domain/principal.ts";
import { type Tracing, tracing } from "../domain/tracing.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Broadcast, Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import { logClosed } from "./log.ts";
import type { Protocol } from "./protocol.ts";
import { createPump } from "./pump.ts";
import { createSequencer, seqOf, type Sequencer, type SequencerOptions } from "./sequencer.ts";
import type { ConnectionWriter } from "./writer.ts";

/**
 * How long something may be under way between nodes: as long as a broker or a node may stand still
 * before its connections are lost.
 */
const FRESH_MS = 60_000;

interface Room {
  members: Set<Connection>;
  /** Connections that read their snapshot: what happens meanwhile is kept for them. */
  joining: Map<Connection, Broadcast[]>;
  /**
   * Who joined not long ago has seen the log up to `seq`, and what another node said before may
   * still be under way; null where nobody did.
   */
  fresh: Map<Connection, { seq: number; until: number }> | null;
  /** Until other nodes' broadcasts to it arrive. */
  ready: Promise<void> | null;
  /** null: idle, the next broadcast goes out at once. Otherwise what came since, for one frame. */
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

/** Connections, rooms and the fan-out: one encoding for each protocol and audience, however many receive it. */
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
  readonly #hot = new Set<Room>();
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
    const sequencer = broker.alone ? null : createSequencer({ ...order, deliver });
    this.#sequencer = sequencer;
    broker.listen(
      sequencer === null ? deliver : (broadcast) => sequencer.take(broadcast),
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
    this.#count(connection);
  };

  /** What an ended connection leaves behind in the statistics. */
  #count(connection: Connection): void {
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

  /** To everybody in the room, on every node. */
  publish(broadcast: Broadcast): void {
    this.#broker.publish(broadcast);
  }

  /** To the members on this node only, for what every node says by itself. */
  publishHere(broadcast: Broadcast): void {
    this.#deliver(broadcast);
  }

  /** Called after a broadcast to a room of this node was delivered, from whichever node. */
  onDelivered(listener: (broadcast: Broadcast) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when other nodes' broadcasts reach the connection in all its rooms; null: they do. */
  settled(connection: Connection): Promise<unknown> | null {
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
   * Joins while `read` reads the state that the joiner starts from. `accept` sends it; what was
   * broadcast since the start follows, as far as `keep` wants it, and then everything live.
   *
   * @param seqOfState the position in the log of a conversation's room, where other nodes write too.
   */
  async joinAfter<T>(
    connection: Connection,
    name: string,
    read: () => Promise<T>,
    accept: (state: T) => void,
    keep: (broadcast: Broadcast, state: T) => boolean,
    seqOfState?: (state: T) => number,
  ): Promise<T> {
    // Whoever is in already and joins again starts anew from the state that is read now.
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
        (room.fresh ??= new Map()).set(connection, { seq, until: performance.now() + FRESH_MS });
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
    if (room.fresh?.delete(connection) === true && room.fresh.size === 0) room.fresh = null;
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
    this.#pump.add(writer);
  }

  /** Sends what is still collected for one frame; for a drain and for tests. */
  flushAll(): void {
    for (const room of this.#hot) this.#flush(room);
  }

  async close(): Promise<void> {
    this.#pump.stop();
    await this.#broker.close();
  }

  #room(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      const made: Room = {
        members: new Set(),
        joining: new Map(),
        fresh: null,
        ready: null,
        pending: null,
      };
      room = made;
      this.#rooms.set(name, room);
      const ready = this.#broker.subscribe(name);
      if (ready !== undefined) room.ready = ready.finally(() => void (made.ready = null));
    }
    return room;
  }

  #discardIfEmpty(name: string, room: Room): void {
    if (room.members.size > 0 || room.joining.size > 0 || this.#rooms.get(name) !== room) return;
    this.#rooms.delete(name);
    this.#hot.delete(room);
    this.#broker.unsubscribe(name);
    this.#sequencer?.end(name);
  }

  #deliver(broadcast: Broadcast): void {
    const room = this.#rooms.get(broadcast.room);
    if (room === undefined) return;
    this.#enter(room, broadcast);
    for (const listener of this.#listeners) listener(broadcast);
  }

  #enter(room: Room, broadcast: Broadcast): void {
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
    const start = performance.now();
    const fresh = freshIn(room, start);
    const oldest = fresh === null
      ? Infinity
      : Math.min(...broadcasts.map((one) => seqOf(one) ?? Infinity));
    const exceptions = broadcasts.some((broadcast) =>
      broadcast.exceptUser !== undefined || broadcast.exceptConnection !== undefined
    );
    const known = { agents: new Map<Protocol, Encoded>(), visitors: new Map<Protocol, Encoded>() };
    for (const connection of room.members) {
      const { principal, protocol } = connection;
      if (principal === null) continue;
      const seen = fresh?.get(connection)?.seq ?? 0;
      if (seen >= oldest) {
        this.#deliverFresh(connection, broadcasts, seen);
        continue;
      }
      const audience = audienceOf(principal);
      let encoded = known[audience].get(protocol);
      if (encoded === undefined) {
        encoded = encodeAll(protocol, audience, broadcasts);
        known[audience].set(protocol, encoded);
      }
      let { frames, lines } = encoded;
      if (exceptions && broadcasts.some((broadcast) => isExcepted(connection, broadcast))) {
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

  /** Nothing that it has read comes again. */
  #deliverFresh(connection: Connection, broadcasts: Broadcast[], seen: number): void {
    for (const broadcast of broadcasts) {
      if ((seqOf(broadcast) ?? Infinity) > seen) this.#deliverTo(connection, broadcast);
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

/** Those who joined so recently that something older may still come; the others are forgotten. */
function freshIn(room: Room, now: number): Room["fresh"] {
  if (room.fresh === null) return null;
  for (const [connection, { until }] of room.fresh) {
    // In the order of joining.
    if (until > now) break;
    room.fresh.delete(connection);
  }
  if (room.fresh.size === 0) room.fresh = null;
  return room.fresh;
}

const NOBODY: ReadonlySet<Connection> = new Set();

function isExcepted({ id, principal }: Connection, broadcast: Broadcast): boolean {
  const { exceptUser, exceptConnection } = broadcast;
  return (exceptUser !== undefined && exceptUser === principal?.userId) ||
    (exceptConnection !== undefined && exceptConnection === id);
}

/** What members of one protocol and audience get of some broadcasts. */
interface Encoded {
  /** Of each broadcast; null: nothing. */
  lines: (string | null)[];
  frames: string[];
}

function encodeAll(
  protocol: Protocol,
  audience: Audience,
  broadcasts: readonly Broadcast[],
): Encoded {
  const lines = broadcasts.map(({ forAgents, forVisitors, room }) => {
    const event = audience === "agents" ? forAgents : forVisitors;
    return event === null ? null : protocol.encode(event, room, audience);
  });
  return { lines, frames: toFrames(protocol, lines) };
}

function toFrames({ batching }: Protocol, lines: readonly (string | null)[]): string[] {
  const some = lines.filter((line) => line !== null);
  return batching && some.length > 1 ? [some.join("\n")] : some;
}

/** Of what kind the room is, and not which. */
function traceFanOut(to: Tracing, broadcasts: Broadcast[], receivers: number, ms: number): void {
  const { room, forAgents, forVisitors } = broadcasts[0]!;
  const event = (forAgents ?? forVisitors)!.type;
  to.past("broadcast", {
    "parley.event": event,
    "parley.room": room.split(":", 1)[0]!,
    "parley.size": broadcasts.length,
    "parley.receivers": receivers,
  }, ms);
}
