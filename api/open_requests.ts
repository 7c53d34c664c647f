import type { MiddlewareHandler } from "hono";
import { createCapacity } from "../domain/capacity.ts";
import type { Env } from "./context.ts";

export interface OpenRequestLimits {
  total: number;
  perNetwork: number;
  /** Not for peers on this machine that no proxy stands before. */
  exemptLoopback: boolean;
}

/** When to ask again that finds too many requests open: they end within seconds. */
const RETRY_MS = 1000;

/**
 * Counts requests from their head to their answer. Most take milliseconds, so that an office behind
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
  return async (c, next) => {
    const { address, isLoopback } = c.get("peer");
    const place = open.take(address, isLoopback && limits.exemptLoopback);
    try {
      await next();
    } finally {
      place.leave();
    }
  };
}
