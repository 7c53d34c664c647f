import { useState } from "preact/hooks";
import type { User } from "../../protocol/model.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Notice } from "../ui/Notice.tsx";
import { generatePassword } from "./generated_password.ts";
import { Handover } from "./Handover.tsx";

export interface PersonTask {
  kind: "agent" | "admin" | "password" | "disable" | "enable";
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
  const { name } = person;
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
          "again. What was written stays. An admin can enable the account again.",
        action: "Disable",
        done: `${name} is disabled.`,
        body: { disabled: true },
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
        action: "Make a new password",
        done: "",
        body: null,
      };
  }
}

export interface PersonDialogProps {
  task: PersonTask | null;
  onClose: () => void;
  /** With the person as they are now, and a sentence. */
  onDone: (person: User, words: string) => void;
}

export function PersonDialog({ task, onClose, onDone }: PersonDialogProps) {
  const { me } = useWorkspace();
  const words = task && wordsOf(task, task.person.id === me.value.id);
  return (
    <Dialog open={task !== null} title={words?.title ?? ""} onClose={onClose}>
      {task && words && <Task task={task} words={words} onClose={onClose} onDone={onDone} />}
    </Dialog>
  );
}

function Task({ task, words, onClose, onDone }: PersonDialogProps & {
  task: PersonTask;
  words: Words;
}) {
  const { me, request } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  const { person, kind } = task;

  const run = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    const fresh = kind === "password" ? generatePassword() : null;
    try {
      const body = fresh === null ? words.body : { password: fresh };
      const next = await request<User>(`/api/users/${person.id}`, { method: "PATCH", body });
      // With other rights (or none) the page is another one.
      if (person.id === me.value.id) return location.reload();
      if (fresh === null) return onDone(next, words.done);
      setPassword(fresh);
    } catch (cause) {
      setError(refusal(cause));
    }
    setBusy(false);
  };

  if (password !== null) {
    return (
      <Handover name={person.name} email={person.email} password={password} onDone={onClose} />
    );
  }
  return (
    <form class="dialog-form" noValidate onSubmit={run}>
      <p>{words.text}</p>
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

function refusal(error: unknown): string {
  if ((error as { code?: string }).code !== "conflict") return errorText(error);
  return "This is the last admin. Make somebody else an admin first.";
}
