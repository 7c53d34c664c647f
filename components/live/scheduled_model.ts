import { signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import type { ScheduledList, ScheduledMessage } from "../../protocol/scheduled_messages.ts";
import type { ApiRequest } from "./api.ts";

export interface ScheduledDeps {
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
}

/** The replies of the open conversation that are sent later. */
export function createScheduled({ request }: ScheduledDeps) {
  const items = signal<readonly ScheduledMessage[]>([]);
  let followed: string | null = null;

  async function load(): Promise<void> {
    const id = followed;
    if (id === null) return;
    try {
      const path = `/api/conversations/${id}/scheduled-messages`;
      const list = await request<ScheduledList>(path);
      if (id === followed) items.value = list.items;
    } catch {
      // It is read again with the next event, and with the next connection.
    }
  }

  return {
    items,
    /** Switches to a conversation, or reads again what may have been missed. */
    follow(id: string | null) {
      if (id === null) return;
      if (id !== followed) items.value = [];
      followed = id;
      void load();
    },
    async schedule(conversationId: string, content: string, sendAt: string): Promise<void> {
      const path = `/api/conversations/${conversationId}/scheduled-messages`;
      await request<ScheduledMessage>(path, { method: "POST", body: { content, sendAt } });
      await load();
    },
    async sendNow({ id }: ScheduledMessage): Promise<void> {
      await request(`/api/scheduled-messages/${id}/send`, { method: "POST" });
      await load();
    },
    async cancel({ id }: ScheduledMessage): Promise<void> {
      await request(`/api/scheduled-messages/${id}`, { method: "DELETE" });
      await load();
    },
    /** Returns functions that end it. */
    listen(client: ParleyClient): (() => void)[] {
      return [
        client.on("identity", () => void load()),
        client.on("scheduled_changed", ({ conversationId }) => {
          if (conversationId === followed) void load();
        }),
      ];
    },
  };
}
