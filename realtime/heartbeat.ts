import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

/** How often one part of the connections has its turn. */
const SLOT_MS = 1000;

export interface HeartbeatOptions {
  hub: Hub;
  /** Milliseconds between two heartbeats of one connection. */
  everyMs: number;
  /** Where the logs of these conversations stand. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  /** What else is looked after for each connection at its turn. */
  onBeat: (connection: Connection) => void;
  onError: (error: unknown) => void;
}

/**
 * Tells every authenticated connection that the server is there, and where the log of each
 * conversation that it follows stands, so that a client notices in a quiet room, too, that it lost
 * the last event. One timer for all: each second has its share of the connections, and one query.
 *
 * Whether the peer is there is the runtime's to find out, with WebSocket pings (`idleTimeout`).
 */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { hub, everyMs, positions, onBeat, onError } = options;
  const slots = Math.max(1, Math.round(everyMs / SLOT_MS));
  let turn = 0;

  async function beat(): Promise<void> {
    turn = (turn + 1) % slots;
    const due = [...hub.connections].filter((connection) =>
      connection.principal !== null && connection.number % slots === turn
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
