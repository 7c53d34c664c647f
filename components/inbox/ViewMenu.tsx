import { ChevronDown } from "lucide-preact";
import { DEFAULT_FILTER, filterQuery } from "../live/list_state.ts";
import { Menu } from "../ui/Menu.tsx";
import { useLazy } from "../ui/use_lazy.ts";
import { useInbox } from "./context.ts";

/** The heading of the list: which view it shows, and the menu with all of them. */
export function ViewMenu() {
  const inbox = useInbox();
  const filter = inbox.list.filter.value;
  const isPlain = filterQuery(filter) === filterQuery({ ...DEFAULT_FILTER, view: filter.view });
  const name = inbox.views.current.value?.name ??
    (filter.view === "mentions" && isPlain ? "Mentions" : "Inbox");
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
      {(close) => <Items close={close} isPlain={isPlain} />}
    </Menu>
  );
}

function Items(props: { close: () => void; isPlain: boolean }) {
  const ViewItems = useLazy(() => import("./views/ViewItems.tsx"), true, useInbox().fail);
  return ViewItems && <ViewItems {...props} />;
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

/** Loads what the list is limited to, where it is limited by more than its buttons show. */
export function ListConditions() {
  const { list, views, search, fail } = useInbox();
  const { view, status, label, priority, sort, ...more } = list.filter.value;
  const isShown = Object.keys(more).length > 0 && views.current.value === null &&
    !search.searching.value;
  const Conditions = useLazy(() => import("./views/Conditions.tsx"), isShown, fail);
  const rest = { view, status, label, priority, sort };
  return isShown && Conditions !== null ? <Conditions filter={more} rest={rest} /> : null;
}
