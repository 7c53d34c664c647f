import { signal } from "@preact/signals";
import { callApi } from "../live/api.ts";

/** The parts of the answer of /health that are shown. */
export interface Health {
  services: {
    database: "connected" | "disconnected";
    websocket: { connections: number; authenticatedUsers: number; slowClosed: number };
  };
}

const EVERY_MS = 5_000;
/** Milliseconds after which this page's own connection is counted. */
const SOON_MS = 1_000;

/** The state of the server, read every 5 seconds while the page is visible. */
export function createHealth() {
  const health = signal<Health | null>(null);
  const failed = signal(false);

  async function poll() {
    if (document.visibilityState === "hidden") return;
    try {
      health.value = await callApi<Health>("/health");
      failed.value = false;
    } catch {
      failed.value = true;
    }
  }

  return {
    health,
    failed,
    begin() {
      void poll();
      const soon = setTimeout(poll, SOON_MS);
      const timer = setInterval(poll, EVERY_MS);
      document.addEventListener("visibilitychange", poll);
      return () => {
        clearTimeout(soon);
        clearInterval(timer);
        document.removeEventListener("visibilitychange", poll);
      };
    },
  };
}
