import { computed, signal } from "@preact/signals";
import type { SavedView, ViewCounts, ViewList } from "../../protocol/views.ts";
import { filterQuery, listFilter } from "./list_state.ts";
import type { ListModel } from "./list_model.ts";
import type { WorkspaceModel } from "./workspace_model.ts";

/** What is done with filters and views in a dialog; `view` null: a new one. */
export type ViewTask =
  | { kind: "filter" }
  | { kind: "save"; view: SavedView | null }
  | { kind: "delete"; view: SavedView };

export type ViewsModel = ReturnType<typeof createViews>;

/** The saved views that this agent sees. Counts are read when somebody looks at them. */
export function createViews(
  first: readonly SavedView[],
  list: ListModel,
  { request, me }: Pick<WorkspaceModel, "request" | "me">,
) {
  const all = signal<readonly SavedView[]>(first);
  /** By the ids of views; null until they are known. */
  const counts = signal<Record<string, number> | null>(null);
  const task = signal<ViewTask | null>(null);

  const queryOfView = ({ filter }: SavedView) => filterQuery(listFilter(filter));
  /** The view that the list shows; null: none of them. */
  const current = computed(() => {
    const shown = filterQuery(list.filter.value);
    return all.value.find((view) => queryOfView(view) === shown) ?? null;
  });

  /** Throws an ApiError. */
  async function refresh(): Promise<void> {
    const [views, counted] = await Promise.all([
      request<ViewList>("/api/views"),
      request<ViewCounts>("/api/view-counts"),
    ]);
    all.value = views.items;
    counts.value = counted.counts;
  }

  return {
    all,
    counts,
    task,
    current,
    refresh,
    mayChange: (view: SavedView) => view.userId === me.value.id || me.value.role === "admin",
    put(view: SavedView) {
      const others = all.value.filter(({ id }) => id !== view.id);
      all.value = [...others, view].sort((a, b) => a.name.localeCompare(b.name, "en"));
    },
    remove(id: string) {
      all.value = all.value.filter((view) => view.id !== id);
    },
  };
}
