import { useEffect, useState } from "preact/hooks";
import type { Priority, WidgetConfig } from "../../../protocol/model.ts";
import type { ConversationView } from "../../../protocol/rest.ts";
import { channelWord } from "../../format/names.ts";
import { byName } from "../../live/labels.ts";
import { DEFAULT_FILTER, type ListFilter, type StatusFilter } from "../../live/list_state.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Select } from "../../ui/Select.tsx";
import { Switch } from "../../ui/Switch.tsx";
import { useInbox } from "../context.ts";
import { PRIORITIES } from "../priorities.tsx";
import { FILTER_STATUSES, WAITS, waitWords } from "./words.ts";

const ANY = { value: "", label: "Any" };
const named = ({ id, name }: { id: string; name: string }) => ({ value: id, label: name });

/** Everything that the list can be limited to. */
export function FilterForm({ onClose }: { onClose: () => void }) {
  const inbox = useInbox();
  const { users, teams, labels, user, views, list } = inbox;
  const [filter, setFilter] = useState<ListFilter>(list.filter.value);
  const [widgets, setWidgets] = useState<WidgetConfig[]>([]);
  const [channels, setChannels] = useState<string[]>([]);
  useEffect(() => {
    inbox.refreshUsers().catch(() => {});
    inbox.request<{ items: WidgetConfig[] }>("/api/widget-configs")
      .then(({ items }) => setWidgets(items), () => {});
    inbox.request<{ items: { platform: string }[] }>("/api/channels")
      .then(({ items }) => setChannels(items.map(({ platform }) => platform)), () => {});
  }, []);

  function set<K extends keyof ListFilter>(name: K, value: ListFilter[K] | "" | undefined) {
    const next: ListFilter = { ...filter };
    if (value) next[name] = value;
    else if (name !== "view" && name !== "status") delete next[name];
    setFilter(next);
  }
  // Who: a view of mine, of nobody, or one of a colleague.
  const who = filter.assignee ?? (filter.view === "all" ? "" : filter.view);
  function setWho(value: string) {
    const { assignee: _before, ...rest } = filter;
    const view = (["mine", "unassigned", "mentions"] as const).find((one) => one === value);
    const assignee = view === undefined && value !== "" ? { assignee: value } : {};
    setFilter({ ...rest, ...assignee, view: view ?? ("all" satisfies ConversationView) });
  }
  const others = users.value.filter(({ id }) => id !== user.id);
  const platforms = [...new Set(["web", "context", ...channels])];

  function show() {
    onClose();
    inbox.setFilter(filter);
  }

  return (
    <form
      class="dialog-form"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        show();
      }}
    >
      <Field
        id="filter-text"
        autofocus
        label="Words in it"
        autocomplete="off"
        maxLength={200}
        value={filter.q ?? ""}
        onInput={({ currentTarget: { value } }) => set("q", value.trim() === "" ? "" : value)}
      />
      <Select
        id="filter-status"
        label="Status"
        value={filter.status}
        options={FILTER_STATUSES}
        onChange={(value) => set("status", value as StatusFilter)}
      />
      <Select
        id="filter-assignee"
        label="Assigned to"
        value={who}
        options={[
          { value: "", label: "Anybody" },
          { value: "mine", label: "Me" },
          { value: "unassigned", label: "Nobody" },
          { value: "mentions", label: "Anybody, and I am mentioned" },
          ...others.map(named),
        ]}
        onChange={setWho}
      />
      {teams.value.length > 0 && (
        <Select
          id="filter-team"
          label="Team"
          value={filter.team ?? ""}
          options={[ANY, ...teams.value.map(named)]}
          onChange={(value) => set("team", value)}
        />
      )}
      {labels.all.value.length > 0 && (
        <Select
          id="filter-label"
          label="Label"
          value={filter.label ?? ""}
          options={[ANY, ...byName(labels.all.value).map(named)]}
          onChange={(value) => set("label", value)}
        />
      )}
      <Select
        id="filter-priority"
        label="Priority"
        value={filter.priority ?? ""}
        options={[ANY, ...PRIORITIES]}
        onChange={(value) => set("priority", value as Priority)}
      />
      <Select
        id="filter-channel"
        label="Channel"
        value={filter.channel ?? ""}
        options={[ANY, ...platforms.map((value) => ({ value, label: channelWord(value) }))]}
        onChange={(value) => set("channel", value)}
      />
      {(widgets.length > 1 || filter.widget !== undefined) && (
        <Select
          id="filter-widget"
          label="Widget"
          value={filter.widget ?? ""}
          options={[ANY, ...widgets.map(named)]}
          onChange={(value) => set("widget", value)}
        />
      )}
      <Select
        id="filter-waiting"
        label="Waiting"
        value={String(filter.waitingMinutes ?? "")}
        options={[
          ANY,
          ...(filter.waitingMinutes === undefined || WAITS.includes(filter.waitingMinutes)
            ? WAITS
            : [...WAITS, filter.waitingMinutes]).map((value) => ({
              value: String(value),
              label: waitWords(value),
            })),
        ]}
        onChange={(value) => set("waitingMinutes", value === "" ? undefined : Number(value))}
      />
      <Switch
        id="filter-unread"
        label="Only unread"
        checked={filter.unread === true}
        onChange={(unread) => set("unread", unread ? true : undefined)}
      />
      <div class="dialog-actions">
        <Button kind="quiet" onClick={() => setFilter(DEFAULT_FILTER)}>Clear</Button>
        <Button
          onClick={() => {
            show();
            views.task.value = { kind: "save", view: null };
          }}
        >
          Save as a view…
        </Button>
        <Button type="submit" kind="primary">Show</Button>
      </div>
    </form>
  );
}
