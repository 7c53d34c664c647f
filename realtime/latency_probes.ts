/**
 * Measures how long a message takes from its commit to a client. The runtime does not report when a
 * peer has received what was sent, so from time to time one client is asked to answer: a heartbeat
 * with an echo follows a message on the same socket, and the client answers when it has handled
 * both. The measured time includes the way of the answer.
 */
import { setImmediate } from "node:timers";
import { SUBPROTOCOL } from "../protocol/native.ts";
import type { Broadcast } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

export interface LatencyProbes {
  /** A message was written to the sockets of a room; one of its members may be probed. */
  onDelivered(broadcast: Broadcast, committedAt: number): void;
  /** A client sent `ping`. @param data may hold the echo of a probe */
  onPing(connection: Connection, data: unknown): void;
}

/** Milliseconds between two probes of this node, and between two of one connection. */
const INTERVAL_MS = 1000;
const CONNECTION_INTERVAL_MS = 10_000;
/** A later answer is ignored: the page was suspended. */
const TIMEOUT_MS = 60_000;
/** How many members are considered for a probe. */
const MAX_CANDIDATES = 20;

interface Probe {
  echo: string;
  committedAt: number;
  sentAt: number;
}

export function createLatencyProbes(options: {
  hub: Pick<Hub, "members">;
  /** @param ms from the commit until the answer arrived */
  onAnswer: (ms: number) => void;
  now?: () => number;
  random?: () => number;
}): LatencyProbes {
  const { hub, onAnswer, now = () => performance.now(), random = Math.random } = options;
  const probes = new WeakMap<Connection, Probe>();
  let lastSentAt = -Infinity;
  let count = 0;

  function mayProbe(connection: Connection, { exceptUser, exceptConnection }: Broadcast): boolean {
    const { principal, protocol, id, isOver } = connection;
    if (principal === null || isOver || protocol.name !== SUBPROTOCOL) return false;
    if (id === exceptConnection || principal.userId === exceptUser) return false;
    return now() - (probes.get(connection)?.sentAt ?? -Infinity) >= CONNECTION_INTERVAL_MS;
  }

  /** One of the first members, chosen at random. */
  function choose(broadcast: Broadcast): Connection | undefined {
    const members = hub.members(broadcast.room);
    let skipped = Math.floor(random() * Math.max(1, Math.min(MAX_CANDIDATES, members.size)));
    let considered = 0;
    let last: Connection | undefined;
    for (const connection of members) {
      if (considered++ >= MAX_CANDIDATES) break;
      if (!mayProbe(connection, broadcast)) continue;
      last = connection;
      if (skipped-- <= 0) break;
    }
    return last;
  }

  return {
    onDelivered(broadcast, committedAt) {
      if (now() - lastSentAt < INTERVAL_MS) return;
      const connection = choose(broadcast);
      if (connection === undefined) return;
      const sentAt = lastSentAt = now();
      const echo = String(++count);
      probes.set(connection, { echo, committedAt, sentAt });
      // After this turn, in which the hub sends the rest of a burst: the probe has to follow it.
      setImmediate(() => {
        const timestamp = new Date().toISOString();
        const data = { serverTime: timestamp, positions: {}, echo };
        if (!connection.isOver) connection.sendEvent({ type: "heartbeat", timestamp, data });
      });
    },

    onPing(connection, data) {
      const probe = probes.get(connection);
      const { echo } = (data ?? {}) as { echo?: unknown };
      if (probe === undefined || echo !== probe.echo) return;
      probe.echo = "";
      const at = now();
      if (at - probe.sentAt <= TIMEOUT_MS) onAnswer(at - probe.committedAt);
    },
  };
}
