import type { MiddlewareHandler } from "hono";
import { createCapacity } from "../domain/capacity.ts";
import { NetworkLimiter } from "../domain/rate_limit.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Env } from "./context.ts";

export interface OpenRequestLimits {
  total: number;
  perNetwork: number;
  /** Requests of one network in a minute. */
  perMinute: number;
  /** The rate and the bound of a network are not for peers on this machine that no proxy stands before. */
  exempt: { perNetwork: boolean; perMinute: boolean };
}

/** When to ask again that finds too many requests open: they end within seconds. */
const RETRY_MS = 1000;

/**
 * Bounds requests to the API: how many a network sends in a minute, and how many are open, which is
 * from their head to their answer. Most take milliseconds, so that an office behind
 * one address has few at a time; those that send half a body keep theirs until BODY_TIMEOUT_MS.
 */
export function openRequests(limits: OpenRequestLimits): MiddlewareHandler<Env> {
  const open = createCapacity({
    what: "answer",
    total: { limit: "MAX_OPEN_REQUESTS", max: limits.total },
    perNetwork: { limit: "MAX_OPEN_REQUESTS_PER_NETWORK", max: limits.perNetwork },
    code: "rate_limited",
    retryAfterMs: RETRY_MS,
  });
  const rate = new NetworkLimiter(limits.perMinute);
  return async (c, next) => {
    const { address, isLoopback } = c.get("peer");
    const wait = isLoopback && limits.exempt.perMinute ? 0 : rate.take(address);
    if (wait > 0) {
      throw new ParleyError("rate_limited", "Cannot answer: too many requests of your network", {
        retryAfter: wait,
        limit: "LIMIT_REQUESTS_PER_MINUTE",
      });
    }
    const slot = open.take(address, isLoopback && limits.exempt.perNetwork);
    try {
      await next();
    } finally {
      slot.release();
    }
  };
}
