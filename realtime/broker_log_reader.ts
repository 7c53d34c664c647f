import type { BrokerLog, Item, Link, LogEntry, LogTimes } from "./broker_log.ts";

export interface LogReaderOptions {
  log: BrokerLog;
  /** This node's name. */
  node: string;
  link: Link;
  times: LogTimes;
  /** When this node appended last, by `performance.now()`. */
  lastAppendAt: () => number;
  onItem: (item: Item) => void;
  /** Messages may have been lost on the way to this node. */
  onGap: () => void;
  onError: (error: unknown) => void;
}

export interface LogReader {
  stop(): Promise<void>;
}

/** Batches in one read. */
const READ_LIMIT = 64;
/** Reads without a notification after which the operator is informed. */
const MAX_UNNOTIFIED_READS = 40;

/**
 * Delivers what other nodes append from now on. It reads after each notification, and also from
 * time to time: more often while the node does not receive even its own notifications.
 *
 * @throws when the log cannot be read.
 */
export async function startLogReader(options: LogReaderOptions): Promise<LogReader> {
  const { log, node, link, times, onGap, onError } = options;
  const now = () => performance.now();
  let mark = "";
  /** The last batch of each other node that was delivered, and when. */
  let delivered = new Map<string, { n: number; at: number }>();
  let readAt = now();
  let reading: Promise<void> | null = null;
  let again = false;
  let poll: ReturnType<typeof setTimeout> | undefined;
  let notifiedAt = now();
  let unnotifiedReads = 0;
  let started = false;
  let stopped = false;

  async function begin(): Promise<void> {
    const startedAt = now();
    const end = await log.begin();
    mark = end.mark;
    delivered = new Map([...end.positions].map(([name, n]) => [name, { n, at: startedAt }]));
    readAt = startedAt;
  }

  function wake(): void {
    if (!started || stopped) return;
    again = true;
    if (reading !== null) return;
    clearTimeout(poll);
    // A failure was reported, and the next read tries again.
    reading = readAll().catch(() => {}).finally(() => {
      reading = null;
      if (!stopped) poll = setTimeout(wake, again && !link.failed ? 0 : untilNextRead());
    });
  }

  function untilNextRead(): number {
    if (link.failed) return times.retryMs[1];
    if (options.lastAppendAt() - notifiedAt < times.notificationTimeoutMs) {
      unnotifiedReads = 0;
      return times.pollMs;
    }
    if (++unnotifiedReads === MAX_UNNOTIFIED_READS) {
      onError(
        new Error(
          "Cannot receive notifications of the database: a pooler may drop them (set " +
            `DATABASE_DIRECT_URL); other nodes are read every ${times.fallbackPollMs} ms`,
        ),
      );
    }
    return times.fallbackPollMs;
  }

  async function readAll(): Promise<void> {
    while (again && !stopped) {
      again = false;
      for (;;) {
        const startedAt = now();
        const after = new Map([...delivered].map(([name, { n }]) => [name, n]));
        const result = await link.run(() => log.read(after, READ_LIMIT));
        if (stopped) return;
        // Batches may have been deleted in the meantime, or lost in a crash of the server.
        if (result.mark !== mark || startedAt - readAt > times.keepMs / 2) {
          await link.run(begin);
          if (!stopped) onGap();
          break;
        }
        readAt = startedAt;
        for (const entry of result.entries) deliver(entry);
        if (result.entries.length < READ_LIMIT) break;
      }
    }
  }

  function deliver({ node: name, n, items }: LogEntry): void {
    const expected = (delivered.get(name)?.n ?? 0) + 1;
    delivered.set(name, { n, at: now() });
    if (n !== expected) onGap();
    for (const item of JSON.parse(items) as Item[]) {
      try {
        options.onItem(item);
      } catch (error) {
        onError(error);
      }
    }
  }

  async function deleteOld(): Promise<void> {
    try {
      await log.forgetOld(times.keepMs);
    } catch {
      // The database cannot be reached, which the reads report.
      return;
    }
    const old = now() - 2 * times.keepMs;
    for (const [name, { at }] of delivered) if (at < old) delivered.delete(name);
  }

  const listening = await log.listen((name) => {
    if (name !== undefined) notifiedAt = now();
    if (name !== node) wake();
  });
  try {
    await log.forgetOld(times.keepMs);
    // After LISTEN, so that a notification follows whatever is appended after this read.
    await begin();
    started = true;
  } catch (error) {
    await listening.stop();
    throw error;
  }
  let deleting = Promise.resolve();
  const deletions = setInterval(() => void (deleting = deleting.then(deleteOld)), times.keepMs / 2);
  wake();

  return {
    async stop() {
      stopped = true;
      clearInterval(deletions);
      clearTimeout(poll);
      await Promise.all([reading, deleting, listening.stop()]);
    },
  };
}
