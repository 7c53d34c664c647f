import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";

/**
 * Which website may use a widget. A request without an Origin header does not come from a web page
 * of another site (browsers always send it then), so it passes; the header cannot be forged by a page.
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
 * Whether a web page of this origin may talk to the server at all: an allowed one of any enabled
 * widget, or a setting's. Which widget or agent it may then be, the credentials decide.
 */
export function createOriginPolicy(
  db: Db,
  always: readonly string[],
  { lifeMs = 5_000, now = Date.now }: { lifeMs?: number; now?: () => number } = {},
): (check: OriginCheck) => Promise<boolean> {
  let known: string[] | null = null;
  let until = 0;
  return async (check) => {
    if (originAllowed(check, always)) return true;
    if (known === null || now() >= until) {
      try {
        const rows = await db.selectFrom("widget_configs").select("allowed_origins")
          .where("enabled", "=", true).execute();
        known = [...new Set(rows.flatMap((row) => row.allowed_origins))];
        until = now() + lifeMs;
      } catch (error) {
        // Nobody can change them either while the database is away.
        if (known === null || !isUnavailable(error)) throw error;
      }
    }
    return originAllowed(check, known);
  };
}
