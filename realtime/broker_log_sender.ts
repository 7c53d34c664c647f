import type { BrokerLog, Item, Link, LogTimes } from "./broker_log.ts";

export interface LogSender {
  say(room: string, json: string): void;
  /** When the last batch was stored, as of `performance.now()`; 0: none. */
  readonly saidAt: number;
  /** Stores what waits, within this time in milliseconds, and takes nothing more. */
  close(withinMs: number): Promise<void>;
}

interface Batch {
  n: number;
  items: string;
  size: number;
}

/** What one batch takes of what waits, in UTF-16 units; one item may be longer. */
const BATCH_SIZE = 262_144;

export interface LogSenderOptions {
  log: BrokerLog;
  link: Link;
  /** What may wait, and what the log keeps of this node, in UTF-16 units each. */
  maxKept: number;
  times: LogTimes;
  /** So many things were not said, and the others will find a gap. */
  onDrop: (count: number) => void;
}

/**
 * Says in batches, one at a time and numbered, what this node has to say. A batch whose outcome is
 * not known is said again with its number, so it arrives once.
 */
export function createLogSender(options: LogSenderOptions): LogSender {
  const { log, link, maxKept, times, onDrop } = options;
  let waiting: Item[] = [];
  /** Of what waits, and of the batch under way. */
  let waitingSize = 0;
  let dropped = false;
  let number = 0;
  let sending: Promise<void> | null = null;
  let stopWaiting = () => {};
  let closing = false;
  let closed = false;
  /** Own batches in the log, oldest first. */
  const kept: { n: number; size: number; at: number }[] = [];
  let keptSize = 0;
  let saidAt = 0;

  function start(): void {
    // After this turn, so that what is said at the same moment is one batch.
    sending ??= Promise.resolve().then(send).finally(() => {
      sending = null;
      if (!closed && (waiting.length > 0 || dropped)) start();
    });
  }

  function nextBatch(): Batch | null {
    if (closed || (waiting.length === 0 && !dropped)) return null;
    // The number that is left out is the gap that the others find.
    number += dropped ? 2 : 1;
    dropped = false;
    let count = 0;
    let size = 0;
    while (count < waiting.length && (count === 0 || size < BATCH_SIZE)) {
      size += sizeOf(waiting[count++]!);
    }
    return { n: number, size, items: JSON.stringify(waiting.splice(0, count)) };
  }

  async function send(): Promise<void> {
    for (let batch = nextBatch(); batch !== null; batch = nextBatch()) {
      const { n, items, size } = batch;
      const forget = makePlace(size);
      const isStored = await store(() => log.append(n, items, forget));
      waitingSize -= size;
      if (!isStored) return;
      saidAt = performance.now();
      kept.push({ n, size, at: saidAt });
      keptSize += size;
    }
  }

  /** @returns false: it was given up, because the node ends. */
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

  /** @returns up to where this node's own batches are not kept any more. */
  function makePlace(size: number): number {
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
    get saidAt() {
      return saidAt;
    },
    say(room, json) {
      if (closing) return;
      const size = room.length + json.length;
      if (waitingSize + size > maxKept) {
        for (const item of waiting) waitingSize -= sizeOf(item);
        onDrop(waiting.length);
        waiting = [];
        dropped = true;
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
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, withinMs));
      await Promise.race([sending, late]);
      clearTimeout(timer);
      closed = true;
      stopWaiting();
    },
  };
}

const sizeOf = ([room, json]: Item) => room.length + json.length;
