import { problemResponse } from "./problem.ts";

/** How long requests in flight may take before the database is closed nevertheless. */
const MAX_WAIT_MS = 1000;

export interface InFlightRequests {
  /** Responds by `handle`, or with 503 after `close()`. */
  run(handle: () => Response | Promise<Response>): Promise<Response>;
  /** Refuses new requests, and waits for those in flight. */
  close(): Promise<void>;
}

/**
 * Counts requests in flight, so that a stop can wait for them. A client whose request arrives
 * during the stop is told to try again, and gets no error of a closed database.
 */
export function createInFlightRequests(): InFlightRequests {
  let count = 0;
  let closed = false;
  const empty = Promise.withResolvers<void>();
  return {
    async run(handle) {
      if (closed) return restarting();
      count++;
      try {
        return await handle();
      } finally {
        count--;
        if (closed && count === 0) empty.resolve();
      }
    },
    async close() {
      closed = true;
      if (count === 0) return;
      // A client that never completes its body must not prevent the stop.
      const timer = setTimeout(empty.resolve, MAX_WAIT_MS);
      await empty.promise;
      clearTimeout(timer);
    },
  };
}

function restarting(): Response {
  return problemResponse({
    code: "draining",
    detail: "Cannot answer: the server is restarting",
    retryAfter: 1000,
  });
}
