import { signal } from "@preact/signals";
import { callApi } from "../live/api.ts";

/** The answer of /health, as far as it is shown. */
export interface Health {
  services: {
    database: "connected" | "disconnected";
    websocket: { connections: number; authenticatedUsers: number; slowClosed: number };
  };
}

const EVERY_MS = 5_000;
/** The page's own connection is there by then. */
const SOON_MS = 1_000;

/** How the server is, asked anew every 5 seconds while somebody looks. */
export function createHealth() {
  const health = signal<Health | null>(null);
  const failed = signal(false);

  async function ask() {
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
      void ask();
      const soon = setTimeout(ask, SOON_MS);
      const timer = setInterval(ask, EVERY_MS);
      document.addEventListener("visibilitychange", ask);
      return () => {
        clearTimeout(soon);
        clearInterval(timer);
        document.removeEventListener("visibilitychange", ask);
      };
    },
  };
}
