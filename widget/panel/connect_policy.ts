import type { ParleyClient } from "../../client/mod.ts";

/** Milliseconds after which a hidden page closes its connection. */
const HIDDEN_MS = 10 * 60_000;

/**
 * Decides when to be connected: once it is needed, except in tabs that have long been hidden. When
 * such a tab is visible again, it connects and recovers.
 */
export function createConnectPolicy(client: ParleyClient) {
  const ended = new AbortController();
  let needed = false;
  let idle = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      if (idle) client.connect();
      idle = false;
    } else {
      timer = setTimeout(() => {
        if (!needed || client.state !== "connected" || client.pending().length > 0) return;
        idle = true;
        client.close();
      }, HIDDEN_MS);
    }
  }, { signal: ended.signal });

  return {
    isNeeded: () => needed,
    need() {
      const first = !needed;
      needed = true;
      if (first || client.state === "failed") client.connect();
    },
    stop() {
      clearTimeout(timer);
      ended.abort();
    },
  };
}
