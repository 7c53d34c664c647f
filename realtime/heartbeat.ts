import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

/** How often the heartbeats of one slot are sent. */
const SLOT_MS = 1000;

export interface HeartbeatOptions {
  hub: Hub;
  /** Milliseconds between two heartbeats of one connection. */
  everyMs: number;
  /** The last `seq` of each of these conversations. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  /** Called for each connection with its heartbeat. */
  onBeat: (connection: Connection) => void;
  onError: (error: unknown) => void;
}

/**
 * Sends every authenticated connection a heartbeat with the last `seq` of each conversation that it
 * follows, so that a client notices a lost event even if no other follows. One timer for all
 * connections: they are divided into slots of one second, each with one query.
 *
 * The runtime detects dead peers, with WebSocket pings (`idleTimeout`).
 */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { hub, everyMs, positions, onBeat, onError } = options;
  const slots = Math.max(1, Math.round(everyMs / SLOT_MS));
  let slot = 0;

  async function beat(): Promise<void> {
    slot = (slot + 1) % slots;
    const due = [...hub.connections].filter((connection) =>
      connection.principal !== null && connection.number % slots === slot
    );
    if (due.length === 0) return;
    due.forEach(onBeat);
    const ids = [...new Set(due.flatMap((connection) => [...connection.conversations]))];
    const known = ids.length === 0 ? new Map<string, number>() : await positions(ids);
    const timestamp = new Date().toISOString();
    for (const connection of due) {
      const own: Record<string, number> = {};
      for (const id of connection.conversations) {
        const seq = known.get(id);
        if (seq !== undefined) own[id] = seq;
      }
      connection.sendEvent({
        type: "heartbeat",
        timestamp,
        data: { serverTime: timestamp, positions: own },
      });
    }
  }

  const timer = setInterval(() => void beat().catch(onError), Math.min(SLOT_MS, everyMs));
  return () => clearInterval(timer);
}
