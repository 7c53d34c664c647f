/** How many connections there are, on all nodes together. */
import type { ConnectionStats } from "../protocol/programs.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";

export interface Census {
  connectionsOf(userId: string): Promise<number>;
  stats(): Promise<ConnectionStats>;
}

export interface CensusOptions {
  hub: Hub;
  nodes: Nodes;
  presence: PresenceTracker;
}

/** A node that does not answer within its time is not counted. */
export function createCensus({ hub, nodes, presence }: CensusOptions): Census {
  const ofUserHere = (userId: string) => hub.members(ROOMS.user(userId)).size;

  function here() {
    let authenticated = 0;
    for (const { principal } of hub.connections) if (principal !== null) authenticated++;
    return { total: hub.connections.size, authenticated };
  }

  nodes.answer("connections of", (userId) => ofUserHere(String(userId)));
  nodes.answer("connections", here);

  return {
    async connectionsOf(userId) {
      const elsewhere = await nodes.ask("connections of", userId);
      return elsewhere.reduce<number>((sum, count) => sum + Number(count), ofUserHere(userId));
    },

    async stats() {
      const all = [here(), ...await nodes.ask("connections", null) as ReturnType<typeof here>[]];
      const sum = (of: (node: ReturnType<typeof here>) => number) =>
        all.reduce((total, node) => total + of(node), 0);
      const { agents, visitors } = presence.count();
      const users = agents + visitors;
      return {
        totalConnections: sum(({ total }) => total),
        authenticatedUsers: users,
        // Who left a moment ago is still counted as there, so it can be less than one.
        averageConnectionsPerUser: users === 0
          ? 0
          : Math.round(sum(({ authenticated }) => authenticated) / users * 100) / 100,
      };
    },
  };
}
