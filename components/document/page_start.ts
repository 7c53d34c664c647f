import { dashboard } from "../../domain/dashboard.ts";
import type { User } from "../../protocol/model.ts";
import { clockOf, themeOf } from "../lib/preferences.ts";
import type { PageStart } from "../live/page_model.ts";

/** How many of the newest conversations the first count looks at; the connection brings the exact one. */
const COUNTED = 100;

/** What a page beside the inbox needs to be drawn on the server. */
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
