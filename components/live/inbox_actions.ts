import type { UpdateConversationBody } from "../../protocol/conversation_changes.ts";
import type { Contact, Conversation, Priority, User } from "../../protocol/model.ts";
import type { UpdateContactBody } from "../../protocol/rest.ts";
import type { z } from "zod";
import type { ListModel } from "./list_model.ts";
import type { Team } from "../../protocol/teams.ts";
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
  navigation: {
    /** Leaves a conversation that is dealt with for the next one in the list. */
    openNext: (id: string) => void;
    select: (id: string) => void;
  },
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
        const { status, snoozedUntil, assignee, priority, teamId } = before;
        list.patch(id, { status, snoozedUntil, assignee, priority, teamId });
      }
      fail(error);
      return false;
    }
  }

  /** Shows what was done, and offers to undo it. */
  function confirm(id: string, text: string, before: Conversation | undefined) {
    if (before === undefined) return;
    const { status, snoozedUntil } = before;
    // The end may be over by the time of the undo.
    const until = snoozedUntil && Date.parse(snoozedUntil) > Date.now() ? snoozedUntil : null;
    toasts.show({
      tone: "good",
      text,
      action: {
        label: "Undo",
        run() {
          void update(
            id,
            status === "snoozed" ? { status, snoozedUntil: until } : { status },
            { status, snoozedUntil },
          );
          navigation.select(id);
        },
      },
    });
  }

  async function setStatus(id: string, status: Conversation["status"]) {
    const before = list.rows.value.get(id)?.conversation;
    if (status === "resolved") navigation.openNext(id);
    if (!await update(id, { status }, { status, snoozedUntil: undefined })) return;
    if (status === "open") toasts.show({ tone: "good", text: DONE.open });
    else confirm(id, DONE[status], before);
  }

  /** @param until null: until the next reply */
  async function snooze(id: string, until: Date | null) {
    const before = list.rows.value.get(id)?.conversation;
    const snoozedUntil = until?.toISOString() ?? null;
    navigation.openNext(id);
    const change = { status: "snoozed", snoozedUntil } as const;
    if (await update(id, change, change)) confirm(id, DONE.snoozed, before);
  }

  function assign(id: string, to: User | null) {
    const before = list.rows.value.get(id)?.conversation.assignee ?? null;
    const give = (assignee: Conversation["assignee"]) =>
      update(id, { assigneeId: assignee?.userId ?? null }, { assignee });
    return undoable(
      () => give(to === null ? null : { userId: to.id, userName: to.name }),
      to === null ? "Conversation unassigned." : `Assigned to ${to.name}.`,
      () => give(before),
    );
  }

  /** Gives it to a team, and takes it from an agent who is not a member. */
  function giveToTeam(id: string, team: Team | null) {
    const { teamId: before, assignee = null } = list.rows.value.get(id)?.conversation ?? {};
    const leaves = team !== null && assignee !== null && !team.memberIds.includes(assignee.userId);
    const give = (teamId: string | undefined, to: Conversation["assignee"]) =>
      update(
        id,
        { teamId: teamId ?? null, ...(leaves ? { assigneeId: to?.userId ?? null } : {}) },
        { teamId, ...(leaves ? { assignee: to } : {}) },
      );
    return undoable(
      () => give(team?.id, null),
      team === null ? "No team any more." : `Given to ${team.name}.`,
      () => give(before, assignee),
    );
  }

  function setPriority(id: string, priority: Priority) {
    const before = list.rows.value.get(id)?.conversation.priority ?? "none";
    const set = (to: Priority) =>
      update(id, { priority: to }, { priority: to === "none" ? undefined : to });
    return undoable(() => set(priority), `Priority: ${priority}.`, () => set(before));
  }

  async function undoable(
    act: () => Promise<boolean>,
    text: string,
    undo: () => Promise<boolean>,
  ): Promise<boolean> {
    const done = await act();
    if (done) {
      toasts.show({ tone: "good", text, action: { label: "Undo", run: () => void undo() } });
    }
    return done;
  }

  /** Throws an ApiError, which the form shows. */
  async function editContact(id: string, body: z.infer<typeof UpdateContactBody>) {
    const contact = await patch<Contact>(`/api/contacts/${id}`, body);
    for (const { conversation } of list.rows.value.values()) {
      if (conversation.contact.id === contact.id) list.patch(conversation.id, { contact });
    }
  }

  return { setStatus, snooze, assign, giveToTeam, setPriority, editContact };
}
