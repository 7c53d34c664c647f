import { ArrowUpDown, ChevronDown } from "lucide-preact";
import type { ConversationSort } from "../../protocol/rest.ts";
import type { Density } from "../storage/preferences.ts";
import type { StatusFilter } from "../live/list_state.ts";
import { Menu, MenuHeading, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";
import { PRIORITIES, PriorityIcon, priorityWord } from "./priorities.tsx";

const STATUSES: { value: StatusFilter; label: string }[] = [
  { value: "open", label: "Open" },
  { value: "pending", label: "Pending" },
  { value: "snoozed", label: "Snoozed" },
  { value: "resolved", label: "Resolved" },
  { value: "all", label: "Any status" },
];

const SORTS: { value: ConversationSort; label: string }[] = [
  { value: "newest", label: "Newest" },
  { value: "waiting", label: "Longest waiting" },
  { value: "priority", label: "Priority" },
];

const DENSITIES: { value: Density; label: string }[] = [
  { value: "comfortable", label: "Comfortable" },
  { value: "compact", label: "Compact" },
];

/** Which statuses the list shows. */
export function StatusMenu() {
  const inbox = useInbox();
  const filter = inbox.list.filter.value;
  return (
    <Menu
      label="Status"
      align="end"
      trigger={(props) => (
        <button
          type="button"
          class="button"
          data-kind="quiet"
          data-size="s"
          aria-keyshortcuts="Shift+S"
          {...props}
        >
          <span class="sr-only">Status:</span>
          {STATUSES.find(({ value }) => value === filter.status)!.label}
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
              close();
              inbox.setFilter({ ...filter, status: value });
            }}
          >
            {label}
          </MenuItem>
        ))}
    </Menu>
  );
}

/** The order of the list, its rows, and which priority it shows. */
export function SortMenu() {
  const inbox = useInbox();
  const filter = inbox.list.filter.value;
  const { priority, sort = "newest" } = filter;
  const word = SORTS.find(({ value }) => value === sort)!.label;
  const changed = sort !== "newest" || priority !== undefined;
  return (
    <Menu
      label="Order and priority"
      align="end"
      trigger={(props) => (
        <button
          type="button"
          class="button"
          data-kind="quiet"
          data-size="s"
          aria-label={`Order: ${word}${priority ? `, priority ${priorityWord(priority)}` : ""}`}
          data-changed={changed ? "" : undefined}
          aria-keyshortcuts="Shift+O"
          {...props}
        >
          <ArrowUpDown size={14} aria-hidden="true" />
        </button>
      )}
    >
      {(close) => (
        <>
          <MenuHeading>Sort by</MenuHeading>
          {SORTS.map(({ value, label }) => (
            <MenuItem
              key={value}
              checked={sort === value}
              onSelect={() => {
                close();
                inbox.setFilter({ ...filter, sort: value });
              }}
            >
              {label}
            </MenuItem>
          ))}
          <MenuLine />
          <MenuHeading>Rows</MenuHeading>
          {DENSITIES.map(({ value, label }) => (
            <MenuItem
              key={value}
              checked={inbox.density.value === value}
              onSelect={() => {
                close();
                inbox.setDensity(value);
              }}
            >
              {label}
            </MenuItem>
          ))}
          <MenuLine />
          <MenuHeading>Priority</MenuHeading>
          {[{ value: undefined, label: "Any" }, ...PRIORITIES].map(({ value, label }) => (
            <MenuItem
              key={label}
              icon={value === undefined ? undefined : <PriorityIcon priority={value} />}
              checked={priority === value}
              onSelect={() => {
                close();
                const { priority: _before, ...rest } = filter;
                inbox.setFilter(value === undefined ? rest : { ...rest, priority: value });
              }}
            >
              {label}
            </MenuItem>
          ))}
        </>
      )}
    </Menu>
  );
}
