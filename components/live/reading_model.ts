import type { ReadonlySignal } from "@preact/signals";
import type { ListModel } from "./list_model.ts";
import type { ThreadModel } from "./thread_model.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

/** Which conversations the agent has read. */
export function createReading(
  workspace: Pick<WorkspaceModel, "request" | "fail" | "toasts">,
  { list, thread, selectedId }: {
    list: ListModel;
    thread: ThreadModel;
    selectedId: ReadonlySignal<string | null>;
  },
) {
  /** The open conversation, if it was marked as unread while it was open. */
  let keptUnread: string | null = null;

  return {
    /** Another conversation is opened: what was kept is not any more. */
    opened: () => void (keptUnread = null),

    /** The conversation that is open in a visible tab counts as read. */
    markSeen() {
      const id = selectedId.value;
      const store = thread.store();
      if (id === null || store === null || store.id !== id) return;
      if (document.visibilityState !== "visible") return;
      if (thread.snapshot.value.status !== "ready" || id === keptUnread) return;
      store.markRead();
      if (list.unreadOf(id) === 0) return;
      list.setUnread(id, 0);
      // Of a mark the store knows nothing: it has read to the end already.
      const { pointers, conversation } = thread.snapshot.value;
      const seq = conversation?.lastSeq ?? 0;
      if (pointers.agentReadSeq < seq) return;
      workspace.request(`/api/conversations/${id}/read`, { method: "POST", body: { seq } })
        .catch(() => {});
    },

    /** Until it is opened again. */
    async markUnread(id: string) {
      // Before the request: its event comes first, and the open conversation would be read at once.
      if (id === selectedId.value) keptUnread = id;
      try {
        const body = { ids: [id] };
        await workspace.request("/api/conversations/unread", { method: "POST", body });
      } catch (error) {
        keptUnread = null;
        return workspace.fail(error);
      }
      if (list.unreadOf(id) === 0) list.setUnread(id, 1);
      workspace.toasts.show({ tone: "good", text: "Marked as unread." });
    },

    async markAllRead() {
      try {
        await workspace.request("/api/conversations/read", {
          method: "POST",
          body: { all: true },
        });
      } catch (error) {
        return workspace.fail(error);
      }
      workspace.toasts.show({ tone: "good", text: "Everything is marked as read." });
      await list.reload();
    },
  };
}
