import { effect, type Signal } from "@preact/signals";
import type { Notification as AgentNotification } from "../../protocol/model.ts";
import type { NotificationKind, NotificationPreferences } from "../../protocol/notifications.ts";
import { playSound } from "./sound.ts";
import { inOneTab, lookAt, someTabLooksAt } from "./tabs.ts";

export interface AlertDeps {
  preferences: Signal<NotificationPreferences | null>;
  /** Announces it to screen readers. */
  announce: (text: string) => void;
  /** The open conversation, read from a signal; null: none. */
  shown: () => string | null;
  open: (item: AgentNotification) => void;
}

/** Sounds and browser notices, in one of the tabs, and not for what a tab shows. */
export function createAlerts({ preferences, announce, shown, open }: AlertDeps) {
  function notice(item: AgentNotification): void {
    if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
    // The page is in the foreground: the bell is enough.
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    const { id, title, body, conversationId } = item;
    try {
      const visible = new Notification(title, { body, tag: conversationId ?? id, silent: true });
      visible.onclick = () => {
        globalThis.focus();
        visible.close();
        open(item);
      };
    } catch {
      // Phones support notices of service workers only.
    }
  }

  /** The count of each group at its last alert: the next is when there are twice as many. */
  const alerted = new Map<string, number>();

  function isQuiet({ id, data }: AgentNotification): boolean {
    if (data["conversations"] === undefined) return false;
    const count = Number(data["count"]);
    if (count < 2 * (alerted.get(id) ?? 0)) return true;
    alerted.set(id, count);
    return false;
  }

  return {
    async alert(item: AgentNotification): Promise<void> {
      if (isQuiet(item)) return;
      announce(item.title);
      const { conversationId, kind, id, data } = item;
      if (conversationId !== null && await someTabLooksAt(conversationId)) return;
      const ways = preferences.value?.[kind as NotificationKind];
      if (ways === undefined) return;
      await inOneTab(`${id}_${data["count"] ?? 1}`, () => {
        if (ways.sound) playSound();
        if (ways.browser) notice(item);
      });
    },

    /** Tells other tabs which conversation this tab shows, until the returned function is called. */
    begin(): () => void {
      let at: string | null = null;
      let release = () => {};
      const follow = () => {
        const now = document.visibilityState === "visible" ? shown() : null;
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
    },
  };
}
