import { batch, computed, effect, signal } from "@preact/signals";
import type { Notification as Told } from "../../protocol/model.ts";
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
  /** Says it to who listens instead of looking. */
  announce: (text: string) => void;
  fail: (error: unknown) => void;
}

/** What the page around knows: the inbox opens conversations without loading a page. */
export interface NotificationPlace {
  /** The conversation that is open, read from a signal; null: none. */
  shown: () => string | null;
  open: (conversationId: string) => void;
}

export type NotificationsModel = ReturnType<typeof createNotificationsModel>;

/** The bell of every page: what this agent is told, live, and how. */
export function createNotificationsModel(deps: NotificationDeps) {
  const items = signal<readonly Told[]>([]);
  const unread = signal(deps.unread);
  const status = signal<"idle" | "loading" | "ready" | "error">("idle");
  const error = signal<string | null>(null);
  const cursor = signal<string | null>(null);
  const loadingMore = signal(false);
  const preferences = signal<NotificationPreferences | null>(null);
  const preferencesError = signal<string | null>(null);
  let place: NotificationPlace = {
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
      // What is there stays there.
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

  function isShown({ conversationId }: Told): boolean {
    return conversationId !== null && conversationId === place.shown() &&
      document.visibilityState === "visible";
  }

  function receive(told: Told, count: number): void {
    const seen = isShown(told);
    const readAt = seen ? new Date().toISOString() : told.readAt;
    batch(() => {
      items.value = [{ ...told, readAt }, ...items.value.filter(({ id }) => id !== told.id)];
      unread.value = seen ? Math.max(0, count - 1) : count;
    });
    if (seen) {
      deps.request(`/api/notifications/${told.id}/read`, { method: "POST" }).catch(() => {});
    } else void alert(told);
  }

  /** Sound and the browser's own notice, in one tab, and not for what another tab shows. */
  async function alert(told: Told): Promise<void> {
    deps.announce(told.title);
    const { conversationId, kind, id, data } = told;
    if (conversationId !== null && await someTabLooksAt(conversationId)) return;
    const ways = preferences.value?.[kind as NotificationKind];
    if (ways === undefined) return;
    await inOneTab(`${id}_${data["count"] ?? 1}`, () => {
      if (ways.sound) playSound();
      if (ways.browser) notice(told);
    });
  }

  function notice(told: Told): void {
    if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
    // Who has the page before them sees the bell.
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    const { id, title, body, conversationId } = told;
    try {
      const shown = new Notification(title, { body, tag: conversationId ?? id, silent: true });
      shown.onclick = () => {
        globalThis.focus();
        shown.close();
        open(told);
      };
    } catch {
      // Phones have notices of service workers only.
    }
  }

  /** Drawn as read at once; what fails is taken back. */
  async function change(ids: (told: Told) => boolean, path: string): Promise<void> {
    const before = { items: items.value, unread: unread.value };
    const readAt = new Date().toISOString();
    const changed = before.items.filter((told) => told.readAt === null && ids(told)).length;
    batch(() => {
      items.value = before.items.map((told) =>
        told.readAt === null && ids(told) ? { ...told, readAt } : told
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

  function open(told: Told): void {
    if (told.readAt === null) void markRead(told.id);
    if (told.conversationId !== null) place.open(told.conversationId);
  }

  const markRead = (id: string) =>
    change((told) => told.id === id, `/api/notifications/${id}/read`);
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
      // Nothing of it is replayed: what was told while we were away is asked for.
      client.on("identity", () => {
        void reload();
        void loadPreferences();
      }),
      client.on("notification", ({ notification, unread }) => receive(notification, unread)),
      client.on("notifications_read", ({ ids, readAt, unread: left }) => {
        batch(() => {
          items.value = items.value.map((told) =>
            told.readAt === null && (ids === null || ids.includes(told.id))
              ? { ...told, readAt }
              : told
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

  /** Other tabs keep quiet about what this one shows. */
  function followLooking(): () => void {
    let at: string | null = null;
    let release = () => {};
    const follow = () => {
      const now = document.visibilityState === "visible" ? place.shown() : null;
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
    /** Says what the page shows, before it comes alive. */
    settle: (own: NotificationPlace) => void (place = own),
  };
}
