import { useState } from "preact/hooks";
import type { User } from "../../protocol/model.ts";
import type { UpdatedUser } from "../../protocol/rest.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
import { generatePassword } from "./generated_password.ts";
import { SignIns } from "./SignIns.tsx";
import { SignInDetails } from "./SignInDetails.tsx";
import { conversations, TransferWork } from "./TransferWork.tsx";
import { isolate } from "../../protocol/visible_text.ts";

export interface PersonTask {
  kind: "agent" | "admin" | "password" | "disable" | "enable" | "sign-ins";
  person: User;
}

interface Words {
  title: string;
  text: string;
  action: string;
  done: string;
  body: unknown;
}

function wordsOf({ kind, person }: PersonTask, own: boolean): Words {
  const name = isolate(person.name);
  const who = own ? "You" : name;
  switch (kind) {
    case "admin":
      return {
        title: `Make ${name} an admin?`,
        text: `${who} can then manage people and widgets, and disable other admins.`,
        action: "Make admin",
        done: `${name} is an admin now.`,
        body: { role: "admin" },
      };
    case "agent":
      return {
        title: own ? "Give up your admin role?" : `Make ${name} an agent?`,
        text: `${who} can then answer conversations, but no longer manage people and widgets.`,
        action: "Make agent",
        done: `${name} is an agent now.`,
        body: { role: "agent" },
      };
    case "disable":
      return {
        title: own ? "Disable your own account?" : `Disable ${name}?`,
        text:
          `${own ? "You are" : `${name} is`} signed out everywhere at once and cannot sign in ` +
          "until an admin enables the account again. All messages stay.",
        action: "Disable",
        done: `${name} is disabled.`,
        body: null,
      };
    case "enable":
      return {
        title: `Enable ${name}?`,
        text: `${name} can sign in again with the same password.`,
        action: "Enable",
        done: `${name} can sign in again.`,
        body: { disabled: false },
      };
    case "password":
      return {
        title: `A new password for ${name}?`,
        text: `The old one stops working, and ${name} is signed out everywhere. You get the new ` +
          "one to hand over.",
        action: "Set a new password",
        done: "",
        body: null,
      };
    case "sign-ins":
      return {
        title: `Where ${name} is signed in`,
        text: "",
        action: "",
        done: "",
        body: null,
      };
  }
}

export interface PersonDialogProps {
  task: PersonTask | null;
  /** Everybody: one of them may take over the conversations of a disabled person. */
  people: readonly User[];
  onClose: () => void;
  /** With the updated person, and a confirmation. */
  onDone: (person: User, words: string) => void;
}

export function PersonDialog({ task, people, onClose, onDone }: PersonDialogProps) {
  const { me } = useWorkspace();
  const words = task && wordsOf(task, task.person.id === me.value.id);
  return (
    <Dialog open={task !== null} title={words?.title ?? ""} onClose={onClose}>
      {task?.kind === "sign-ins" && (
        <SignIns path={`/api/users/${task.person.id}/sign-ins`} own={false} />
      )}
      {task && words && task.kind !== "sign-ins" && (
        <Task {...{ task, words, people, onClose, onDone }} />
      )}
    </Dialog>
  );
}

function Task({ task, words, people, onClose, onDone }: PersonDialogProps & {
  task: PersonTask;
  words: Words;
}) {
  const { me, request } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  const [handOverTo, setHandOverTo] = useState<string | null>(null);
  const { person, kind } = task;

  const run = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    const fresh = kind === "password" ? generatePassword() : null;
    try {
      const body = fresh !== null
        ? { password: fresh }
        : kind === "disable"
        ? { disabled: true, handOverTo }
        : words.body;
      const { handOver, ...next } = await request<UpdatedUser>(`/api/users/${person.id}`, {
        method: "PATCH",
        body,
      });
      // With other rights (or none) this page changes.
      if (person.id === me.value.id) return location.reload();
      if (fresh === null) {
        const receiver = people.find(({ id }) => id === handOverTo)?.name ?? "";
        return onDone(next, [words.done, ...movedWords(handOver, receiver)].join(" "));
      }
      setPassword(fresh);
    } catch (cause) {
      setError(refusal(cause));
    }
    setBusy(false);
  };

  if (password !== null) {
    return (
      <SignInDetails name={person.name} email={person.email} password={password} onDone={onClose} />
    );
  }
  return (
    <form class="dialog-form" noValidate onSubmit={run}>
      <p>{words.text}</p>
      {kind === "disable" && (
        <TransferWork person={person} people={people} to={handOverTo} onChange={setHandOverTo} />
      )}
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind={kind === "disable" ? "danger" : "primary"} busy={busy}>
          {words.action}
        </Button>
      </div>
    </form>
  );
}

/** What happened to the conversations of a disabled person. */
function movedWords(handOver: UpdatedUser["handOver"], receiver: string): string[] {
  const { assigned = 0, unassigned = 0 } = handOver ?? {};
  return [
    ...(assigned > 0 ? [`${receiver} got ${conversations(assigned)}.`] : []),
    ...(unassigned > 0 ? [`${conversations(unassigned)} went back to unassigned.`] : []),
  ];
}

function refusal(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === "invalid") {
    return "They can no longer take conversations. Choose somebody else.";
  }
  if (code !== "conflict") return errorText(error);
  return "This is the last admin. Make somebody else an admin first.";
}
