import { dashboard } from "../../domain/dashboard.ts";
import type { User } from "../../protocol/model.ts";
import { clockOf, themeOf } from "../storage/preferences.ts";
import type { PageStart } from "../live/page_model.ts";

/**
 * How many of the newest conversations the first count includes; the connection brings the exact
 * one.
 */
const COUNTED = 100;

/** What the server renders a page beside the inbox with. */
export async function pageStart(request: Request, user: User, title: string): Promise<PageStart> {
  const [{ items }, unreadNotifications] = await Promise.all([
    dashboard().conversations(user, { limit: COUNTED }),
    dashboard().unreadNotifications(user),
  ]);
  const unread = items.reduce(
    (sum, one) => one.status === "resolved" ? sum : sum + (one.unread ?? 0),
    0,
  );
  return {
    user,
    title,
    unread,
    unreadNotifications,
    clock: clockOf(request.headers),
    theme: themeOf(request.headers.get("cookie")),
  };
}
