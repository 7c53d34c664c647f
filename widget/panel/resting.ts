import type { ParleyClient } from "../../client/mod.ts";

/** Milliseconds after which a page that nobody looks at gives its connection back. */
const HIDDEN_MS = 10 * 60_000;

/**
 * When to be connected: once it is wanted, except in tabs that were left long ago. Coming back to
 * the tab connects again and recovers.
 */
export function createResting(client: ParleyClient) {
  const ended = new AbortController();
  let wanted = false;
  let asleep = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      if (asleep) client.connect();
      asleep = false;
    } else {
      timer = setTimeout(() => {
        if (!wanted || client.state !== "connected" || client.pending().length > 0) return;
        asleep = true;
        client.close();
      }, HIDDEN_MS);
    }
  }, { signal: ended.signal });

  return {
    wanted: () => wanted,
    want() {
      const first = !wanted;
      wanted = true;
      if (first || client.state === "failed") client.connect();
    },
    stop() {
      clearTimeout(timer);
      ended.abort();
    },
  };
}
