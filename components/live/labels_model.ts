import { signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import { Tables } from "../../client/tables.ts";
import type { LabelList } from "../../protocol/labels.ts";
import type { Conversation, Label } from "../../protocol/model.ts";
import { idsOf, labelsFrom, nextColor } from "./labels.ts";
import type { ApiError, ApiRequest } from "./api.ts";

export interface LabelDeps {
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  /** Takes a conversation from an answer of the server. */
  merge: (conversation: Conversation) => void;
  /** A label was deleted. */
  removed: (id: string) => void;
  fail: (error: unknown) => void;
}

export type LabelsModel = ReturnType<typeof createLabels>;

/**
 * All labels, kept in step with the database, and the labels of conversations. A change of an agent
 * shows at once, and is undone when the server refuses.
 */
export function createLabels(first: readonly Label[], firstTag: string, deps: LabelDeps) {
  /** The ETag of what `all` was read from; null once that has changed. */
  let tag: string | null = firstTag;
  const all = signal<readonly Label[]>(first);
  /**
   * Labels to add (true) and to remove, by conversation and label, that the server does not have
   * yet.
   */
  const wishes = signal<ReadonlyMap<string, ReadonlyMap<string, boolean>>>(new Map());
  const sending = new Set<string>();
  /** Whether the menu that adds labels is open. */
  const menuOpen = signal(false);

  function put(label: Label) {
    const known = all.value.find(({ id }) => id === label.id);
    // An answer may be older than an event.
    if (known !== undefined && known.updatedAt > label.updatedAt) return;
    tag = null;
    all.value = [...all.value.filter(({ id }) => id !== label.id), label];
  }

  function remove(id: string) {
    tag = null;
    all.value = all.value.filter((label) => label.id !== id);
    deps.removed(id);
  }

  async function reload(): Promise<void> {
    const ifNoneMatch = tag ?? undefined;
    const answer = await deps.request<LabelList | undefined>("/api/labels", { ifNoneMatch });
    if (answer === undefined) return;
    tag = null;
    const { items } = answer;
    const gone = all.value.filter(({ id }) => !items.some((label) => label.id === id));
    all.value = items;
    for (const { id } of gone) deps.removed(id);
  }

  /** Returns a function that ends it. */
  function follow(client: ParleyClient): () => void {
    const read = () => void reload().catch(() => {});
    const subscription = new Tables(client).subscribeToTable(
      "labels",
      ({ event, data }) => {
        if (event === "DELETE") remove(String(data["id"]));
        else put(toLabel(data));
      },
      undefined,
      undefined,
      { onGap: read },
    );
    // Changes between the rendering of the page and this moment.
    subscription.ready.then(read, () => {});
    return () => subscription.unsubscribe();
  }

  /** @param labels the changes that are left; null: none */
  function wish(id: string, labels: ReadonlyMap<string, boolean> | null) {
    const next = new Map(wishes.value);
    if (labels === null) next.delete(id);
    else next.set(id, labels);
    wishes.value = next;
  }

  function idsFor({ id, labels }: Conversation): string[] {
    const wished = wishes.value.get(id) ?? new Map<string, boolean>();
    const comes = [...wished].flatMap(([label, has]) => has ? [label] : []);
    return [...idsOf(labels).filter((label) => !wished.has(label)), ...comes];
  }

  /** One request after the other, so that the last change arrives last. */
  async function send(id: string): Promise<void> {
    if (sending.has(id)) return;
    sending.add(id);
    for (let wished = wishes.value.get(id); wished; wished = wishes.value.get(id)) {
      // Only the changes of this agent: a colleague may change other labels at the same moment.
      const named = (has: boolean) =>
        [...wished!].flatMap(([label, is]) => is === has ? label : []);
      const body = { addLabels: named(true), removeLabels: named(false) };
      try {
        deps.merge(await deps.request(`/api/conversations/${id}`, { method: "PATCH", body }));
        if (wishes.value.get(id) === wished) wish(id, null);
      } catch (error) {
        wish(id, null);
        deps.fail(error);
      }
    }
    sending.delete(id);
  }

  function toggle(conversation: Conversation, labelId: string) {
    const wished = new Map(wishes.value.get(conversation.id));
    wished.set(labelId, !idsFor(conversation).includes(labelId));
    wish(conversation.id, wished);
    return send(conversation.id);
  }

  /** Makes a label with this name, or returns the one that somebody else has just made. */
  async function create(name: string): Promise<Label | null> {
    try {
      const body = { name, color: nextColor(all.value) };
      const label = await deps.request<Label>("/api/labels", { method: "POST", body });
      put(label);
      return label;
    } catch (error) {
      if ((error as ApiError).code === "conflict") await reload().catch(() => {});
      const same = name.toLowerCase();
      const theirs = all.value.find((label) => label.name.toLowerCase() === same);
      if (theirs === undefined) deps.fail(error);
      return theirs ?? null;
    }
  }

  return {
    all,
    menuOpen,
    follow,
    toggle,
    create,
    /** The labels of a conversation, by name. */
    of: (conversation: Conversation) => labelsFrom(all.value, idsFor(conversation)),
  };
}

/** Converts a row of the table to the API's form. */
function toLabel(row: Record<string, unknown>): Label {
  const { id, name, color, description, created_at, updated_at } = row;
  return { id, name, color, description, createdAt: created_at, updatedAt: updated_at } as Label;
}
