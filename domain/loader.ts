import { isDataError } from "../db/data_error.ts";
import { isUnavailable } from "../db/database_error.ts";
import { yieldToEventLoop } from "./event_loop.ts";

export interface LoaderOptions<K> {
  /** The largest weight of the keys of one query; a single key may weigh more. */
  max?: number;
  /** What reading a key costs, such as rows; default: 1. */
  weigh?: (key: K) => number;
}

interface Waiting<K, V> {
  key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

/** Rows of one query, so that it does not delay others for long. */
const MAX = 500;

/**
 * Group reads, as the writer has group commits: all keys that are requested in one turn of the event
 * loop, and all that arrive while a query runs, are the next query. A thousand clients that reconnect
 * at once cost a few queries.
 *
 * Nothing is cached: every key is read by a query that begins after it was requested.
 *
 * @param read resolves with one value for each key, in their order.
 */
export function createLoader<K, V>(
  read: (keys: K[]) => Promise<V[]>,
  { max = MAX, weigh = () => 1 }: LoaderOptions<K> = {},
): (key: K) => Promise<V> {
  const waiting: Waiting<K, V>[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      // Lets sockets be read first; what they bring is in this query.
      await yieldToEventLoop();
      await runBatch(takeBatch());
    }
    running = false;
  }

  function takeBatch(): Waiting<K, V>[] {
    let count = 0;
    let weight = 0;
    for (const { key } of waiting) {
      weight += weigh(key);
      if (count > 0 && weight > max) break;
      count++;
    }
    return waiting.splice(0, count);
  }

  async function runBatch(batch: Waiting<K, V>[], again = true): Promise<void> {
    try {
      const values = await read(batch.map(({ key }) => key));
      batch.forEach(({ resolve }, i) => resolve(values[i]!));
    } catch (error) {
      // A connection broke: the query is repeated on another one.
      if (again && isUnavailable(error) && error.kind === "connection") {
        await runBatch(batch, false);
      } else if (batch.length > 1 && isDataError(error)) {
        // One key that the database refuses must not fail the others.
        for (const one of batch) await runBatch([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!running) void run();
    });
}
