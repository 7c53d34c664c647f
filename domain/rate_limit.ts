import { networkOf } from "./network.ts";

/**
 * A token bucket: `capacity` at once, refilled evenly over `perMs`. Two numbers of state and no
 * timer, so one for each connection and kind costs next to nothing.
 */
export class TokenBucket {
  #tokens: number;
  #at: number;
  readonly #capacity: number;
  readonly #perMs: number;

  constructor(capacity: number, perMs: number, now: number) {
    this.#capacity = capacity;
    this.#perMs = perMs;
    this.#tokens = capacity;
    this.#at = now;
  }

  /** Takes one. Returns 0 when there was one, otherwise the milliseconds until there is. */
  take(now: number): number {
    const rate = this.#capacity / this.#perMs;
    const elapsed = now > this.#at ? now - this.#at : 0;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsed * rate);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil((1 - this.#tokens) / rate);
  }

  /** Gives one back that was taken for nothing. */
  giveBack(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 1);
  }

  /** Whether it is full again, so that forgetting it changes nothing. */
  isFull(now: number): boolean {
    const rate = this.#capacity / this.#perMs;
    return this.#tokens + Math.max(0, now - this.#at) * rate >= this.#capacity;
  }
}

/** Buckets by key (an address, an account), bounded: the full ones are forgotten first. */
export class KeyedLimiter {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #capacity: number;
  readonly #perMs: number;
  readonly #maxKeys: number;
  readonly #now: () => number;

  constructor(
    capacity: number,
    perMs = 60_000,
    options: { maxKeys?: number; now?: () => number } = {},
  ) {
    this.#capacity = capacity;
    this.#perMs = perMs;
    this.#maxKeys = options.maxKeys ?? 100_000;
    this.#now = options.now ?? Date.now;
  }

  /** Takes one for the key. Returns 0, or the milliseconds until the next is allowed. */
  take(key: string): number {
    const now = this.#now();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxKeys) this.#forget(now);
      bucket = new TokenBucket(this.#capacity, this.#perMs, now);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(now);
  }

  /** Gives one back that was taken for nothing. */
  giveBack(key: string): void {
    this.#buckets.get(key)?.giveBack();
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    // All in use: the oldest go, a tenth at a time, so that memory stays bounded.
    let excess = this.#buckets.size - Math.floor(this.#maxKeys * 0.9);
    for (const key of this.#buckets.keys()) {
      if (excess-- <= 0) break;
      this.#buckets.delete(key);
    }
  }
}

/** Buckets by the network that an address is of, so that a /64 full of addresses is one. */
export class NetworkLimiter {
  readonly #buckets: KeyedLimiter;

  constructor(...options: ConstructorParameters<typeof KeyedLimiter>) {
    this.#buckets = new KeyedLimiter(...options);
  }

  /** Takes one for the address's network. Returns 0, or the milliseconds until the next is allowed. */
  take(address: string): number {
    return this.#buckets.take(networkOf(address));
  }
}
