import { CLOSE } from "../protocol/close_codes.ts";
import type { Hub } from "./hub.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** How long a drain waits for the close handshakes of its clients. */
const CLOSE_HANDSHAKE_MS = 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks every client to reconnect, each after its own time, and then closes its connection. */
export function requestReconnects(
  hub: Hub,
  wheel: TimerWheel,
  closing: typeof CLOSE.draining | typeof CLOSE.resync,
  overMs: number,
): void {
  const timestamp = new Date().toISOString();
  for (const connection of hub.connections) {
    const retryAfter = Math.floor(Math.random() * overMs);
    connection.sendEvent({ type: "reconnect", timestamp, data: { retryAfter } });
    if (overMs > 0) wheel.after(retryAfter, () => connection.close(closing));
  }
}

export interface DrainOptions {
  hub: Hub;
  wheel: TimerWheel;
  drainMs: number;
  /** Sockets that are not closed on both sides. */
  openSockets: () => number;
}

/** Closes all connections within `drainMs`, and waits for their clients to close them, too. */
export async function drainConnections(options: DrainOptions): Promise<void> {
  const { hub, wheel, drainMs, openSockets } = options;
  requestReconnects(hub, wheel, CLOSE.draining, drainMs);
  const end = Date.now() + drainMs;
  while (hub.connections.size > 0 && Date.now() < end) await pause(20);
  hub.flushAll();
  for (const connection of [...hub.connections]) connection.close(CLOSE.draining);
  wheel.stop();
  // The runtime would end the sockets that are still closing with a code that tells nothing.
  const deadline = Date.now() + CLOSE_HANDSHAKE_MS;
  while (openSockets() > 0 && Date.now() < deadline) await pause(10);
}
