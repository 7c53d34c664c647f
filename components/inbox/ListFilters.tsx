import { ChevronDown } from "lucide-preact";
import type { ConversationView } from "../../protocol/rest.ts";
import type { StatusFilter } from "../live/list_state.ts";
import { Menu, MenuItem } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";
import { LabelFilter } from "./LabelFilter.tsx";
import { SearchBox } from "./SearchBox.tsx";

const VIEWS: { value: ConversationView; label: string }[] = [
  { value: "mine", label: "Mine" },
  { value: "unassigned", label: "Unassigned" },
  { value: "all", label: "All" },
];
const STATUSES: { value: StatusFilter; label: string }[] = [
  { value: "open", label: "Open" },
  { value: "pending", label: "Pending" },
  { value: "snoozed", label: "Snoozed" },
  { value: "resolved", label: "Resolved" },
  { value: "all", label: "Any status" },
];

export function ListFilters() {
  const inbox = useInbox();
  const filter = inbox.list.filter.value;
  const status = STATUSES.find(({ value }) => value === filter.status)!.label;
  return (
    <div class="list-head">
      <div class="list-title">
        <h2>Inbox</h2>
        <div class="list-filters" hidden={inbox.search.searching.value}>
          <LabelFilter />
          <Menu
            label="Status"
            align="end"
            trigger={(props) => (
              <button type="button" class="button" data-kind="quiet" data-size="s" {...props}>
                <span class="sr-only">Status:</span>
                {status}
                <ChevronDown size={14} aria-hidden="true" />
              </button>
            )}
          >
            {(close) =>
              STATUSES.map(({ value, label }) => (
                <MenuItem
                  key={value}
                  checked={filter.status === value}
                  onSelect={() => {
                    inbox.setFilter({ ...filter, status: value });
                    close();
                  }}
                >
                  {label}
                </MenuItem>
              ))}
          </Menu>
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
        {VIEWS.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            aria-pressed={filter.view === value ? "true" : "false"}
            onClick={() => filter.view !== value && inbox.setFilter({ ...filter, view: value })}
          >
            {label}
          </button>
        ))}
      </div>
    </div>
  );
}
