import type { AgentRole } from "../../protocol/model.ts";

export const ROLE_WORDS: Record<AgentRole, string> = { admin: "Admin", agent: "Agent" };

/** The rights of a role, for choosing one. */
export const ROLE_RIGHTS: Record<AgentRole, string> = {
  agent: "Answers conversations.",
  admin: "Also manages people and widgets.",
};

/** In characters (protocol/rest.ts). */
export const MIN_PASSWORD = 10;

/** How a team assigns the conversations in which a contact waits. */
export const ASSIGNMENT_WORDS = {
  none: "Assigned by hand",
  round_robin: "Each member in turn",
  least_busy: "Whoever has the fewest open conversations",
} as const;
