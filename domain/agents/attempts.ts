import { ParleyError } from "../../protocol/errors.ts";
import { networkOf } from "../network.ts";
import { KeyedLimiter } from "../rate_limit.ts";

export interface AttemptLimits {
  /** Failures per minute of one network at one account; five times as many at all accounts. */
  perMinute: number;
  /** The longest delay of an attempt, in milliseconds. */
  maxDelayMs: number;
  /** How many attempts may be delayed at a time. */
  maxDelayed: number;
}

export interface Attempt {
  account: string;
  /** The peer; its network is refused when it fails too often. */
  address: string;
  /** Identifies a browser that has signed in to this account before; null: any other. */
  device: string | null;
}

/**
 * Slows down guessing without locking anybody out. A network that fails is refused; an account that
 * somebody guesses at is only slower, except for browsers that have signed in to it before.
 */
export interface Attempts {
  /**
   * Counts a failure, and waits for a time that depends on the account's failures.
   *
   * @returns what takes the failure back after a success.
   * @throws {ParleyError} `rate_limited`, `overloaded`, or `draining` when the server stops.
   */
  begin(attempt: Attempt): Promise<() => void>;
  /** Counts an attempt that belongs to no account. */
  take(address: string): void;
  /** Refuses all who wait. */
  stop(): void;
}

/** Failures without a delay: people mistype. */
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 500;
/** Time after which one failure is forgotten. */
const FORGET_MS = 30_000;
const MAX_FAILURES = 20;
const MAX_ACCOUNTS = 100_000;

export function createAttempts(limits: AttemptLimits, now: () => number = Date.now): Attempts {
  const perPair = new KeyedLimiter(limits.perMinute, 60_000, { now });
  const perNetwork = new KeyedLimiter(limits.perMinute * 5, 60_000, { now });
  const perDevice = new KeyedLimiter(limits.perMinute, 60_000, { now });
  const failures = new Map<string, { count: number; at: number }>();
  const delayed = new Set<(error: Error) => void>();

  function failuresOf(account: string): number {
    const known = failures.get(account);
    if (known === undefined) return 0;
    return Math.max(0, known.count - (now() - known.at) / FORGET_MS);
  }

  function count(account: string, change: 1 | -1): void {
    const next = Math.min(MAX_FAILURES, failuresOf(account) + change);
    // Moved to the end, so that the oldest are forgotten first.
    failures.delete(account);
    if (next > 0) failures.set(account, { count: next, at: now() });
    if (failures.size > MAX_ACCOUNTS) failures.delete(failures.keys().next().value!);
  }

  function delayOf(account: string): number {
    const over = Math.floor(failuresOf(account)) - FREE_FAILURES;
    return over < 0 ? 0 : Math.min(limits.maxDelayMs, FIRST_DELAY_MS * 2 ** over);
  }

  async function holdBack(ms: number): Promise<void> {
    if (ms === 0) return;
    if (delayed.size >= limits.maxDelayed) {
      throw new ParleyError("overloaded", "Cannot sign in: too many attempts are waiting", {
        retryAfter: ms,
        limit: "MAX_DELAYED_SIGN_INS",
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    delayed.add(reject);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      delayed.delete(reject);
    }
  }

  function takeOf(limiter: KeyedLimiter, key: string): void {
    const retryAfter = limiter.take(key);
    if (retryAfter > 0) throw tooMany(retryAfter);
  }

  return {
    async begin({ account, address, device }) {
      const network = networkOf(address);
      if (device !== null) {
        const key = `${device} ${account}`;
        takeOf(perDevice, key);
        return () => perDevice.giveBack(key);
      }
      const pair = `${network} ${account}`;
      takeOf(perPair, pair);
      const wait = perNetwork.take(network);
      if (wait > 0) {
        perPair.giveBack(pair);
        throw tooMany(wait);
      }
      const delay = delayOf(account);
      // Counted before the result is known, so that parallel attempts are delayed like serial ones.
      count(account, 1);
      await holdBack(delay);
      return () => {
        perPair.giveBack(pair);
        perNetwork.giveBack(network);
        count(account, -1);
      };
    },

    take: (address) => takeOf(perNetwork, networkOf(address)),

    stop() {
      for (const reject of [...delayed]) {
        reject(new ParleyError("draining", "Cannot sign in: the server is restarting"));
      }
    },
  };
}

function tooMany(retryAfter: number): ParleyError {
  return new ParleyError("rate_limited", "Cannot sign in: too many attempts", {
    retryAfter,
    limit: "LIMIT_LOGINS_PER_MINUTE",
  });
}
