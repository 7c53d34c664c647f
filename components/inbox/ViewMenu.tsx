import { useEffect } from "preact/hooks";
import { AtSign, Bookmark, ChevronDown, Inbox, ListFilter, Pencil, Trash2 } from "lucide-preact";
import { DEFAULT_FILTER, filterQuery, listFilter } from "../live/list_state.ts";
import { Menu, MenuHeading, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { useLazy } from "../ui/use_lazy.ts";
import { useInbox } from "./context.ts";

export function countWord(count: number | undefined): string {
  return count === undefined || count === 0 ? "" : count > 99 ? "99+" : String(count);
}

/** The heading of the list: which view it shows, and the menu with all of them. */
export function ViewMenu() {
  const inbox = useInbox();
  const { views } = inbox;
  const filter = inbox.list.filter.value;
  const current = views.current.value;
  const query = filterQuery(filter);
  const isPlain = query === filterQuery({ ...DEFAULT_FILTER, view: filter.view });
  const isMentions = filter.view === "mentions" && isPlain;
  const name = current?.name ?? (isMentions ? "Mentions" : "Inbox");
  return (
    <Menu
      label="Views"
      trigger={(props) => (
        <h2 dir="auto">
          <button
            type="button"
            class="button"
            data-kind="quiet"
            aria-keyshortcuts="Shift+V"
            {...props}
          >
            <span class="truncate">{name}</span>
            <ChevronDown size={14} aria-hidden="true" />
          </button>
        </h2>
      )}
    >
      {(close) => {
        const then = (act: () => void) => () => {
          close();
          act();
        };
        const counts = views.counts.value;
        return (
          <>
            <Fresh />
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
          </>
        );
      }}
    </Menu>
  );
}

/** Reads the views and their counts when the menu opens; without an answer it keeps the known ones. */
function Fresh() {
  const { views } = useInbox();
  useEffect(() => {
    views.refresh().catch(() => {});
  }, []);
  return null;
}

/** Loads the dialogs of filters and views when one is wanted. */
export function ViewTasks() {
  const { views, fail } = useInbox();
  const task = views.task.value;
  const Dialogs = useLazy(() => import("./views/ViewDialogs.tsx"), task !== null, (error) => {
    views.task.value = null;
    fail(error);
  });
  return task === null || Dialogs === null ? null : <Dialogs task={task} />;
}
