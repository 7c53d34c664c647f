import type { Timers } from "./timers.ts";

export interface HeartbeatOptions {
  timers: Timers;
  /** Milliseconds from a pong to the next ping. */
  intervalMs: number;
  /** Milliseconds that the peer has to answer. */
  timeoutMs: number;
  ping: () => void;
  onTimeout: () => void;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
}

/**
 * Pings a peer while it answers. One timer at a time: the next ping, or the timeout of the last.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #now: () => number;
  /** When the answer to the last ping is due; null while no answer is expected. */
  #due: number | null = null;
  #extended = false;
  #cancel = () => {};

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#pingLater();
  }

  /** Whether the answer is overdue, even if the timer has not fired yet. */
  get isOverdue(): boolean {
    return this.#due !== null && this.#now() > this.#due;
  }

  pong(): void {
    this.#due = null;
    this.#pingLater();
  }

  /**
   * Another packet was received: a peer that is busy sending gets more time, once for each ping.
   */
  packet(): void {
    if (this.#due === null || this.#extended) return;
    this.#extended = true;
    this.#expectFrom(this.#now());
  }

  /** The peer gets more time, because its pong may have to be sent over the other transport. */
  transportChanged(): void {
    if (this.#due !== null) this.#expectFrom(this.#now());
  }

  stop(): void {
    this.#due = null;
    this.#cancel();
  }

  #pingLater(): void {
    const { timers, intervalMs, timeoutMs, ping } = this.#options;
    const planned = this.#now() + intervalMs;
    this.#cancel();
    this.#cancel = timers.after(intervalMs, () => {
      ping();
      this.#extended = false;
      const now = this.#now();
      // A timer that fires a little late gives the peer no extra time; a process that was stalled
      // does.
      this.#expectFrom(now - planned < timeoutMs / 2 ? planned : now);
    });
  }

  #expectFrom(start: number): void {
    const { timers, timeoutMs, onTimeout } = this.#options;
    this.#due = start + timeoutMs;
    this.#cancel();
    this.#cancel = timers.after(this.#due - this.#now(), onTimeout);
  }
}
