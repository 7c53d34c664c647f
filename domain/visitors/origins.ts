import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";

/**
 * Which website may use a widget. Browsers always send an Origin header from a page of another site,
 * and a page cannot forge it; so a request without the header is accepted.
 */
export interface OriginCheck {
  /** The Origin header, or null where there is none. */
  origin: string | null;
  /** The origin under which the client reached this server, e.g. "https://chat.example.com". */
  self: string;
}

export function originAllowed(check: OriginCheck, allowed: readonly string[]): boolean {
  if (check.origin === null || check.origin === check.self) return true;
  return allowed.includes("*") || allowed.includes(check.origin);
}

/**
 * Whether a web page of this origin may use the server at all: it is allowed by an enabled widget or
 * by a setting. The credentials then decide as which widget's visitor or which agent.
 */
export function createOriginPolicy(
  db: Db,
  always: readonly string[],
  { lifeMs = 5_000, now = Date.now }: { lifeMs?: number; now?: () => number } = {},
): (check: OriginCheck) => Promise<boolean> {
  let cached: string[] | null = null;
  let until = 0;
  return async (check) => {
    if (originAllowed(check, always)) return true;
    if (cached === null || now() >= until) {
      try {
        const rows = await db.selectFrom("widget_configs").select("allowed_origins")
          .where("enabled", "=", true).execute();
        cached = [...new Set(rows.flatMap((row) => row.allowed_origins))];
        until = now() + lifeMs;
      } catch (error) {
        // While the database is away the origins cannot change either.
        if (cached === null || !isUnavailable(error)) throw error;
      }
    }
    return originAllowed(check, cached);
  };
}
