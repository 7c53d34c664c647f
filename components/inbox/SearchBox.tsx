import { useEffect, useRef } from "preact/hooks";
import { Search, X } from "lucide-preact";
import { MAX_QUERY } from "../live/limits.ts";
import { useInbox } from "./context.ts";
import { optionId, RESULTS_ID } from "./search_ids.ts";

/**
 * Finds conversations, people and messages. The focus stays here while arrows move in the results.
 */
export function SearchBox() {
  const { search } = useInbox();
  const box = useRef<HTMLInputElement>(null);
  const active = search.active.value;
  const open = search.searching.value;
  const shown = open && search.status.value !== "error" && search.groups.value.length > 0;

  // Text that was typed before hydration.
  useEffect(() => {
    if (box.current?.value) search.set(box.current.value);
  }, []);

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Escape") {
      if (open) search.clear();
      else box.current?.blur();
    } else if (!open) return;
    else if (event.key === "ArrowDown") search.move(1);
    else if (event.key === "ArrowUp") search.move(-1);
    else if (event.key === "Enter") search.openActive();
    else return;
    event.preventDefault();
  }

  return (
    <div class="search-box" role="search">
      <Search size={16} aria-hidden="true" />
      <input
        ref={box}
        dir="auto"
        type="text"
        inputMode="search"
        role="combobox"
        aria-label="Search conversations, people and messages"
        aria-keyshortcuts="/"
        aria-autocomplete="list"
        aria-expanded={shown ? "true" : "false"}
        aria-controls={shown ? RESULTS_ID : undefined}
        aria-activedescendant={shown && active !== null ? optionId(active) : undefined}
        placeholder="Search"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        enterkeyhint="search"
        maxLength={MAX_QUERY}
        data-search
        value={search.query.value}
        onInput={(event) => search.set(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {search.query.value === "" ? <kbd class="kbd" aria-hidden="true">/</kbd> : (
        <button
          type="button"
          class="search-clear"
          aria-label="Clear the search"
          onClick={() => {
            search.clear();
            box.current?.focus();
          }}
        >
          <X size={14} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

/** `/`: focuses the search box and selects its text. */
export function focusSearch() {
  const box = document.querySelector<HTMLInputElement>("[data-search]");
  box?.focus();
  box?.select();
}
