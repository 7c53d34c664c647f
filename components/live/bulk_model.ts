import type { Team } from "../../protocol/teams.ts";
import type { BulkAnswer, UpdateConversationBody } from "../../protocol/conversation_changes.ts";
import { computed, signal } from "@preact/signals";
import type { Conversation } from "../../protocol/model.ts";
import { MAX_BULK } from "./limits.ts";
import type { ListModel } from "./list_model.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

export type BulkModel = ReturnType<typeof createBulk>;

/** The selected rows of the list, and what is done with all of them. */
export function createBulk(
  list: ListModel,
  { request, toasts, fail, announcement }: Pick<
    WorkspaceModel,
    "request" | "toasts" | "fail" | "announcement"
  >,
) {
  const chosen = signal<ReadonlySet<string>>(new Set());
  const busy = signal(false);
  /** Where a range begins. */
  let anchor: string | null = null;

  /** In the order of the list; what left the list is not selected any more. */
  const selected = computed<Conversation[]>(() =>
    list.visible.value.flatMap(({ conversation }) =>
      chosen.value.has(conversation.id) ? [conversation] : []
    )
  );

  function choose(ids: Iterable<string>) {
    chosen.value = new Set(ids);
    const count = selected.value.length;
    announcement.value = count === 0 ? "Nothing selected" : `${count} selected`;
  }

  function toggle(id: string) {
    const next = new Set(chosen.value);
    if (!next.delete(id)) next.add(id);
    anchor = id;
    choose(next);
  }

  /** Selects everything from the last toggled row to this one. */
  function extend(id: string) {
    const ids = list.visible.value.map(({ conversation }) => conversation.id);
    const from = ids.indexOf(anchor ?? id), to = ids.indexOf(id);
    if (from === -1) return toggle(id);
    choose([...chosen.value, ...ids.slice(Math.min(from, to), Math.max(from, to) + 1)]);
  }

  const clear = () => choose([]);

  /** Requests of at most `MAX_BULK` conversations, one after the other. */
  async function send(ids: string[], change: UpdateConversationBody): Promise<BulkAnswer> {
    const all: BulkAnswer = { changed: [], failed: [] };
    for (let at = 0; at < ids.length; at += MAX_BULK) {
      const body = { ids: ids.slice(at, at + MAX_BULK), change };
      const answer = await request<BulkAnswer>("/api/conversations/bulk", { method: "POST", body });
      all.changed.push(...answer.changed);
      all.failed.push(...answer.failed);
    }
    return all;
  }

  function report({ failed }: BulkAnswer, of: number) {
    if (failed.length === 0) return;
    const [first] = failed;
    const text = `${failed.length} of ${of} could not be changed. ${first!.detail}`;
    toasts.show({ tone: "bad", text });
  }

  /** Those with the same change are one request; null: none. */
  async function sendEach(
    some: Conversation[],
    changeOf: (one: Conversation) => UpdateConversationBody | null,
  ): Promise<BulkAnswer> {
    const all: BulkAnswer = { changed: [], failed: [] };
    for (const [change, group] of Map.groupBy(some, (one) => JSON.stringify(changeOf(one)))) {
      if (change === "null") continue;
      const answer = await send(group.map(({ id }) => id), JSON.parse(change));
      all.changed.push(...answer.changed);
      all.failed.push(...answer.failed);
    }
    return all;
  }

  /**
   * Changes all selected conversations, and offers to undo it.
   *
   * @param done such as "resolved"
   * @param undo the change back for one of them; null: it has not changed
   */
  async function apply(
    change: UpdateConversationBody | ((one: Conversation) => UpdateConversationBody),
    done: string,
    undo: (before: Conversation) => UpdateConversationBody | null,
  ): Promise<void> {
    const before = selected.value;
    if (before.length === 0 || busy.value) return;
    busy.value = true;
    try {
      const answer = await sendEach(before, typeof change === "function" ? change : () => change);
      report(answer, before.length);
      const changed = new Set(answer.changed);
      clear();
      if (changed.size === 0) return;
      toasts.show({
        tone: "good",
        text: `${words(changed.size)} ${done}.`,
        action: {
          label: "Undo",
          run: () => void takeBack(before.filter(({ id }) => changed.has(id)), undo),
        },
      });
    } catch (error) {
      fail(error);
    } finally {
      busy.value = false;
    }
  }

  async function takeBack(
    before: Conversation[],
    undo: (before: Conversation) => UpdateConversationBody | null,
  ): Promise<void> {
    try {
      report(await sendEach(before, undo), before.length);
    } catch (error) {
      fail(error);
    }
  }

  async function mark(as: "read" | "unread"): Promise<void> {
    const ids = selected.value.map(({ id }) => id);
    if (ids.length === 0 || busy.value) return;
    busy.value = true;
    try {
      for (let at = 0; at < ids.length; at += MAX_BULK) {
        const body = { ids: ids.slice(at, at + MAX_BULK) };
        await request(`/api/conversations/${as}`, { method: "POST", body });
      }
      for (const id of ids) {
        if (as === "read") list.setUnread(id, 0);
        else if (list.unreadOf(id) === 0) list.setUnread(id, 1);
      }
      clear();
      toasts.show({ tone: "good", text: `${words(ids.length)} marked as ${as}.` });
    } catch (error) {
      fail(error);
    } finally {
      busy.value = false;
    }
  }

  return {
    chosen,
    selected,
    busy,
    toggle,
    extend,
    clear,
    all: () => choose(list.visible.value.map(({ conversation }) => conversation.id)),
    resolve: () => apply({ status: "resolved" }, "resolved", statusBefore),
    snooze: (until: Date | null) =>
      apply(
        { status: "snoozed", snoozedUntil: until?.toISOString() ?? null },
        "snoozed",
        statusBefore,
      ),
    assign: (to: { id: string; name: string } | null) =>
      apply(
        { assigneeId: to?.id ?? null },
        to === null ? "unassigned" : `assigned to ${to.name}`,
        ({ assignee }) =>
          assignee?.userId === to?.id ? null : { assigneeId: assignee?.userId ?? null },
      ),
    /** Those of agents who are no members are nobody's then. */
    giveToTeam: ({ id: teamId, name, memberIds }: Team) => {
      const stays = ({ assignee }: Conversation) =>
        assignee === null || memberIds.includes(assignee.userId);
      return apply(
        (one) => stays(one) ? { teamId } : { teamId, assigneeId: null },
        `given to ${name}`,
        (one) => ({
          teamId: one.teamId ?? null,
          ...(stays(one) ? {} : { assigneeId: one.assignee?.userId ?? null }),
        }),
      );
    },
    label: ({ id, name }: { id: string; name: string }, has: boolean) =>
      apply(
        has ? { removeLabels: [id] } : { addLabels: [id] },
        has ? `without “${name}”` : `labelled “${name}”`,
        ({ labels = [] }) =>
          labels.some((label) => label.id === id) === has
            ? has ? { addLabels: [id] } : { removeLabels: [id] }
            : null,
      ),
    mark,
  };
}

function words(count: number): string {
  return count === 1 ? "1 conversation" : `${count} conversations`;
}

function statusBefore({ status, snoozedUntil }: Conversation): UpdateConversationBody {
  if (status !== "snoozed") return { status };
  // Its end may be over by the time of the undo.
  const isLater = snoozedUntil && Date.parse(snoozedUntil) > Date.now();
  return { status, snoozedUntil: isLater ? snoozedUntil : null };
}
