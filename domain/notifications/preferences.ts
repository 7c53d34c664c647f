import type { Db } from "../../db/database.ts";
import {
  DEFAULT_PREFERENCES,
  NOTIFICATION_KINDS,
  type NotificationPreferences,
  type UpdatePreferencesBody,
} from "../../protocol/notifications.ts";

type Kinds = Record<string, Record<string, boolean>>;

function merged(kinds: Kinds): NotificationPreferences {
  const entries = NOTIFICATION_KINDS.map((kind) => {
    return [kind, { ...DEFAULT_PREFERENCES[kind], ...kinds[kind] }];
  });
  return Object.fromEntries(entries) as NotificationPreferences;
}

/** This agent's choices, and the defaults for the rest. */
export async function readPreferences(db: Db, userId: string): Promise<NotificationPreferences> {
  const row = await db.selectFrom("notification_preferences").select("kinds")
    .where("user_id", "=", userId).executeTakeFirst();
  return merged(row?.kinds ?? {});
}

/** Changes what is given and keeps the rest, also when two devices change at once. */
export async function updatePreferences(
  db: Db,
  userId: string,
  changes: UpdatePreferencesBody,
): Promise<NotificationPreferences> {
  return await db.transaction().execute(async (trx) => {
    await trx.insertInto("notification_preferences").values({ user_id: userId })
      .onConflict((oc) => oc.column("user_id").doNothing()).execute();
    const { kinds } = await trx.selectFrom("notification_preferences").select("kinds")
      .where("user_id", "=", userId).forUpdate().executeTakeFirstOrThrow();
    const next: Kinds = { ...kinds };
    for (const [kind, ways] of Object.entries(changes)) {
      const given = Object.entries(ways ?? {}).filter(([, value]) => value !== undefined);
      next[kind] = { ...next[kind], ...Object.fromEntries(given) };
    }
    await trx.updateTable("notification_preferences")
      .set({ kinds: JSON.stringify(next), updated_at: new Date() })
      .where("user_id", "=", userId).execute();
    return merged(next);
  });
}
