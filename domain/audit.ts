import type { Db } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";

export interface Deed {
  /** Who did it. */
  actorId: string | null;
  /** What, such as "api_key.created". */
  action: string;
  /** The id of what it was done to. */
  subject: string;
  data?: Record<string, unknown>;
  /** Where the request came from. */
  address: string | null;
}

/** Writes down who did something that others may ask about later; never with a secret in it. */
export async function recordDeed(db: Db, deed: Deed): Promise<void> {
  await db.insertInto("audit_log").values({
    id: uuidv7(),
    actor_id: deed.actorId,
    action: deed.action,
    subject: deed.subject,
    data: JSON.stringify(deed.data ?? {}),
    address: deed.address,
  }).execute();
}
