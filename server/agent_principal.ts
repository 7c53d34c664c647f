import type { AgentPrincipal } from "../domain/principal.ts";
import type { User } from "../protocol/model.ts";

/** An agent for whom the server itself asks: no token is behind it. */
export function agentPrincipal(user: Pick<User, "id"> & Partial<User>): AgentPrincipal {
  return {
    kind: "agent",
    userId: user.id,
    userName: user.name ?? "",
    role: user.role ?? "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
}
