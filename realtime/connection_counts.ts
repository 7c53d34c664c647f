/** How many connections there are, on all nodes together. */
import type { Gauges } from "../domain/analytics/registry.ts";
import type { ConnectionStats } from "../protocol/programs.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import type { TypingTracker } from "./typing.ts";

/** Nodes that do not reply within a second are not counted. */
export interface ConnectionCounts {
  connectionsOf(userId: string): Promise<number>;
  stats(): Promise<ConnectionStats>;
  /** What analytics shows of this moment. */
  gauges(): Promise<Gauges>;
}

export interface ConnectionCountsOptions {
  hub: Hub;
  nodes: Nodes;
  presence: PresenceTracker;
  typing: TypingTracker;
}

export function createConnectionCounts(options: ConnectionCountsOptions): ConnectionCounts {
  const { hub, nodes, presence, typing } = options;
  const localCountOf = (userId: string) => hub.members(ROOMS.user(userId)).size;

  function localCounts() {
    let authenticated = 0;
    for (const { principal } of hub.connections) if (principal !== null) authenticated++;
    return { total: hub.connections.size, authenticated };
  }

  nodes.onRequest("connections of", (userId) => localCountOf(String(userId)));
  nodes.onRequest("connections", localCounts);
  nodes.onRequest("typing", () => typing.count());

  async function stats(): Promise<ConnectionStats> {
    const remote = await nodes.request("connections", null) as ReturnType<typeof localCounts>[];
    const all = [localCounts(), ...remote];
    const { agents, visitors } = presence.count();
    const users = agents + visitors;
    const authenticated = sum(all.map((node) => node.authenticated));
    return {
      totalConnections: sum(all.map(({ total }) => total)),
      authenticatedUsers: users,
      // Presence lasts for a grace after the last connection, so the average can be less than one.
      averageConnectionsPerUser: users === 0 ? 0 : Math.round(authenticated / users * 100) / 100,
    };
  }

  return {
    stats,

    async connectionsOf(userId) {
      return localCountOf(userId) + sum(await nodes.request("connections of", userId));
    },

    async gauges() {
      const [{ totalConnections }, remoteTyping] = await Promise.all([
        stats(),
        nodes.request("typing", null),
      ]);
      const { agents, visitors } = presence.count();
      return {
        agents_online: agents,
        visitors_online: visitors,
        typing_now: typing.count() + sum(remoteTyping),
        connections: totalConnections,
      };
    },
  };
}

function sum(counts: readonly unknown[]): number {
  return counts.reduce<number>((total, count) => total + Number(count), 0);
}
