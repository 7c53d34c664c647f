import { isDataError } from "../db/data_error.ts";
import { isUnavailable } from "../db/database_error.ts";
import { yieldToEventLoop } from "./event_loop.ts";

export interface LoaderOptions<K> {
  /** What the keys of one query may weigh together; one alone may weigh more. */
  max?: number;
  /** What reading a key costs, such as rows; default: each one. */
  weigh?: (key: K) => number;
}

interface Waiting<K, V> {
  key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

/** As many rows as fit into one answer without keeping everybody else waiting. */
const MAX = 500;

/**
 * Reads together what is asked for at the same moment, as the writer stores it together: all keys
 * of one turn of the event loop, and while a query runs all that come meanwhile, are the next
 * query. A thousand clients who come back at once cost a few queries, not a thousand.
 *
 * Nothing is kept: every key is read by a query that begins after it was asked for.
 *
 * @param read answers keys in their order, one value for each.
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
      // Sockets get their turn, and what they bring is in this query.
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
      // A connection broke: on another one the same may be read at once.
      if (again && isUnavailable(error) && error.kind === "connection") {
        await runBatch(batch, false);
      } else if (batch.length > 1 && isDataError(error)) {
        // One key that the database refuses must not take the others with it.
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
