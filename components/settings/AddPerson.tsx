import { useState } from "preact/hooks";
import { RefreshCw } from "lucide-preact";
import type { AgentRole, User } from "../../protocol/model.ts";
import { useForm } from "../auth/form_state.ts";
import { ApiError } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { generatePassword } from "./generated_password.ts";
import { SignInDetails } from "./SignInDetails.tsx";
import { MIN_PASSWORD, ROLE_RIGHTS, ROLE_WORDS } from "./words.ts";

const ROLES: readonly AgentRole[] = ["agent", "admin"];

/** Adds an account for a colleague, then shows what to send them. */
export function AddPerson({ onAdded, onClose }: {
  onAdded: (person: User) => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const [role, setRole] = useState<AgentRole>("agent");
  const [password, setPassword] = useState(generatePassword);
  const [added, setAdded] = useState<User | null>(null);
  const { form, errors, busy, onSubmit } = useForm(
    ["name", "email", "password"],
    ({ name, email, password }) => {
      const fields: Record<string, string> = {};
      if (!name?.trim()) fields.name = "Enter a name.";
      if (!/^\S+@\S+$/.test(email?.trim() ?? "")) fields.email = "Enter an e-mail address.";
      if ((password ?? "").length < MIN_PASSWORD) {
        fields.password = `Use at least ${MIN_PASSWORD} characters.`;
      }
      return fields;
    },
    async (values) => {
      try {
        const person = await request<User>("/api/users", {
          method: "POST",
          body: { ...values, role },
        });
        onAdded(person);
        setAdded(person);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "conflict") throw error;
        const message = "An account with this address already exists.";
        throw new ApiError(422, { fields: [{ path: "email", message }] });
      }
    },
    { leaves: false },
  );
  if (added !== null) {
    return (
      <SignInDetails name={added.name} email={added.email} password={password} onDone={onClose} />
    );
  }
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit}>
      <Field
        id="person-name"
        autofocus
        name="name"
        label="Name"
        hint="Visitors see it beside the answers."
        autocomplete="off"
        maxLength={100}
        error={errors.fields.name}
      />
      <Field
        id="person-email"
        name="email"
        type="text"
        inputMode="email"
        label="E-mail"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={254}
        error={errors.fields.email}
      />
      <Field
        id="person-password"
        name="password"
        label="Password"
        hint="Generated for you to pass on, or type one."
        class="mono"
        value={password}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={200}
        error={errors.fields.password}
        trailing={
          <IconButton
            label="Generate another password"
            tipAt="start"
            onClick={() => setPassword(generatePassword())}
          >
            <RefreshCw size={16} />
          </IconButton>
        }
        onInput={(event) => setPassword(event.currentTarget.value)}
      />
      <div class="role-choice">
        <Choice
          label="Role"
          name="role"
          value={role}
          options={ROLES.map((value) => ({ value, label: ROLE_WORDS[value] }))}
          onChange={setRole}
        />
        <p class="field-hint">{ROLE_RIGHTS[role]}</p>
      </div>
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>Add person</Button>
      </div>
    </form>
  );
}
