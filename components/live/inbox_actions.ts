import type { Contact, Conversation, User } from "../../protocol/model.ts";
import type { UpdateContactBody, UpdateConversationBody } from "../../protocol/rest.ts";
import type { z } from "zod";
import type { ListModel } from "./list_model.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

/** The confirmation of a status change. */
const DONE: Record<Conversation["status"], string> = {
  open: "Conversation reopened.",
  pending: "Conversation marked as pending.",
  snoozed: "Conversation snoozed.",
  resolved: "Conversation resolved.",
};

export type Patch = <T>(path: string, body: unknown) => Promise<T>;

/** The actions on a conversation. Each shows at once, and is undone when the server refuses. */
export function createActions(
  list: ListModel,
  { toasts, fail }: Pick<WorkspaceModel, "toasts" | "fail">,
  patch: Patch,
) {
  async function update(
    id: string,
    body: UpdateConversationBody,
    expected: Partial<Conversation>,
  ): Promise<boolean> {
    const before = list.rows.value.get(id)?.conversation;
    list.patch(id, expected);
    try {
      list.merge(await patch<Conversation>(`/api/conversations/${id}`, body));
      return true;
    } catch (error) {
      if (before !== undefined) {
        list.patch(id, { status: before.status, assignee: before.assignee });
      }
      fail(error);
      return false;
    }
  }

  async function setStatus(id: string, status: Conversation["status"]) {
    const before = list.rows.value.get(id)?.conversation.status ?? "open";
    if (!await update(id, { status }, { status })) return;
    toasts.show({
      tone: "good",
      text: DONE[status],
      action: status === "open" || status === before ? undefined : {
        label: "Undo",
        run: () => update(id, { status: before }, { status: before }),
      },
    });
  }

  function assign(id: string, to: User | null) {
    const assignee = to === null ? null : { userId: to.id, userName: to.name };
    return update(id, { assigneeId: to?.id ?? null }, { assignee });
  }

  /** Throws an ApiError, which the form shows. */
  async function editContact(id: string, body: z.infer<typeof UpdateContactBody>) {
    const contact = await patch<Contact>(`/api/contacts/${id}`, body);
    for (const { conversation } of list.rows.value.values()) {
      if (conversation.contact.id === contact.id) list.patch(conversation.id, { contact });
    }
  }

  return { setStatus, assign, editContact };
}
