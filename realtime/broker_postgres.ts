/**
 * The broker of a small cluster that has nothing but its Postgres: a table as the log, and NOTIFY as
 * a wake-up. Each node numbers what it says, in batches, one insert at a time; each reads what the
 * others said after the number that it read last. So an outage loses nothing that the log still
 * keeps, and a missing number is a gap.
 *
 * Every node reads everything, also of rooms that nobody there is in: for many nodes there is Redis.
 */
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";
import { type BrokerLog, createLink, LOG_TIMES, type LogTimes, NODES } from "./broker_log.ts";
import { startLogReader } from "./broker_log_reader.ts";
import { createLogSender } from "./broker_log_sender.ts";

export interface PostgresBrokerOptions {
  log: BrokerLog;
  /** This node's name, different from every other's. */
  node: string;
  /**
   * What may wait for the database, and what the log keeps of this node, in UTF-16 units each. Past
   * it broadcasts are dropped, and the others find a gap.
   */
  maxKept: number;
  onError: (error: unknown) => void;
  times?: Partial<LogTimes>;
}

const CLOSE_MS = 1000;

/** @throws when the log cannot be read. */
export async function createPostgresBroker(options: PostgresBrokerOptions): Promise<Broker> {
  const { log, node, maxKept, onError } = options;
  const times = { ...LOG_TIMES, ...options.times };
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  let closing: Promise<void> | null = null;

  const troubles = { outages: 0, dropped: 0 };
  /** Once for each outage, whichever direction finds it. */
  function reportFailure(error: unknown): void {
    if (outgoing.failed || incoming.failed || closing !== null) return;
    troubles.outages++;
    onError(error);
  }
  const outgoing = createLink(reportFailure);
  const incoming = createLink(reportFailure);
  const sender = createLogSender({
    log,
    link: outgoing,
    maxKept,
    times,
    onDrop: (count) => troubles.dropped += count,
  });
  const reader = await startLogReader({
    log,
    node,
    link: incoming,
    times,
    saidAt: () => sender.saidAt,
    onItem([room, json]) {
      if (room === NODES) nodesListener(JSON.parse(json));
      else if (rooms.has(room)) listener(JSON.parse(json) as Broadcast);
    },
    onGap: () => gapListener(),
    onError,
  });

  return {
    alone: false,
    get connected() {
      return outgoing.works && incoming.works;
    },
    troubles,
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      sender.say(broadcast.room, JSON.stringify(broadcast));
    },
    subscribe(room) {
      // What was read already was committed before, and is in the state that a joiner reads.
      rooms.add(room);
      return undefined;
    },
    unsubscribe: (room) => void rooms.delete(room),
    listen(next) {
      listener = next;
    },
    tell: (message) => sender.say(NODES, JSON.stringify(message)),
    listenToNodes(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    close() {
      rooms.clear();
      return closing ??= (async () => {
        await sender.close(CLOSE_MS);
        let timer: ReturnType<typeof setTimeout> | undefined;
        // A database that does not answer keeps nobody.
        const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([reader.stop().then(() => log.close()), late]);
        clearTimeout(timer);
      })();
    },
  };
}
