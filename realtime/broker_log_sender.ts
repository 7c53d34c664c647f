import type { BrokerLog, Item, Link, LogTimes } from "./broker_log.ts";

export interface LogSender {
  send(room: string, json: string): void;
  /** When the last batch was stored, by `performance.now()`; 0: none. */
  readonly lastAppendAt: number;
  /** Stores what waits, within this time in milliseconds, and accepts nothing more. */
  close(withinMs: number): Promise<void>;
}

interface Batch {
  n: number;
  items: string;
  size: number;
}

/** The largest batch in UTF-16 units; a single item may be longer. */
const BATCH_SIZE = 262_144;

export interface LogSenderOptions {
  log: BrokerLog;
  link: Link;
  /** The size of what may wait, and of what the log keeps of this node, each in UTF-16 units. */
  maxKept: number;
  times: LogTimes;
  /** So many items were dropped, and the other nodes will find a gap. */
  onDrop: (count: number) => void;
}

/**
 * Appends this node's messages in numbered batches, one at a time. A batch whose outcome is not
 * known is appended again with its number, so it arrives once.
 */
export function createLogSender(options: LogSenderOptions): LogSender {
  const { log, link, maxKept, times, onDrop } = options;
  let waiting: Item[] = [];
  /** The size of what waits and of the batch under way. */
  let waitingSize = 0;
  let hasDropped = false;
  let number = 0;
  let sending: Promise<void> | null = null;
  let stopWaiting = () => {};
  let closing = false;
  let closed = false;
  /** Own batches in the log, oldest first. */
  const kept: { n: number; size: number; at: number }[] = [];
  let keptSize = 0;
  let lastAppendAt = 0;

  function start(): void {
    // After this turn, so that messages of one turn share a batch.
    sending ??= Promise.resolve().then(appendBatches).finally(() => {
      sending = null;
      if (!closed && (waiting.length > 0 || hasDropped)) start();
    });
  }

  function nextBatch(): Batch | null {
    if (closed || (waiting.length === 0 && !hasDropped)) return null;
    // Skips one number, which the other nodes find as a gap.
    number += hasDropped ? 2 : 1;
    hasDropped = false;
    let count = 0;
    let size = 0;
    while (count < waiting.length && (count === 0 || size < BATCH_SIZE)) {
      size += sizeOf(waiting[count++]!);
    }
    return { n: number, size, items: JSON.stringify(waiting.splice(0, count)) };
  }

  async function appendBatches(): Promise<void> {
    for (let batch = nextBatch(); batch !== null; batch = nextBatch()) {
      const { n, items, size } = batch;
      const forget = makeRoom(size);
      const isStored = await store(() => log.append(n, items, forget));
      waitingSize -= size;
      if (!isStored) return;
      lastAppendAt = performance.now();
      kept.push({ n, size, at: lastAppendAt });
      keptSize += size;
    }
  }

  /** @returns false: the node ends, so it was given up. */
  async function store(append: () => Promise<void>): Promise<boolean> {
    for (let waitMs = times.retryMs[0]; !closed; waitMs = Math.min(waitMs * 2, times.retryMs[1])) {
      try {
        await link.run(append);
        return true;
      } catch {
        if (!closed) await pause(waitMs);
      }
    }
    return false;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @returns the number up to which this node's own batches can be deleted. */
  function makeRoom(size: number): number {
    let upTo = 0;
    const old = performance.now() - times.keepMs;
    while (kept.length > 0 && (keptSize + size > maxKept || kept[0]!.at < old)) {
      const first = kept.shift()!;
      keptSize -= first.size;
      upTo = first.n;
    }
    return upTo;
  }

  return {
    get lastAppendAt() {
      return lastAppendAt;
    },
    send(room, json) {
      if (closing) return;
      const size = room.length + json.length;
      if (waitingSize + size > maxKept) {
        for (const item of waiting) waitingSize -= sizeOf(item);
        onDrop(waiting.length);
        waiting = [];
        hasDropped = true;
      }
      if (waitingSize + size <= maxKept) {
        waiting.push([room, json]);
        waitingSize += size;
      } else onDrop(1);
      start();
    },
    async close(withinMs) {
      closing = true;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, withinMs));
      await Promise.race([sending, timeout]);
      clearTimeout(timer);
      closed = true;
      stopWaiting();
    },
  };
}

const sizeOf = ([room, json]: Item) => room.length + json.length;
