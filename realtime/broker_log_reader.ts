import type { BrokerLog, Item, Link, LogEntry, LogTimes } from "./broker_log.ts";

export interface LogReaderOptions {
  log: BrokerLog;
  /** This node's name. */
  node: string;
  link: Link;
  times: LogTimes;
  /** When this node said something last, as of `performance.now()`. */
  saidAt: () => number;
  onItem: (item: Item) => void;
  /** Something may have been lost on the way to this node. */
  onGap: () => void;
  onError: (error: unknown) => void;
}

export interface LogReader {
  stop(): Promise<void>;
}

/** Batches in one read. */
const READ_LIMIT = 64;
/** Looks without a notification after which the operator is told. */
const DEAF_LOOKS = 40;

/**
 * Hands on what other nodes say from now on. A notification wakes it; it looks from time to time
 * besides, more often while a node does not even hear its own notifications.
 *
 * @throws when the log cannot be read.
 */
export async function startLogReader(options: LogReaderOptions): Promise<LogReader> {
  const { log, node, link, times, onGap, onError } = options;
  const now = () => performance.now();
  let mark = "";
  /** The last batch of each other node that was handed on, and when. */
  let heard = new Map<string, { n: number; at: number }>();
  let readAt = now();
  let reading: Promise<void> | null = null;
  let again = false;
  let poll: ReturnType<typeof setTimeout> | undefined;
  let notifiedAt = now();
  let deafLooks = 0;
  let begun = false;
  let stopped = false;

  async function begin(): Promise<void> {
    const startedAt = now();
    const end = await log.begin();
    mark = end.mark;
    heard = new Map([...end.positions].map(([name, n]) => [name, { n, at: startedAt }]));
    readAt = startedAt;
  }

  function wake(): void {
    if (!begun || stopped) return;
    again = true;
    if (reading !== null) return;
    clearTimeout(poll);
    // What fails was reported, and the next look tries it again.
    reading = readAll().catch(() => {}).finally(() => {
      reading = null;
      if (!stopped) poll = setTimeout(wake, again && !link.failed ? 0 : untilNextLook());
    });
  }

  function untilNextLook(): number {
    if (link.failed) return times.retryMs[1];
    if (options.saidAt() - notifiedAt < times.deafMs) {
      deafLooks = 0;
      return times.pollMs;
    }
    if (++deafLooks === DEAF_LOOKS) {
      onError(
        new Error(
          "Cannot hear notifications of the database: a pooler may swallow them (set " +
            `DATABASE_DIRECT_URL); other nodes are heard every ${times.deafPollMs} ms`,
        ),
      );
    }
    return times.deafPollMs;
  }

  async function readAll(): Promise<void> {
    while (again && !stopped) {
      again = false;
      for (;;) {
        const startedAt = now();
        const after = new Map([...heard].map(([name, { n }]) => [name, n]));
        const result = await link.run(() => log.read(after, READ_LIMIT));
        if (stopped) return;
        // What was said meanwhile may have been forgotten, or lost in a crash of the server.
        if (result.mark !== mark || startedAt - readAt > times.keepMs / 2) {
          await link.run(begin);
          if (!stopped) onGap();
          break;
        }
        readAt = startedAt;
        for (const entry of result.entries) take(entry);
        if (result.entries.length < READ_LIMIT) break;
      }
    }
  }

  function take({ node: name, n, items }: LogEntry): void {
    const expected = (heard.get(name)?.n ?? 0) + 1;
    heard.set(name, { n, at: now() });
    if (n !== expected) onGap();
    for (const item of JSON.parse(items) as Item[]) {
      try {
        options.onItem(item);
      } catch (error) {
        onError(error);
      }
    }
  }

  async function tidy(): Promise<void> {
    try {
      await log.forgetOld(times.keepMs);
    } catch {
      // The database is away, which reading says.
      return;
    }
    const old = now() - 2 * times.keepMs;
    for (const [name, { at }] of heard) if (at < old) heard.delete(name);
  }

  const listening = await log.listen((name) => {
    if (name !== undefined) notifiedAt = now();
    if (name !== node) wake();
  });
  try {
    await log.forgetOld(times.keepMs);
    // After LISTEN: what is said from here on wakes this node.
    await begin();
    begun = true;
  } catch (error) {
    await listening.stop();
    throw error;
  }
  let tidying = Promise.resolve();
  const tidies = setInterval(() => void (tidying = tidying.then(tidy)), times.keepMs / 2);
  wake();

  return {
    async stop() {
      stopped = true;
      clearInterval(tidies);
      clearTimeout(poll);
      await Promise.all([reading, tidying, listening.stop()]);
    },
  };
}
