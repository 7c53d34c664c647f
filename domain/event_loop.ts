import { setImmediate } from "node:timers";

/**
 * Resolves in the next turn of the event loop. The embedded database answers within one turn, so a
 * loop over its answers would otherwise keep sockets, timers and requests waiting until it ends.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
