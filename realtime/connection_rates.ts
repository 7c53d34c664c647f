import { TokenBucket } from "../domain/rate_limit.ts";
import type { ConnectionLimits } from "./connection_limits.ts";

/** The rates of commands, and the setting of each. */
const RATES = {
  message: { limit: "LIMIT_MESSAGES_PER_MINUTE", perMinute: "messagesPerMinute" },
  typing: { limit: "LIMIT_TYPING_PER_MINUTE", perMinute: "typingPerMinute" },
  edit: { limit: "LIMIT_EDITS_PER_MINUTE", perMinute: "editsPerMinute" },
  cursor: { limit: "LIMIT_CURSORS_PER_MINUTE", perMinute: "cursorsPerMinute" },
} as const;
export type Rate = keyof typeof RATES;

/** The rate that a command of this type counts for. */
export function rateOf(type: unknown): Rate {
  return type === "typing" || type === "edit" || type === "cursor" ? type : "message";
}

/** The setting that bounds this rate. */
export function settingOf(rate: Rate): string {
  return RATES[rate].limit;
}

/** Refusals in a minute after which a peer that ignores them is disconnected. */
const REFUSALS_PER_MINUTE = 30;

/** What a connection has used of its rates. */
export class ConnectionRates {
  readonly #limits: ConnectionLimits;
  // Each bucket is created on first use: few connections ever edit.
  readonly #buckets: Partial<Record<Rate, TokenBucket>> = {};
  #refusals: TokenBucket | null = null;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** @returns 0, or the milliseconds after which the next command is accepted. */
  take(rate: Rate, now: number): number {
    const bucket = this.#buckets[rate] ??= new TokenBucket(
      this.#limits[RATES[rate].perMinute],
      60_000,
      now,
    );
    return bucket.take(now);
  }

  /** @returns whether the refusals of the last minute are too many. */
  countRefusal(now: number): boolean {
    this.#refusals ??= new TokenBucket(REFUSALS_PER_MINUTE, 60_000, now);
    return this.#refusals.take(now) > 0;
  }
}
