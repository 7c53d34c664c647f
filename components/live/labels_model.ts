import { signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import { Tables } from "../../client/tables.ts";
import type { LabelList } from "../../protocol/labels.ts";
import type { Conversation, Label } from "../../protocol/model.ts";
import { idsOf, labelsFrom, nextColor } from "../lib/labels.ts";
import type { ApiError, ApiRequest } from "./api.ts";

export interface LabelDeps {
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  /** Takes a conversation as the server answered it. */
  merge: (conversation: Conversation) => void;
  /** A label is gone. */
  removed: (id: string) => void;
  fail: (error: unknown) => void;
}

export type LabelsModel = ReturnType<typeof createLabels>;

/**
 * All labels, kept as they are in the database, and what conversations are labelled with. What an
 * agent wishes for shows at once, and goes again when the server refuses.
 */
export function createLabels(first: readonly Label[], deps: LabelDeps) {
  const all = signal<readonly Label[]>(first);
  /** Labels by conversation, where that is on its way to the server. */
  const wishes = signal<ReadonlyMap<string, readonly string[]>>(new Map());
  const sending = new Set<string>();
  /** Whether the menu that adds labels is open. */
  const menuOpen = signal(false);

  function put(label: Label) {
    const known = all.value.find(({ id }) => id === label.id);
    // An answer may come after news that are newer.
    if (known !== undefined && known.updatedAt > label.updatedAt) return;
    all.value = [...all.value.filter(({ id }) => id !== label.id), label];
  }

  function remove(id: string) {
    all.value = all.value.filter((label) => label.id !== id);
    deps.removed(id);
  }

  async function reload(): Promise<void> {
    const { items } = await deps.request<LabelList>("/api/labels");
    const gone = all.value.filter(({ id }) => !items.some((label) => label.id === id));
    all.value = items;
    for (const { id } of gone) deps.removed(id);
  }

  /** Returns what ends it. */
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
    // What was changed between the drawing of the page and this moment.
    subscription.ready.then(read, () => {});
    return () => subscription.unsubscribe();
  }

  function wish(id: string, labels: readonly string[] | null) {
    const next = new Map(wishes.value);
    if (labels === null) next.delete(id);
    else next.set(id, labels);
    wishes.value = next;
  }

  const idsFor = ({ id, labels }: Conversation) => wishes.value.get(id) ?? idsOf(labels);

  /** One request after the other, so that the last wish is the last that arrives. */
  async function send(id: string): Promise<void> {
    if (sending.has(id)) return;
    sending.add(id);
    for (let labels = wishes.value.get(id); labels; labels = wishes.value.get(id)) {
      try {
        const path = `/api/conversations/${id}`;
        deps.merge(await deps.request(path, { method: "PATCH", body: { labels } }));
        if (wishes.value.get(id) === labels) wish(id, null);
      } catch (error) {
        wish(id, null);
        deps.fail(error);
      }
    }
    sending.delete(id);
  }

  function toggle(conversation: Conversation, labelId: string) {
    // One that was removed meanwhile would be refused.
    const there = idsFor(conversation).filter((id) => all.value.some((label) => label.id === id));
    const without = there.filter((id) => id !== labelId);
    const next = without.length < there.length ? without : [...there, labelId];
    wish(conversation.id, next);
    return send(conversation.id);
  }

  /** Makes a label with this name, or takes the one that somebody else has just made. */
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
    /** The labels of a conversation as agents see them, by name. */
    of: (conversation: Conversation) => labelsFrom(all.value, idsFor(conversation)),
  };
}

/** A row of the table as the API would answer it. */
function toLabel(row: Record<string, unknown>): Label {
  const { id, name, color, description, created_at, updated_at } = row;
  return { id, name, color, description, createdAt: created_at, updatedAt: updated_at } as Label;
}
