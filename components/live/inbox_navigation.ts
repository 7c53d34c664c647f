import { batch, computed, signal } from "@preact/signals";
import { filterOf, filterQuery, type ListFilter } from "./list_state.ts";
import { CONTEXT_COOKIE, writeCookie } from "../storage/preferences.ts";
import type { ListModel } from "./list_model.ts";

/**
 * Up to the first width one pane is shown at a time; from the second on the details have a column.
 */
const PHONE = "(max-width: 760px)";
const WITH_CONTEXT = "(min-width: 1180px)";

/** The state of a history entry: whether an entry of this inbox is before it. */
interface Entry {
  inside?: boolean;
  details?: boolean;
}
const entry = (): Entry => (history.state as Entry | null) ?? {};

export type InboxNavigation = ReturnType<typeof createNavigation>;

/**
 * The agent's position in the inbox: conversation, filter and pane. All of it is in the address and
 * the history, and changes without loading the page.
 */
export function createNavigation(
  start: { selectedId: string | null; contextOpen: boolean },
  list: ListModel,
  /** Called after the conversation changed. */
  onShow: (id: string | null) => void,
) {
  const selectedId = signal(start.selectedId);
  const contextOpen = signal(start.contextOpen);
  const drawerOpen = signal(false);
  const wide = signal(true);
  const phone = signal(false);
  /**
   * The list when the conversation was opened. A reply moves it to the top, but the agent goes on
   * where it was.
   */
  let order = visibleIds();
  const detailsShown = computed(() => wide.value ? contextOpen.value : drawerOpen.value);

  const pathOf = (id: string | null) =>
    (id === null ? "/" : `/conversations/${id}`) + filterQuery(list.filter.value);

  function visibleIds(): string[] {
    return list.visible.value.map(({ conversation }) => conversation.id);
  }

  function show(id: string | null) {
    order = visibleIds();
    batch(() => {
      selectedId.value = id;
      drawerOpen.value = false;
    });
    onShow(id);
  }

  function select(id: string | null) {
    if (id === selectedId.value) return;
    history.pushState({ inside: true }, "", pathOf(id));
    show(id);
  }

  /**
   * From the thread to the list on a phone: back in the history if the list is there, else to the
   * list.
   */
  function back() {
    if (entry().inside) history.back();
    else select(null);
  }

  /** The conversation after or before the open one, among those that the list still shows. */
  function neighbour(step: 1 | -1): string | null {
    const shown = new Set(visibleIds());
    const at = order.indexOf(selectedId.value ?? "");
    if (at === -1) return null;
    const there = step === 1 ? order.slice(at + 1) : order.slice(0, at).reverse();
    return there.find((id) => shown.has(id)) ?? null;
  }

  /**
   * From a conversation that is dealt with to the next one in the list, so that a queue is worked
   * off without the mouse. The focus moves to its row, where J, K and all other keys go on. On a
   * phone the list is shown.
   */
  function openNext(id: string) {
    if (selectedId.value !== id) return;
    if (phone.value) return back();
    // It may have been opened from elsewhere, such as the search.
    const next = order.includes(id) ? neighbour(1) ?? neighbour(-1) : null;
    if (next === null) return;
    // Before the composer of the next one takes the focus.
    document.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true });
    select(next);
  }

  function setFilter(next: ListFilter) {
    list.setFilter(next);
    history.replaceState(history.state, "", pathOf(selectedId.value));
  }

  function toggleDetails() {
    if (wide.value) {
      contextOpen.value = !contextOpen.value;
      writeCookie(CONTEXT_COOKIE, contextOpen.value ? "open" : "closed");
    } else if (drawerOpen.value) closeDetails();
    else {
      drawerOpen.value = true;
      if (phone.value) history.pushState({ inside: true, details: true }, "");
    }
  }

  function closeDetails() {
    if (entry().details) history.back();
    else drawerOpen.value = false;
  }

  function onPopState() {
    const filter = filterOf(new URLSearchParams(location.search));
    const known = list.filter.value;
    if (filterQuery(filter) !== filterQuery(known)) list.setFilter(filter);
    const id = /^\/conversations\/([^/]+)$/.exec(location.pathname)?.[1] ?? null;
    if (id !== selectedId.value) show(id);
    drawerOpen.value = entry().details === true;
  }

  /** Follows the history and the size of the window; returns a function that ends that. */
  function begin(): () => void {
    const narrow = matchMedia(PHONE), roomy = matchMedia(WITH_CONTEXT);
    const measure = () => {
      batch(() => {
        phone.value = narrow.matches;
        wide.value = roomy.matches;
        if (roomy.matches) drawerOpen.value = false;
      });
    };
    measure();
    // After a reload the details are closed.
    if (entry().details) history.replaceState({ ...entry(), details: false }, "");
    narrow.addEventListener("change", measure);
    roomy.addEventListener("change", measure);
    globalThis.addEventListener("popstate", onPopState);
    return () => {
      narrow.removeEventListener("change", measure);
      roomy.removeEventListener("change", measure);
      globalThis.removeEventListener("popstate", onPopState);
    };
  }

  return {
    selectedId,
    contextOpen,
    drawerOpen,
    phone,
    detailsShown,
    pathOf,
    select,
    back,
    neighbour,
    openNext,
    setFilter,
    toggleDetails,
    closeDetails,
    begin,
  };
}
