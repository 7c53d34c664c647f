import type { Side } from "./adapter.ts";
import type { LinkState } from "./link.ts";
import type { Latency } from "./latency.ts";

export const SIDE_WORDS: Record<Side, string> = { customer: "Customer", agent: "Agent" };

/** The state of a connection in a few words. */
export function linkWords(link: LinkState): string {
  switch (link.name) {
    case "idle":
      return "Not connected";
    case "connecting":
      return "Connecting";
    case "connected":
      return "Connected";
    case "waiting":
      return `Lost, trying again in ${Math.max(1, Math.round(link.ms / 1000))} s`;
    case "offline":
      return link.network ? "No network" : "Offline";
    case "failed":
      return "Refused";
  }
}

export function linkTone(link: LinkState): "good" | "warn" | "bad" | "plain" {
  if (link.name === "connected") return "good";
  if (link.name === "failed") return "bad";
  return link.name === "idle" ? "plain" : "warn";
}

/** "9 ms", "0.4 ms", "1.2 s". */
export function msWords(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** The latency of the last message; null where nothing was measured. */
export function latencyWords({ stored, received }: Latency): string | null {
  if (stored === null) return null;
  const arrived = received === null ? "" : `, received in ${msWords(received)}`;
  return `Last message: stored in ${msWords(stored)}${arrived}`;
}

/** "412 B", "1.4 KB". */
export function bytesWords(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}
