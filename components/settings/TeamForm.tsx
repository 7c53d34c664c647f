import { useState } from "preact/hooks";
import { etagOf } from "../../protocol/etag.ts";
import type { User } from "../../protocol/model.ts";
import type { Team, TeamAssignment } from "../../protocol/teams.ts";
import { useForm } from "../auth/form_state.ts";
import { ApiError } from "../live/api.ts";
import { byName } from "../live/labels.ts";
import { MAX_CAPACITY, MAX_TEAM_NAME } from "../live/limits.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import { ASSIGNMENT_WORDS } from "./words.ts";

const ASSIGNMENTS = (["none", "round_robin", "least_busy"] as const)
  .map((value) => ({ value, label: ASSIGNMENT_WORDS[value] }));

/** A form for a new or an existing team. */
export function TeamForm({ team, people, onDone, onStale, onClose }: {
  team: Team | null;
  people: User[];
  onDone: (team: Team) => void;
  /** The team on the server has changed, or does not exist any more. */
  onStale: () => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const [assignment, setAssignment] = useState<TeamAssignment>(team?.assignment ?? "none");
  const [memberIds, setMembers] = useState<readonly string[]>(team?.memberIds ?? []);
  const { form, errors, busy, onSubmit } = useForm(
    ["name", "capacity"],
    ({ name, capacity }): Record<string, string> => ({
      ...(name?.trim() ? {} : { name: "Enter a name." }),
      ...(capacityOf(capacity) === undefined
        ? { capacity: `Enter a number from 1 to ${MAX_CAPACITY}, or nothing.` }
        : {}),
    }),
    async ({ name, capacity }) => {
      const kept = assignment === "none" ? team?.capacity ?? null : capacityOf(capacity);
      const body = { name, assignment, capacity: kept, memberIds };
      try {
        onDone(
          team === null
            ? await request<Team>("/api/teams", { method: "POST", body })
            : await request<Team>(`/api/teams/${team.id}`, {
              method: "PATCH",
              body,
              ifMatch: etagOf(team),
            }),
        );
      } catch (error) {
        throw refusalOf(error, onStale);
      }
    },
    { leaves: false },
  );
  // Somebody who is disabled stays a member until they are taken out.
  const choices = byName(
    people.filter(({ id, disabledAt }) => disabledAt === null || team?.memberIds.includes(id)),
  );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit} aria-label="Team">
      <Field
        id="team-name"
        autofocus
        name="name"
        label="Name"
        defaultValue={team?.name ?? ""}
        autocomplete="off"
        maxLength={MAX_TEAM_NAME}
        error={errors.fields.name}
      />
      <Select
        id="team-assignment"
        label="Who gets a waiting conversation"
        hint={assignment === "none"
          ? "Members take conversations themselves."
          : "Only members who are online get conversations."}
        value={assignment}
        options={ASSIGNMENTS}
        onChange={(value) => setAssignment(value as TeamAssignment)}
      />
      {assignment !== "none" && (
        <Field
          id="team-capacity"
          name="capacity"
          label="Open conversations per member (optional)"
          hint="At this number they get no more automatically. The rest wait until somebody is free."
          inputMode="numeric"
          autocomplete="off"
          defaultValue={team?.capacity?.toString() ?? ""}
          error={errors.fields.capacity}
        />
      )}
      <fieldset class="scopes">
        <legend>Members</legend>
        {choices.map(({ id, name, disabledAt }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={memberIds.includes(id)}
              onChange={({ currentTarget: { checked } }) =>
                setMembers([...memberIds.filter((one) => one !== id), ...checked ? [id] : []])}
            />
            <span>
              <bdi>{name}</bdi>
              {disabledAt !== null && " (disabled)"}
            </span>
          </label>
        ))}
      </fieldset>
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {team === null ? "Add team" : "Save"}
        </Button>
      </div>
    </form>
  );
}

/** null: no limit; undefined: no number. */
function capacityOf(text = ""): number | null | undefined {
  if (text.trim() === "") return null;
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= MAX_CAPACITY ? number : undefined;
}

/** The errors of the server in the words of this form. */
function refusalOf(error: unknown, onStale: () => void): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.code === "conflict" && error.fields.length > 0) {
    const message = "A team with this name already exists.";
    return new ApiError(422, { fields: [{ path: "name", message }] });
  }
  if (error.status !== 404 && error.status !== 412) return error;
  onStale();
  return new ApiError(error.status, {
    code: error.code,
    detail: error.status === 404
      ? "Somebody else has just deleted this team."
      : "Somebody else has just changed this team. Close this and look at what they did.",
  });
}
