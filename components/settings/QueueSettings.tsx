import { useState } from "preact/hooks";
import type { QueueSettings as Settings, UpdateQueueBody } from "../../protocol/queue.ts";
import type { Team } from "../../protocol/teams.ts";
import { useWorkspace } from "../shell/context.ts";
import { Notice } from "../ui/Notice.tsx";
import { Section } from "../ui/Section.tsx";
import { Select } from "../ui/Select.tsx";
import { Switch } from "../ui/Switch.tsx";

/** Minutes, from which one is chosen; a program may set any other number. */
const WAITS = [5, 10, 15, 30, 60, 120, 240];

function minuteWords(minutes: number): string {
  if (minutes < 60) return `After ${minutes} minutes`;
  const hours = minutes / 60;
  return hours === 1 ? "After an hour" : `After ${hours} hours`;
}

const EDIT_CHOICES = [
  { value: "0", label: "Not possible" },
  { value: "5", label: "5 minutes" },
  { value: "15", label: "15 minutes" },
  { value: "60", label: "1 hour" },
  { value: "1440", label: "1 day" },
];

/** Programs may have set another time. */
function editChoices(minutes: number) {
  if (EDIT_CHOICES.some(({ value }) => value === String(minutes))) return EDIT_CHOICES;
  return [...EDIT_CHOICES, { value: String(minutes), label: `${minutes} minutes` }]
    .sort((a, b) => Number(a.value) - Number(b.value));
}

/** Each setting is saved when it is changed. */
export function QueueSettings({ settings, teams }: { settings: Settings; teams: Team[] }) {
  const { user, request, fail, toasts } = useWorkspace();
  const [current, setCurrent] = useState(settings);
  const locked = user.role !== "admin";
  const { handBackAfterMinutes: minutes } = current;
  const waits = minutes === null || WAITS.includes(minutes) ? WAITS : [...WAITS, minutes];

  async function save(body: UpdateQueueBody) {
    const before = current;
    setCurrent({ ...current, ...body });
    try {
      setCurrent(await request<Settings>("/api/queue-settings", { method: "PATCH", body }));
      toasts.show({ tone: "good", text: "Saved." });
    } catch (error) {
      setCurrent(before);
      fail(error);
    }
  }

  return (
    <>
      {locked && <Notice tone="plain">Only admins can change these settings.</Notice>}
      <fieldset class="bare" disabled={locked}>
        <Section id="new" title="New conversations">
          <Select
            id="queue-team"
            label="Belong to the team"
            hint="The team's own settings say who gets them."
            value={teams.some(({ id }) => id === current.teamId) ? current.teamId! : ""}
            options={[
              { value: "", label: "None" },
              ...teams.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onChange={(id) => save({ teamId: id || null })}
          />
          {teams.length === 0 && (
            <p class="field-hint">
              There are no teams yet. <a href="/settings/teams">Make one</a>
            </p>
          )}
        </Section>
        <Section id="replies" title="Replies">
          <Switch
            id="assign-on-reply"
            label="Assign to the agent who replies"
            hint="An unassigned conversation becomes theirs. Notes do not count as replies."
            checked={current.assignOnReply}
            onChange={(assignOnReply) => save({ assignOnReply })}
          />
          <Select
            id="edit-minutes"
            label="Edit and withdraw messages"
            hint="For how long agents and visitors can change what they have sent. Admins can delete any message at any time."
            value={String(current.editMinutes)}
            options={editChoices(current.editMinutes)}
            onChange={(minutes) => save({ editMinutes: Number(minutes) })}
          />
        </Section>
        <Section id="away" title="When somebody is away">
          <Select
            id="hand-back"
            label="Unassign conversations that wait for their reply"
            hint="A team that assigns automatically then assigns them again."
            value={minutes === null ? "" : String(minutes)}
            options={[
              { value: "", label: "Never" },
              ...waits.map((value) => ({ value: String(value), label: minuteWords(value) })),
            ]}
            onChange={(value) =>
              save({ handBackAfterMinutes: value === "" ? null : Number(value) })}
          />
        </Section>
      </fieldset>
    </>
  );
}
