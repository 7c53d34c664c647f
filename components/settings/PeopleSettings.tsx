import { useState } from "preact/hooks";
import { Plus } from "lucide-preact";
import type { User } from "../../protocol/model.ts";
import { useWorkspace } from "../shell/context.ts";
import { Avatar, presenceWord } from "../ui/Avatar.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
import { AddPerson } from "./AddPerson.tsx";
import { PersonDialog, type PersonTask } from "./PersonDialog.tsx";
import { PersonMenu } from "./PersonMenu.tsx";
import { SettingsFrame } from "./SettingsFrame.tsx";
import { ROLE_WORDS } from "./words.ts";

/** By name, disabled people last. */
function sorted(people: User[]): User[] {
  const place = (user: User) => user.disabledAt === null ? 0 : 1;
  return people.toSorted((a, b) => place(a) - place(b) || a.name.localeCompare(b.name, "en"));
}

export function PeopleSettings({ people: first }: { people: User[] }) {
  const { user, toasts } = useWorkspace();
  const [people, setPeople] = useState(() => sorted(first));
  const [adding, setAdding] = useState(false);
  const [task, setTask] = useState<PersonTask | null>(null);
  const admin = user.role === "admin";
  const put = (next: User) =>
    setPeople((known) => sorted([...known.filter(({ id }) => id !== next.id), next]));

  return (
    <SettingsFrame
      path="/settings/people"
      title="People"
      lead="Everyone on your team."
      action={admin && (
        <Button
          kind="primary"
          icon={<Plus size={16} aria-hidden="true" />}
          onClick={() => setAdding(true)}
        >
          Add a person
        </Button>
      )}
    >
      {!admin && <Notice tone="plain">Only admins can add people or change their roles.</Notice>}
      <ul class="cards people" aria-label="People">
        {people.map((person) => (
          <Person key={person.id} person={person} admin={admin} onTask={setTask} />
        ))}
      </ul>
      <Dialog open={adding} title="Add a person" onClose={() => setAdding(false)} focusInside>
        <AddPerson onAdded={put} onClose={() => setAdding(false)} />
      </Dialog>
      <PersonDialog
        task={task}
        people={people}
        onClose={() => setTask(null)}
        onDone={(next, words) => {
          setTask(null);
          put(next);
          toasts.show({ tone: "good", text: words });
        }}
      />
    </SettingsFrame>
  );
}

function Person({ person, admin, onTask }: {
  person: User;
  admin: boolean;
  onTask: (task: PersonTask) => void;
}) {
  const { me, presence, live } = useWorkspace();
  const own = person.id === me.value.id;
  const disabled = person.disabledAt !== null;
  const status = presence.statusOf(person.id);
  return (
    <li data-muted={disabled ? "" : undefined}>
      <div class="card">
        <Avatar
          id={person.id}
          name={person.name}
          shape="team"
          presence={disabled ? undefined : status}
        />
        <span class="card-words">
          <strong>
            <bdi>{person.name}</bdi>
            {own && <span class="card-own">(you)</span>}
          </strong>
          <span dir="auto">{person.email}</span>
        </span>
        <span class="person-state">
          {disabled ? <Badge tone="warn">Disabled</Badge> : live.value && presenceWord(status)}
        </span>
        <span class="person-role">{ROLE_WORDS[person.role]}</span>
        {admin && <PersonMenu person={person} own={own} onTask={onTask} />}
      </div>
    </li>
  );
}
