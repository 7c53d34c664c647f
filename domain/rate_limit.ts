import { networkOf } from "./network.ts";

/**
 * A token bucket: `capacity` at once, refilled evenly over `perMs`. It has two numbers of state
 * and no timer, so that one for each connection and kind costs little.
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

  /** Takes a token. Returns 0, or the milliseconds until there is one. */
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

  /** Returns a token that was not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 1);
  }

  /** Whether it is full, so that it can be forgotten. */
  isFull(now: number): boolean {
    const rate = this.#capacity / this.#perMs;
    return this.#tokens + Math.max(0, now - this.#at) * rate >= this.#capacity;
  }
}

/** Buckets by key (an address, an account). Their number is bounded: full ones are forgotten first. */
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

  /** Takes a token of the key. Returns 0, or the milliseconds until there is one. */
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

  /** Returns a token that was not used. */
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

/** Buckets by the network of an address, so that all addresses of a /64 share one. */
export class NetworkLimiter {
  readonly #buckets: KeyedLimiter;

  constructor(...options: ConstructorParameters<typeof KeyedLimiter>) {
    this.#buckets = new KeyedLimiter(...options);
  }

  /** Takes a token of the address's network. Returns 0, or the milliseconds until there is one. */
  take(address: string): number {
    return this.#buckets.take(networkOf(address));
  }

  /** Returns a token that turned out to be somebody else's. */
  giveBack(address: string): void {
    this.#buckets.giveBack(networkOf(address));
  }
}
