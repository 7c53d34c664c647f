import { dashboard } from "../../domain/dashboard.ts";
import type { User } from "../../protocol/model.ts";
import { clockOf, themeOf } from "../storage/preferences.ts";
import type { PageStart } from "../live/page_model.ts";

/** What the server renders a page beside the inbox with. */
export async function pageStart(request: Request, user: User, title: string): Promise<PageStart> {
  const [unread, unreadNotifications, preferences] = await Promise.all([
    dashboard().totalUnread(user),
    dashboard().unreadNotifications(user),
    dashboard().preferences(user),
  ]);
  return {
    user,
    title,
    unread,
    unreadNotifications,
    preferences,
    clock: clockOf(request.headers),
    theme: themeOf(request.headers.get("cookie")),
  };
}
