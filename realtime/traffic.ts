import { audienceOf } from "../domain/principal.ts";
import type { ProtocolStats } from "./types.ts";
import type { Hub } from "./hub.ts";

/** Frames of each protocol since the start, and bytes that wait to be sent. */
export function trafficOf(hub: Hub): { byProtocol: ProtocolStats[]; queueBytes: number } {
  const byProtocol = new Map<string, ProtocolStats>();
  const statsOf = (protocol: string) => {
    const known = byProtocol.get(protocol);
    if (known !== undefined) return known;
    const none = { protocol, pending: 0, agents: 0, visitors: 0, received: 0, sent: 0 };
    byProtocol.set(protocol, none);
    return none;
  };
  for (const [protocol, { received, sent }] of hub.ended) {
    Object.assign(statsOf(protocol), { received, sent });
  }
  let queueBytes = 0;
  for (const { protocol, principal, received, sent, writer } of hub.connections) {
    const stats = statsOf(protocol.name);
    stats.received += received;
    stats.sent += sent;
    stats[principal === null ? "pending" : audienceOf(principal)]++;
    queueBytes += writer.waitingBytes;
  }
  return { byProtocol: [...byProtocol.values()], queueBytes };
}
