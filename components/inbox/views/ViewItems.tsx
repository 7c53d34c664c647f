import { useLayoutEffect, useRef } from "preact/hooks";
import { AtSign, Bookmark, Inbox, ListFilter, Pencil, Trash2 } from "lucide-preact";
import { DEFAULT_FILTER, filterQuery, listFilter } from "../../live/list_state.ts";
import { MenuHeading, MenuItem, MenuLine } from "../../ui/Menu.tsx";
import { useInbox } from "../context.ts";

function countWord(count: number | undefined): string {
  return count === undefined || count === 0 ? "" : count > 99 ? "99+" : String(count);
}

/** All views with their counts, and what can be done with them. Loaded when the menu opens. */
export default function ViewItems({ close, isPlain }: {
  close: () => void;
  /** Whether the list is limited by nothing but the view. */
  isPlain: boolean;
}) {
  const inbox = useInbox();
  const { views } = inbox;
  const root = useRef<HTMLDivElement>(null);
  // Before anybody can move the focus.
  useLayoutEffect(() => {
    // The menu had nothing to focus when it opened.
    const items = [...root.current!.querySelectorAll<HTMLElement>(".menu-item")];
    (items.find((item) => item.ariaChecked === "true") ?? items[0])?.focus();
    // Without an answer it keeps the known ones.
    views.refresh().catch(() => {});
  }, []);
  const filter = inbox.list.filter.value;
  const current = views.current.value;
  const counts = views.counts.value;
  const isMentions = filter.view === "mentions" && isPlain;
  const query = filterQuery(filter);
  const then = (act: () => void) => () => {
    close();
    act();
  };
  return (
    <div role="none" ref={root}>
      <MenuItem
        icon={<Inbox size={16} />}
        checked={current === null && isPlain && !isMentions}
        onSelect={then(() => inbox.setFilter(DEFAULT_FILTER))}
      >
        Inbox
      </MenuItem>
      <MenuItem
        icon={<AtSign size={16} />}
        note={countWord(inbox.counts.value?.mentions)}
        checked={current === null && isMentions}
        onSelect={then(() => inbox.setFilter({ ...DEFAULT_FILTER, view: "mentions" }))}
      >
        Mentions
      </MenuItem>
      {views.all.value.length > 0 && <MenuHeading>Saved views</MenuHeading>}
      {views.all.value.map((view) => (
        <MenuItem
          key={view.id}
          icon={<Bookmark size={16} />}
          note={countWord(counts?.[view.id])}
          checked={current?.id === view.id}
          onSelect={then(() => inbox.setFilter(listFilter(view.filter)))}
        >
          <bdi>{view.name}</bdi>
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem
        icon={<ListFilter size={16} />}
        onSelect={then(() => views.task.value = { kind: "filter" })}
      >
        Filter…
      </MenuItem>
      {current === null && query !== "" && (
        <MenuItem
          icon={<Bookmark size={16} />}
          onSelect={then(() => views.task.value = { kind: "save", view: null })}
        >
          Save as a view…
        </MenuItem>
      )}
      {current !== null && views.mayChange(current) && (
        <>
          <MenuItem
            icon={<Pencil size={16} />}
            onSelect={then(() => views.task.value = { kind: "save", view: current })}
          >
            Rename or share…
          </MenuItem>
          <MenuItem
            icon={<Trash2 size={16} />}
            onSelect={then(() => views.task.value = { kind: "delete", view: current })}
          >
            Delete the view…
          </MenuItem>
        </>
      )}
    </div>
  );
}
