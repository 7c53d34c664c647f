import { CheckCheck, ListFilter } from "lucide-preact";
import type { ConversationView } from "../../protocol/rest.ts";
import { IconButton } from "../ui/Button.tsx";
import { useInbox } from "./context.ts";
import { LabelFilter } from "./LabelFilter.tsx";
import { SortMenu, StatusMenu } from "./ListOptions.tsx";
import { ListConditions, ViewMenu } from "./ViewMenu.tsx";
import { SearchBox } from "./SearchBox.tsx";

const VIEWS: { value: Exclude<ConversationView, "mentions">; label: string }[] = [
  { value: "mine", label: "Mine" },
  { value: "unassigned", label: "Unassigned" },
  { value: "all", label: "All" },
];
export function ListFilters() {
  const inbox = useInbox();
  const filter = inbox.list.filter.value;
  const counts = inbox.counts.value;
  return (
    <div class="list-head">
      <div class="list-title">
        <ViewMenu />
        <div class="list-filters" hidden={inbox.search.searching.value}>
          {inbox.list.totalUnread.value > 0 && (
            <IconButton
              label="Mark all as read"
              shortcut="Shift+U"
              size="s"
              onClick={inbox.markAllRead}
            >
              <CheckCheck size={16} />
            </IconButton>
          )}
          <IconButton
            label="Filter"
            shortcut="F"
            size="s"
            onClick={() => inbox.views.task.value = { kind: "filter" }}
          >
            <ListFilter size={16} />
          </IconButton>
          <LabelFilter />
          <SortMenu />
          <StatusMenu />
        </div>
      </div>
      <SearchBox />
      {/* The search covers all conversations. */}
      <div
        class="segments"
        role="group"
        aria-label="Assigned to"
        hidden={inbox.search.searching.value}
      >
        {VIEWS.map(({ value, label }, index) => (
          <button
            key={value}
            type="button"
            aria-pressed={filter.view === value ? "true" : "false"}
            aria-keyshortcuts={String(index + 1)}
            onClick={() => filter.view !== value && inbox.setFilter({ ...filter, view: value })}
          >
            {label}
            {counts !== null && <ViewCount count={counts[value]} />}
          </button>
        ))}
      </div>
      <ListConditions />
    </div>
  );
}

function ViewCount({ count }: { count: number }) {
  if (count === 0) return null;
  return <span class="view-count">{count > 99 ? "99+" : count}</span>;
}
