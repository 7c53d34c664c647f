import { batch, computed, signal } from "@preact/signals";
import type { Notification as AgentNotification } from "../../protocol/model.ts";
import type { NotificationList } from "../../protocol/notifications.ts";
import type { ParleyClient } from "../../client/mod.ts";
import { type ApiRequest, errorText } from "./api.ts";
import { createAlerts } from "./notification_alerts.ts";
import { createPreferences } from "./notification_preferences.ts";
import { navigate } from "./page_navigation.ts";
import { serverNow } from "./server_time.ts";
import { allowSound } from "./sound.ts";

const PAGE = 20;

export interface NotificationDeps {
  unread: number;
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  /** Announces it to screen readers. */
  announce: (text: string) => void;
  fail: (error: unknown) => void;
}

/** What the page provides: the inbox opens conversations without loading a page. */
export interface NotificationHost {
  /** The open conversation, read from a signal; null: none. */
  shown: () => string | null;
  open: (conversationId: string) => void;
}

/** Where it leads; null: nowhere. A group of several conversations leads to the list of them. */
export function hrefOf({ kind, conversationId, data }: AgentNotification): string | null {
  const grouped = Object.keys(data["conversations"] ?? {});
  const id = conversationId ?? (grouped.length === 1 ? grouped[0] : undefined);
  if (id !== undefined) return `/conversations/${id}`;
  if (grouped.length === 0) return null;
  return kind === "assigned" ? "/?view=mine" : "/";
}

/** How many events it stands for. */
const countOf = ({ data }: AgentNotification) => Number(data["count"] ?? 1);

export type NotificationsModel = ReturnType<typeof createNotificationsModel>;

/** The notifications of every page: live, with the preferences for sound and browser notices. */
export function createNotificationsModel(deps: NotificationDeps) {
  const items = signal<readonly AgentNotification[]>([]);
  const unread = signal(deps.unread);
  const status = signal<"idle" | "loading" | "ready" | "error">("idle");
  const error = signal<string | null>(null);
  const cursor = signal<string | null>(null);
  const loadingMore = signal(false);
  const preferences = createPreferences(deps);
  const elsewhere: NotificationHost = {
    shown: () => null,
    open: (id) => navigate(`/conversations/${id}`),
  };
  /** A signal, because pages change without a full load. */
  const host = signal(elsewhere);
  let run = 0;

  async function reload(): Promise<void> {
    const mine = ++run;
    if (status.value !== "ready") status.value = "loading";
    try {
      const page = await deps.request<NotificationList>(`/api/notifications?limit=${PAGE}`);
      if (mine !== run) return;
      batch(() => {
        items.value = page.items;
        unread.value = page.unread;
        cursor.value = page.nextCursor;
        status.value = "ready";
        error.value = null;
      });
    } catch (cause) {
      if (mine !== run) return;
      error.value = errorText(cause);
      // The loaded notifications stay.
      if (status.value === "loading") status.value = "error";
    }
  }

  async function loadMore(): Promise<void> {
    const after = cursor.value;
    if (after === null || loadingMore.value) return;
    const mine = run;
    loadingMore.value = true;
    try {
      const query = new URLSearchParams({ limit: String(PAGE), cursor: after });
      const page = await deps.request<NotificationList>(`/api/notifications?${query}`);
      if (mine !== run) return;
      const known = new Set(items.value.map(({ id }) => id));
      items.value = [...items.value, ...page.items.filter(({ id }) => !known.has(id))];
      cursor.value = page.nextCursor;
    } catch (cause) {
      deps.fail(cause);
    } finally {
      loadingMore.value = false;
    }
  }

  function isShown({ conversationId }: AgentNotification): boolean {
    return conversationId !== null && conversationId === host.value.shown() &&
      document.visibilityState === "visible";
  }

  function receive(item: AgentNotification, count: number): void {
    const known = items.value.find(({ id }) => id === item.id);
    if (known?.readAt === null && countOf(item) < countOf(known)) {
      // A group that has become smaller is no news.
      batch(() => {
        items.value = items.value.map((one) => one === known ? item : one);
        unread.value = count;
      });
      return;
    }
    const seen = isShown(item);
    const readAt = seen ? new Date(serverNow()).toISOString() : item.readAt;
    batch(() => {
      items.value = [{ ...item, readAt }, ...items.value.filter(({ id }) => id !== item.id)];
      unread.value = seen ? Math.max(0, count - 1) : count;
    });
    if (seen) {
      deps.request(`/api/notifications/${item.id}/read`, { method: "POST" }).catch(() => {});
    } else void alerts.alert(item);
  }

  /** Shows as read at once; a failure restores the list. */
  async function change(ids: (item: AgentNotification) => boolean, path: string): Promise<void> {
    const before = { items: items.value, unread: unread.value };
    const readAt = new Date(serverNow()).toISOString();
    const changed = before.items.filter((item) => item.readAt === null && ids(item)).length;
    batch(() => {
      items.value = before.items.map((item) =>
        item.readAt === null && ids(item) ? { ...item, readAt } : item
      );
      unread.value = Math.max(0, before.unread - changed);
    });
    try {
      await deps.request(path, { method: "POST" });
    } catch (cause) {
      deps.fail(cause);
      await reload();
    }
  }

  function open(item: AgentNotification): void {
    if (item.readAt === null) void markRead(item.id);
    const href = hrefOf(item);
    if (item.conversationId !== null) host.value.open(item.conversationId);
    else if (href !== null) navigate(href);
  }

  const markRead = (id: string) =>
    change((item) => item.id === id, `/api/notifications/${id}/read`);
  async function markAllRead(): Promise<void> {
    await change(() => true, "/api/notifications/read");
  }

  const alerts = createAlerts({
    preferences: preferences.preferences,
    announce: deps.announce,
    shown: () => host.value.shown(),
    open,
  });

  function listen(client: ParleyClient): (() => void)[] {
    return [
      // Notifications are not replayed: those of an absence have to be requested.
      client.on("identity", () => {
        void reload();
        void preferences.loadPreferences();
      }),
      client.on("notification", ({ notification, unread }) => receive(notification, unread)),
      client.on("notifications_read", ({ ids, readAt, unread: left }) => {
        batch(() => {
          items.value = items.value.map((item) =>
            item.readAt === null && (ids === null || ids.includes(item.id))
              ? { ...item, readAt }
              : item
          );
          unread.value = left;
        });
      }),
      client.on("notification_preferences", (data) => {
        preferences.preferences.value = data.preferences;
      }),
      allowSound(),
      alerts.begin(),
    ];
  }

  return {
    ...preferences,
    items,
    unread,
    status,
    error,
    hasMore: computed(() => cursor.value !== null),
    loadingMore,
    reload,
    loadMore,
    markRead,
    markAllRead,
    open,
    listen,
    /** The page that is shown; null: one that shows no conversations. */
    attachTo: (own: NotificationHost | null) => void (host.value = own ?? elsewhere),
  };
}
