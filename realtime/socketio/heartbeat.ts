import type { TimerWheel } from "../timer_wheel.ts";

export interface HeartbeatOptions {
  wheel: TimerWheel;
  /** From a pong to the next ping. */
  intervalMs: number;
  /** For the peer to answer. */
  timeoutMs: number;
  ping: () => void;
  onTimeout: () => void;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
}

/** Pings a peer while it answers. One timer at a time: the next ping, or the end of waiting. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #now: () => number;
  /** When the answer to the last ping is due; null while none is. */
  #due: number | null = null;
  #extended = false;
  #cancel = () => {};

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#pingLater();
  }

  /** Whether the answer is over its time, also before the timer tells. */
  get isOverdue(): boolean {
    return this.#due !== null && this.#now() > this.#due;
  }

  pong(): void {
    this.#due = null;
    this.#pingLater();
  }

  /** Something else came: a peer busy with sending may be late with its pong, once for each ping. */
  packet(): void {
    if (this.#due === null || this.#extended) return;
    this.#extended = true;
    this.#expectFrom(this.#now());
  }

  /** The peer's pong may have to take another way than the one it would have taken. */
  transportChanged(): void {
    if (this.#due !== null) this.#expectFrom(this.#now());
  }

  stop(): void {
    this.#due = null;
    this.#cancel();
  }

  #pingLater(): void {
    const { wheel, intervalMs, timeoutMs, ping } = this.#options;
    const planned = this.#now() + intervalMs;
    this.#cancel();
    this.#cancel = wheel.after(intervalMs, () => {
      ping();
      this.#extended = false;
      const now = this.#now();
      // The timer's inexactness is not the peer's gain, and a stall of this process not its loss.
      this.#expectFrom(now - planned < timeoutMs / 2 ? planned : now);
    });
  }

  #expectFrom(start: number): void {
    const { wheel, timeoutMs, onTimeout } = this.#options;
    this.#due = start + timeoutMs;
    this.#cancel();
    this.#cancel = wheel.after(this.#due - this.#now(), onTimeout);
  }
}
