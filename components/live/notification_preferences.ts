import { signal } from "@preact/signals";
import type {
  NotificationKind,
  NotificationPreferences,
  NotificationWays,
} from "../../protocol/notifications.ts";
import { type ApiRequest, errorText } from "./api.ts";

export interface PreferenceDeps {
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  fail: (error: unknown) => void;
}

/** Which kinds of notifications the agent wants, and how. */
export function createPreferences({ request, fail }: PreferenceDeps) {
  const preferences = signal<NotificationPreferences | null>(null);
  const preferencesError = signal<string | null>(null);

  return {
    preferences,
    preferencesError,
    async loadPreferences(): Promise<void> {
      try {
        preferences.value = await request("/api/notification-preferences");
        preferencesError.value = null;
      } catch (cause) {
        preferencesError.value = errorText(cause);
      }
    },
    async setWay(kind: NotificationKind, way: keyof NotificationWays, on: boolean) {
      const before = preferences.value;
      if (before === null) return;
      preferences.value = { ...before, [kind]: { ...before[kind], [way]: on } };
      try {
        preferences.value = await request("/api/notification-preferences", {
          method: "PATCH",
          body: { [kind]: { [way]: on } },
        });
      } catch (cause) {
        preferences.value = before;
        fail(cause);
      }
    },
  };
}
