/**
 * The broker of a small cluster that has only Postgres: a table is the log, and NOTIFY wakes the
 * other nodes. Each node appends numbered batches, one insert at a time, and reads the batches of
 * the others after the number that it read last. So an outage loses nothing that is still in the
 * log, and a missing number is a gap.
 *
 * Every node reads every message, also those for rooms without members there. Use Redis for many
 * nodes.
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
   * The size of what may wait for the database, and of what the log keeps of this node, each in
   * UTF-16 units. Past it broadcasts are dropped, and the other nodes find a gap.
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

  const stats = { outages: 0, dropped: 0 };
  /** Once for each outage, whichever direction notices it. */
  function reportFailure(error: unknown): void {
    if (outgoing.failed || incoming.failed || closing !== null) return;
    stats.outages++;
    onError(error);
  }
  const outgoing = createLink(reportFailure);
  const incoming = createLink(reportFailure);
  const sender = createLogSender({
    log,
    link: outgoing,
    maxKept,
    times,
    onDrop: (count) => stats.dropped += count,
  });
  const reader = await startLogReader({
    log,
    node,
    link: incoming,
    times,
    lastAppendAt: () => sender.lastAppendAt,
    onItem([room, json]) {
      if (room === NODES) nodesListener(JSON.parse(json));
      else if (rooms.has(room)) listener(JSON.parse(json) as Broadcast);
    },
    onGap: () => gapListener(),
    onError,
  });

  return {
    isSingleNode: false,
    get connected() {
      return outgoing.works && incoming.works;
    },
    stats,
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      sender.send(broadcast.room, JSON.stringify(broadcast));
    },
    subscribe(room) {
      // What was read already was committed before, so it is in the state that the client reads
      // next.
      rooms.add(room);
      return undefined;
    },
    unsubscribe: (room) => void rooms.delete(room),
    onBroadcast(next) {
      listener = next;
    },
    publishToNodes: (message) => sender.send(NODES, JSON.stringify(message)),
    onNodeMessage(next) {
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
        // The end does not wait for a database that does not answer.
        const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([reader.stop().then(() => log.close()), timeout]);
        clearTimeout(timer);
      })();
    },
  };
}
