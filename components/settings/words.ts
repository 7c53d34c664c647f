import type { AgentRole } from "../../protocol/model.ts";

export const ROLE_WORDS: Record<AgentRole, string> = { admin: "Admin", agent: "Agent" };

/** What a role may do, for those who choose one. */
export const ROLE_RIGHTS: Record<AgentRole, string> = {
  agent: "Answers conversations.",
  admin: "Also manages people and widgets.",
};

/** Characters (protocol/rest.ts). */
export const MIN_PASSWORD = 10;
