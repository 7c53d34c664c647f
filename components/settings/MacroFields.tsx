import type { MacroActions } from "../../protocol/canned_responses.ts";
import type { Label, User } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";
import { byName } from "../live/labels.ts";
import { LabelChip } from "../ui/LabelChip.tsx";
import { Select } from "../ui/Select.tsx";

const NONE = { value: "", label: "Leave as it is" };
const STATUSES = [
  NONE,
  { value: "resolved", label: "Resolve" },
  { value: "pending", label: "Mark as pending" },
  { value: "open", label: "Reopen" },
];

/** What a macro does besides writing. */
export function MacroFields({ actions, labels, users, teams, onChange }: {
  actions: MacroActions;
  labels: readonly Label[];
  users: readonly User[];
  teams: readonly Team[];
  onChange: (actions: MacroActions) => void;
}) {
  const { addLabels = [], assignTo, teamId, status } = actions;
  const chosen = byName(labels.filter(({ id }) => addLabels.includes(id)));
  const others = byName(labels.filter(({ id }) => !addLabels.includes(id)));
  const setLabels = (ids: string[]) => onChange({ ...actions, addLabels: ids });
  return (
    <fieldset class="macro-fields">
      <legend>Also do this (a macro)</legend>
      <div class="macro-labels">
        <Select
          id="macro-label"
          label="Add labels"
          value=""
          options={[
            { value: "", label: others.length === 0 ? "No other labels" : "Choose a label" },
            ...others.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(id) => id !== "" && setLabels([...addLabels, id])}
        />
        {chosen.length > 0 && (
          <div class="macro-chips">
            {chosen.map(({ id, name, color }) => (
              <LabelChip
                key={id}
                name={name}
                color={color}
                onRemove={() => setLabels(addLabels.filter((one) => one !== id))}
              />
            ))}
          </div>
        )}
      </div>
      <Select
        id="macro-assign"
        label="Assign to"
        value={assignTo ?? ""}
        options={[
          NONE,
          { value: "me", label: "Whoever uses it" },
          { value: "nobody", label: "Nobody" },
          ...users.map(({ id, name }) => ({ value: id, label: name })),
        ]}
        onChange={(value) => onChange({ ...actions, assignTo: value || undefined })}
      />
      {teams.length > 0 && (
        <Select
          id="macro-team"
          label="Team"
          value={teamId ?? ""}
          options={[NONE, ...teams.map(({ id, name }) => ({ value: id, label: name }))]}
          onChange={(value) => onChange({ ...actions, teamId: value || undefined })}
        />
      )}
      <Select
        id="macro-status"
        label="Status"
        value={status ?? ""}
        options={STATUSES}
        onChange={(value) =>
          onChange({ ...actions, status: (value || undefined) as MacroActions["status"] })}
      />
    </fieldset>
  );
}
