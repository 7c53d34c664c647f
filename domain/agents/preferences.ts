import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import {
  AgentPreferences,
  DEFAULT_AGENT_PREFERENCES,
  type UpdateAgentPreferencesBody,
} from "../../protocol/agent_preferences.ts";

/** What is stored, and the defaults for the rest. */
function merged(stored: Record<string, unknown>): AgentPreferences {
  const parsed = AgentPreferences.partial().safeParse(stored);
  return { ...DEFAULT_AGENT_PREFERENCES, ...(parsed.success ? parsed.data : {}) };
}

export async function readAgentPreferences(db: Db, userId: string): Promise<AgentPreferences> {
  const row = await db.selectFrom("agent_preferences").select("preferences")
    .where("user_id", "=", userId).executeTakeFirst();
  return merged(row?.preferences ?? {});
}

/** Changes what is given and keeps the rest, also when two devices change at once. */
export async function updateAgentPreferences(
  db: Db,
  userId: string,
  changes: UpdateAgentPreferencesBody,
): Promise<AgentPreferences> {
  const { rows: [row] } = await sql<{ preferences: Record<string, unknown> }>`
    insert into agent_preferences as p (user_id, preferences)
    values (${userId}, ${JSON.stringify(changes)})
    on conflict (user_id) do update
      set preferences = p.preferences || excluded.preferences, updated_at = now()
    returning preferences`.execute(db);
  return merged(row!.preferences);
}
