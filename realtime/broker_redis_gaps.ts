/**
 * Lost messages between nodes. A node that could not publish informs the others by one notice, and
 * each node that receives a notice reports a gap. Both are throttled: a gap makes all clients of a
 * node reconnect.
 */

/** The shortest time between two gaps, and between two notices that arrived. */
const GAP_INTERVAL_MS = 1000;
/** The first delay of a notice, doubled after each that could not be sent. */
const NOTICE_MS = 50;
const MAX_NOTICE_MS = 2000;

export interface GapNotices {
  /** A message could not be published: the other nodes will be informed. */
  messageDropped(): void;
  /** Sends a notice that waits for a connection. */
  connected(): void;
  close(): void;
}

export interface GapNoticesOptions {
  /** @returns whether the notice was published */
  send: () => Promise<boolean>;
  isConnected: () => boolean;
  /** Much waits for Redis, so that a notice would only be dropped. */
  isCongested: () => boolean;
}

export function createGapNotices(options: GapNoticesOptions): GapNotices {
  let isPending = false;
  let isClosed = false;
  let delayMs = NOTICE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function messageDropped(): void {
    isPending = true;
    if (!isClosed) timer ??= setTimeout(notify, delayMs);
  }

  async function notify(): Promise<void> {
    timer = undefined;
    // Without a connection it is sent by `connected`.
    if (!isPending || isClosed || !options.isConnected()) return;
    if (options.isCongested()) return messageDropped();
    isPending = false;
    const isSent = await options.send();
    delayMs = isSent ? GAP_INTERVAL_MS : Math.min(delayMs * 2, MAX_NOTICE_MS);
  }

  return {
    messageDropped,
    connected() {
      if (isPending) messageDropped();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

export interface GapReporter {
  /** Messages of other nodes may have been lost. */
  report(): void;
  close(): void;
}

export function createGapReporter(onGap: () => void): GapReporter {
  let isClosed = false;
  let lastAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function fire(): void {
    timer = undefined;
    lastAt = performance.now();
    onGap();
  }

  return {
    report() {
      if (isClosed || timer !== undefined) return;
      const waitMs = lastAt + GAP_INTERVAL_MS - performance.now();
      if (waitMs > 0) timer = setTimeout(fire, waitMs);
      else fire();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
