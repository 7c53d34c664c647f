import { CLOSE } from "../protocol/close_codes.ts";
import type { Principal } from "../domain/principal.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import { ROOMS } from "./rooms.ts";

/** Which connections: of a user or contact, of a visitor's session, of a sign-in, of one token. */
export type DisconnectTarget =
  | { userId: string }
  | { sessionHash: string }
  | { signInId: string }
  | { tokenId: string };

export interface Disconnects {
  /** Ends connections on every node. @returns how many, on all nodes that reply. */
  disconnect(target: DisconnectTarget): Promise<number>;
  /** Ends connections on this node. @returns how many. */
  disconnectLocal(target: DisconnectTarget): number;
}

export interface DisconnectsOptions {
  hub: Hub;
  nodes: Nodes;
  /** Ends the recovery of suspended connections of the principals that match. */
  endRecoveryWhere: (matches: (principal: Principal) => boolean) => void;
}

export function createDisconnects(options: DisconnectsOptions): Disconnects {
  const { hub, nodes, endRecoveryWhere } = options;

  function disconnectLocal(target: DisconnectTarget): number {
    const candidates = "userId" in target
      ? hub.members(ROOMS.user(target.userId))
      : hub.connections;
    const matching = [...candidates].filter(({ principal }) =>
      principal !== null && matchesTarget(principal, target)
    );
    for (const connection of matching) connection.close(CLOSE.disconnected);
    endRecoveryWhere((principal) => matchesTarget(principal, target));
    return matching.length;
  }

  nodes.onRequest("disconnect", (target) => disconnectLocal(target as DisconnectTarget));

  return {
    disconnectLocal,
    async disconnect(target) {
      const local = disconnectLocal(target);
      const remote = await nodes.request("disconnect", target);
      return remote.reduce<number>((sum, count) => sum + Number(count), local);
    },
  };
}

function matchesTarget(principal: Principal, target: DisconnectTarget): boolean {
  if ("userId" in target) return principal.userId === target.userId;
  if (principal.kind === "visitor") {
    if ("sessionHash" in target) return principal.sessionHash === target.sessionHash;
    return "tokenId" in target && principal.tokenId === target.tokenId;
  }
  if ("signInId" in target) return principal.signInId === target.signInId;
  return "tokenId" in target && principal.tokenId === target.tokenId;
}
