/**
 * Counts of what only this process knows: times of deliveries, ends of connections, reconnects. They are
 * kept in memory and added to the points every few seconds, so a crash loses only those seconds.
 */
import { setImmediate } from "node:timers";
import type { Db } from "../../db/database.ts";
import { CLOSE } from "../../protocol/close_codes.ts";
import type { EventBus } from "../events.ts";
import type { Metrics } from "../metrics.ts";
import { bucketOf } from "./histogram.ts";
import { addPoints, type Count, type Retention } from "./points.ts";

export interface ProcessCounters {
  /**
   * Call when a message was written to the sockets of this node.
   *
   * @returns the time of its commit, at the first call; undefined where another node committed it.
   */
  delivered(conversationId: string, seq: number): number | undefined;
  /** Call when a client has acknowledged a message, with the milliseconds since the commit. */
  answered(ms: number): void;
  flush(): Promise<void>;
}

/**
 * Close codes of a client that closes on purpose (RFC 6455; 1005: none given), and of a server that
 * restarts.
 */
const NORMAL_CLOSES: readonly number[] = [1000, 1001, 1005, CLOSE.draining.code];
/** Metrics of times, in milliseconds since the commit. */
const TIMES = ["delivery", "receipt"] as const;
/** Commits whose delivery is awaited: with no client connected they are not removed. */
const MAX_WAITING = 10_000;

/** Has to subscribe to the bus before the delivery does, so that it sees a commit first. */
export function createProcessCounters(options: {
  db: Db;
  bus: EventBus;
  metrics: Pick<Metrics, "closes" | "recoveries">;
  retention: Retention;
  now?: () => number;
}): ProcessCounters {
  const { db, bus, metrics, retention, now = Date.now } = options;
  const committed = new Map<string, number>();
  /** By bucket. */
  let times = { delivery: new Map<number, number>(), receipt: new Map<number, number>() };
  /** Times of the commits that were delivered in this turn of the event loop. */
  let deliveredNow: number[] = [];
  const seen = { closes: 0, abnormal_closes: 0, joins: 0, rejoins: 0 };
  let flushing: Promise<void> = Promise.resolve();

  bus.on("conversation.logged", ({ conversationId, entries }) => {
    const at = performance.now();
    for (const { seq, forAgents } of entries) {
      if (forAgents.type !== "message") continue;
      if (committed.size >= MAX_WAITING) {
        const [oldest] = committed.keys();
        committed.delete(oldest!);
      }
      committed.set(`${conversationId} ${seq}`, at);
    }
  });

  async function totals(): Promise<typeof seen> {
    const total = { closes: 0, abnormal_closes: 0, joins: 0, rejoins: 0 };
    for (const { labels, value } of (await metrics.closes.get()).values) {
      total.closes += value;
      if (!NORMAL_CLOSES.includes(Number(labels.code))) total.abnormal_closes += value;
    }
    for (const { labels, value } of (await metrics.recoveries.get()).values) {
      total.joins += value;
      if (labels.outcome !== "fresh") total.rejoins += value;
    }
    return total;
  }

  async function flushNow(): Promise<void> {
    const at = now();
    const flushed = times;
    times = { delivery: new Map(), receipt: new Map() };
    const total = await totals();
    const counts: Count[] = TIMES.flatMap((metric) =>
      [...flushed[metric]].map(([bucket, value]) => ({ metric, at, bucket, value }))
    );
    for (const metric of ["closes", "abnormal_closes", "joins", "rejoins"] as const) {
      const value = total[metric] - seen[metric];
      if (value !== 0) counts.push({ metric, at, value });
    }
    if (counts.length === 0) return;
    try {
      await db.transaction().execute((trx) => addPoints(trx, counts, retention, at));
      Object.assign(seen, total);
    } catch (error) {
      // Counted with the next ones.
      for (const metric of TIMES) {
        for (const [bucket, value] of flushed[metric]) count(metric, bucket, value);
      }
      throw error;
    }
  }

  function count(metric: keyof typeof times, bucket: number, value = 1): void {
    times[metric].set(bucket, (times[metric].get(bucket) ?? 0) + value);
  }

  function observe(): void {
    const at = performance.now();
    for (const since of deliveredNow) count("delivery", bucketOf(at - since));
    deliveredNow = [];
  }

  return {
    delivered(conversationId, seq) {
      const name = `${conversationId} ${seq}`;
      const at = committed.get(name);
      if (at === undefined) return undefined;
      committed.delete(name);
      // The rest of a burst is sent at the end of this turn.
      if (deliveredNow.push(at) === 1) setImmediate(observe);
      return at;
    },
    answered: (ms) => count("receipt", bucketOf(ms)),
    flush: () => flushing = flushing.catch(() => {}).then(flushNow),
  };
}
