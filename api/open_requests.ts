import type { MiddlewareHandler } from "hono";
import { createCapacity } from "../domain/capacity.ts";
import { NetworkLimiter } from "../domain/rate_limit.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Env } from "./env.ts";

export interface OpenRequestLimits {
  total: number;
  perNetwork: number;
  /** Requests of one network in a minute. */
  perMinute: number;
  /** Peers on this machine, without a proxy between, are exempt from these bounds. */
  exempt: { perNetwork: boolean; perMinute: boolean };
}

/** When to try again: open requests end within seconds. */
const RETRY_MS = 1000;

/**
 * Bounds requests to the API: how many a network sends in a minute, and how many are open, from their
 * head to their response. Most take milliseconds, so an office behind one address has few at a time;
 * a request whose body does not arrive is open until BODY_TIMEOUT_MS.
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
