import { batch, computed, effect, signal } from "@preact/signals";
import type { Notification as AgentNotification } from "../../protocol/model.ts";
import type {
  NotificationKind,
  NotificationList,
  NotificationPreferences,
  NotificationWays,
} from "../../protocol/notifications.ts";
import type { ParleyClient } from "../../client/mod.ts";
import { type ApiRequest, errorText } from "./api.ts";
import { allowSound, playSound } from "./sound.ts";
import { inOneTab, lookAt, someTabLooksAt } from "./tabs.ts";

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

export type NotificationsModel = ReturnType<typeof createNotificationsModel>;

/** The notifications of every page: live, with the preferences for sound and browser notices. */
export function createNotificationsModel(deps: NotificationDeps) {
  const items = signal<readonly AgentNotification[]>([]);
  const unread = signal(deps.unread);
  const status = signal<"idle" | "loading" | "ready" | "error">("idle");
  const error = signal<string | null>(null);
  const cursor = signal<string | null>(null);
  const loadingMore = signal(false);
  const preferences = signal<NotificationPreferences | null>(null);
  const preferencesError = signal<string | null>(null);
  let host: NotificationHost = {
    shown: () => null,
    open: (id) => location.assign(`/conversations/${id}`),
  };
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

  async function loadPreferences(): Promise<void> {
    try {
      preferences.value = await deps.request("/api/notification-preferences");
      preferencesError.value = null;
    } catch (cause) {
      preferencesError.value = errorText(cause);
    }
  }

  function isShown({ conversationId }: AgentNotification): boolean {
    return conversationId !== null && conversationId === host.shown() &&
      document.visibilityState === "visible";
  }

  function receive(item: AgentNotification, count: number): void {
    const seen = isShown(item);
    const readAt = seen ? new Date().toISOString() : item.readAt;
    batch(() => {
      items.value = [{ ...item, readAt }, ...items.value.filter(({ id }) => id !== item.id)];
      unread.value = seen ? Math.max(0, count - 1) : count;
    });
    if (seen) {
      deps.request(`/api/notifications/${item.id}/read`, { method: "POST" }).catch(() => {});
    } else void alert(item);
  }

  /**
   * Plays the sound and shows the browser's notice, in one tab, unless a tab shows the
   * conversation.
   */
  async function alert(item: AgentNotification): Promise<void> {
    deps.announce(item.title);
    const { conversationId, kind, id, data } = item;
    if (conversationId !== null && await someTabLooksAt(conversationId)) return;
    const ways = preferences.value?.[kind as NotificationKind];
    if (ways === undefined) return;
    await inOneTab(`${id}_${data["count"] ?? 1}`, () => {
      if (ways.sound) playSound();
      if (ways.browser) notice(item);
    });
  }

  function notice(item: AgentNotification): void {
    if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
    // The page is in the foreground: the bell is enough.
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    const { id, title, body, conversationId } = item;
    try {
      const shown = new Notification(title, { body, tag: conversationId ?? id, silent: true });
      shown.onclick = () => {
        globalThis.focus();
        shown.close();
        open(item);
      };
    } catch {
      // Phones support notices of service workers only.
    }
  }

  /** Shows as read at once; a failure restores the list. */
  async function change(ids: (item: AgentNotification) => boolean, path: string): Promise<void> {
    const before = { items: items.value, unread: unread.value };
    const readAt = new Date().toISOString();
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
    if (item.conversationId !== null) host.open(item.conversationId);
  }

  const markRead = (id: string) =>
    change((item) => item.id === id, `/api/notifications/${id}/read`);
  async function markAllRead(): Promise<void> {
    await change(() => true, "/api/notifications/read");
  }

  async function setWay(kind: NotificationKind, way: keyof NotificationWays, on: boolean) {
    const before = preferences.value;
    if (before === null) return;
    preferences.value = { ...before, [kind]: { ...before[kind], [way]: on } };
    try {
      preferences.value = await deps.request("/api/notification-preferences", {
        method: "PATCH",
        body: { [kind]: { [way]: on } },
      });
    } catch (cause) {
      preferences.value = before;
      deps.fail(cause);
    }
  }

  function listen(client: ParleyClient): (() => void)[] {
    return [
      // Notifications are not replayed: those of an absence have to be requested.
      client.on("identity", () => {
        void reload();
        void loadPreferences();
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
        preferences.value = data.preferences;
      }),
      allowSound(),
      followLooking(),
    ];
  }

  /** Other tabs show no notice of the conversation that this tab shows. */
  function followLooking(): () => void {
    let at: string | null = null;
    let release = () => {};
    const follow = () => {
      const now = document.visibilityState === "visible" ? host.shown() : null;
      if (now === at) return;
      release();
      at = now;
      release = now === null ? () => {} : lookAt(now);
    };
    document.addEventListener("visibilitychange", follow);
    const stop = effect(follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      stop();
      release();
    };
  }

  return {
    items,
    unread,
    status,
    error,
    hasMore: computed(() => cursor.value !== null),
    loadingMore,
    preferences,
    preferencesError,
    reload,
    loadMore,
    loadPreferences,
    markRead,
    markAllRead,
    open,
    setWay,
    listen,
    /** Call it before `listen`. */
    attachTo: (own: NotificationHost) => void (host = own),
  };
}
