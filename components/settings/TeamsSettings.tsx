import { useState } from "preact/hooks";
import { Pencil, Plus, Trash2, Users } from "lucide-preact";
import type { User } from "../../protocol/model.ts";
import type { Team } from "../../protocol/teams.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { byName } from "../live/labels.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Notice } from "../ui/Notice.tsx";
import { DeleteTeam } from "./DeleteTeam.tsx";
import { SettingsFrame } from "./SettingsFrame.tsx";
import { TeamForm } from "./TeamForm.tsx";
import { ASSIGNMENT_WORDS } from "./words.ts";

/** The open dialog; `team` is null for a new one. */
type Task = { kind: "edit"; team: Team | null } | { kind: "delete"; team: Team };

export function TeamsSettings({ teams: start, people }: { teams: Team[]; people: User[] }) {
  const { toasts, me, request } = useWorkspace();
  const [teams, setTeams] = useState(start);
  const [task, setTask] = useState<Task | null>(null);
  const admin = me.value.role === "admin";
  const close = () => setTask(null);
  const refresh = () =>
    void request<{ items: Team[] }>("/api/teams").then(({ items }) => setTeams(items), () => {});
  const told = (text: string) => {
    close();
    toasts.show({ tone: "good", text });
  };
  const add = admin && (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      onClick={() => setTask({ kind: "edit", team: null })}
    >
      New team
    </Button>
  );
  return (
    <SettingsFrame
      path="/settings/teams"
      title="Teams"
      lead="A conversation can belong to a team, which assigns it to one of its members."
      action={teams.length > 0 && add}
    >
      {!admin && <Notice tone="plain">Only admins can change teams.</Notice>}
      {teams.length === 0
        ? (
          <EmptyState icon={<Users size={20} />} title="No teams yet" action={add}>
            Assign conversations to “Sales” or “Billing” instead of one person. A team can
            distribute them automatically.
          </EmptyState>
        )
        : (
          <ul class="cards" aria-label="Teams">
            {byName(teams).map((team) => (
              <TeamCard
                key={team.id}
                team={team}
                people={people}
                admin={admin}
                onTask={setTask}
              />
            ))}
          </ul>
        )}
      <Dialog
        open={task?.kind === "edit"}
        title={task?.team ? "Edit team" : "New team"}
        onClose={close}
        focusInside
      >
        {task?.kind === "edit" && (
          <TeamForm
            team={task.team}
            people={people}
            onStale={refresh}
            onClose={close}
            onDone={(team) => {
              setTeams([...teams.filter(({ id }) => id !== team.id), team]);
              told(`“${isolate(team.name)}” is ${task.team ? "saved" : "added"}.`);
            }}
          />
        )}
      </Dialog>
      <Dialog
        open={task?.kind === "delete"}
        title={`Delete “${isolate(task?.team?.name ?? "")}”?`}
        onClose={close}
      >
        {task?.kind === "delete" && (
          <DeleteTeam
            team={task.team}
            onClose={close}
            onDone={({ id, name }) => {
              setTeams(teams.filter((one) => one.id !== id));
              told(`“${isolate(name)}” is deleted.`);
            }}
          />
        )}
      </Dialog>
    </SettingsFrame>
  );
}

function TeamCard({ team, people, admin, onTask }: {
  team: Team;
  people: User[];
  admin: boolean;
  onTask: (task: Task) => void;
}) {
  const { id, name, memberIds, assignment, capacity } = team;
  const members = byName(people.filter((user) => memberIds.includes(user.id)));
  const limit = assignment === "none" || capacity === null ? "" : `, at most ${capacity} each`;
  return (
    <li>
      <div class="card">
        <Users size={16} aria-hidden="true" />
        <span class="card-words">
          <a href={`/?status=all&team=${id}`} title="Show its conversations">
            <strong dir="auto">{name}</strong>
          </a>
          <span>
            {members.length === 0
              ? "No members"
              : members.map((user) => isolate(user.name)).join(", ")}
          </span>
          <span>{ASSIGNMENT_WORDS[assignment]}{limit}</span>
        </span>
        {admin && (
          <>
            <IconButton
              label={`Edit ${name}`}
              tipAt="start"
              onClick={() => onTask({ kind: "edit", team })}
            >
              <Pencil size={16} />
            </IconButton>
            <IconButton
              label={`Delete ${name}`}
              tipAt="start"
              onClick={() => onTask({ kind: "delete", team })}
            >
              <Trash2 size={16} />
            </IconButton>
          </>
        )}
      </div>
    </li>
  );
}
