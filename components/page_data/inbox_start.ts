import { dashboard } from "../../domain/dashboard.ts";
import type { User } from "../../protocol/model.ts";
import { apiFilter, filterOf } from "../live/list_state.ts";
import { clockOf, contextOpenOf, densityOf, themeOf } from "../storage/preferences.ts";
import type { InboxStart } from "../live/inbox_model.ts";
import type { SeedThread } from "../live/thread_model.ts";

const PAGE = 50;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Everything that the server renders the inbox with, for one agent and one address. */
export async function inboxStart(
  request: Request,
  user: User,
  conversationId: string | null,
): Promise<InboxStart> {
  const services = dashboard();
  const cookies = request.headers.get("cookie");
  const filter = filterOf(new URL(request.url).searchParams);
  const [labels, teams] = await Promise.all([services.labels(), services.teams()]);
  // The address may name a label or a team that was deleted.
  if (!labels.some(({ id }) => id === filter.label)) delete filter.label;
  if (!teams.some(({ id }) => id === filter.team)) delete filter.team;
  const [list, users, seed, unread, unreadNotifications, drafts, preferences, views] = await Promise
    .all([
      services.conversations(user, { ...apiFilter(filter), limit: PAGE }),
      services.users(),
      conversationId === null ? null : seedThread(user, conversationId),
      services.totalUnread(user),
      services.unreadNotifications(user),
      services.drafts(user),
      services.preferences(user),
      services.views(user),
    ]);
  return {
    user,
    users,
    labels,
    teams,
    views,
    labelsTag: await services.etagOf({ items: labels, nextCursor: null }),
    list,
    listTag: await services.etagOf(list),
    filter,
    unread,
    drafts,
    preferences,
    unreadNotifications,
    selected: conversationId === null ? null : { id: conversationId, seed },
    clock: clockOf(request.headers),
    contextOpen: contextOpenOf(cookies),
    density: densityOf(cookies, user.id),
    theme: themeOf(cookies),
  };
}

async function seedThread(user: User, id: string): Promise<SeedThread | null> {
  if (!UUID.test(id)) return null;
  const services = dashboard();
  const [conversation, page] = await Promise.all([
    services.conversation(user, id),
    services.messages(user, id).catch(() => null),
  ]);
  return conversation === null || page === null ? null : { conversation, ...page };
}
