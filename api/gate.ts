import { problemResponse } from "./problem.ts";

/** How long requests that are inside may take before the database is closed under them. */
const MAX_WAIT_MS = 1000;

export interface Gate {
  /** Answers by `handle`, or with 503 once it is closed. */
  pass(handle: () => Response | Promise<Response>): Promise<Response>;
  /** Lets nobody in any more, and waits for those who are. */
  close(): Promise<void>;
}

/** Who asks while the server stops is told to ask again, and not that something is broken. */
export function createGate(): Gate {
  let inside = 0;
  let closed = false;
  const empty = Promise.withResolvers<void>();

  return {
    async pass(handle) {
      if (closed) return restarting();
      inside++;
      try {
        return await handle();
      } finally {
        inside--;
        if (closed && inside === 0) empty.resolve();
      }
    },

    async close() {
      closed = true;
      if (inside === 0) return;
      // A body that is sent by halves would keep it forever.
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
