/** How an agent wants the dashboard to behave, on all their devices. */
import { z } from "zod";

export const AgentPreferences = z.object({
  /** Seconds in which a reply can be taken back after Send is pressed; 0: it is sent at once. */
  undoSendSeconds: z.union([z.literal(0), z.literal(5), z.literal(10)]),
  /** Whether keys without Ctrl act as shortcuts; dictation would press them (WCAG 2.1.4). */
  singleKeys: z.boolean(),
});
export type AgentPreferences = z.infer<typeof AgentPreferences>;

export const UpdateAgentPreferencesBody = z.strictObject(AgentPreferences.partial().shape).refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one preference is needed",
);
export type UpdateAgentPreferencesBody = z.infer<typeof UpdateAgentPreferencesBody>;

export const DEFAULT_AGENT_PREFERENCES: AgentPreferences = {
  // Visitors wait for an answer, so nothing is held back unless the agent wants it.
  undoSendSeconds: 0,
  singleKeys: true,
};
