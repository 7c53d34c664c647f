import type { User } from "../../protocol/model.ts";
import { useForm } from "../auth/form_state.ts";
import { ApiError } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { THEMES } from "../shell/themes.ts";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { PasswordField } from "../ui/PasswordField.tsx";
import { Section } from "../ui/Section.tsx";
import { Switch } from "../ui/Switch.tsx";
import { SignIns } from "./SignIns.tsx";
import { MIN_PASSWORD, ROLE_WORDS } from "./words.ts";

export function ProfileSettings() {
  const workspace = useWorkspace();
  return (
    <>
      <Section id="you" title="You" lead="Visitors see your name beside your answers.">
        <NameForm />
      </Section>
      <Section
        id="password"
        title="Password"
        lead="Changing it signs you out on all other devices."
      >
        <PasswordForm />
      </Section>
      <Section
        id="sign-ins"
        title="Sign-ins"
        lead="The devices where you are signed in. End any that you don't recognize, and change your password."
      >
        <SignIns path="/api/auth/sign-ins" own />
      </Section>
      <Section
        id="undo-send"
        title="Undo send"
        lead="How long a reply waits before it goes out, so you can take it back."
      >
        <Choice
          label="Undo send"
          labelHidden
          name="undo-send"
          value={String(workspace.preferences.value.undoSendSeconds)}
          options={[
            { value: "0", label: "Off" },
            { value: "5", label: "5 seconds" },
            { value: "10", label: "10 seconds" },
          ]}
          onChange={(value) =>
            workspace.setPreferences({ undoSendSeconds: Number(value) as 0 | 5 | 10 })}
        />
      </Section>
      <Section
        id="keyboard"
        title="Keyboard"
        lead="Press ? to see all shortcuts. Switch single-key shortcuts off if you use dictation or press keys by accident."
      >
        <Switch
          id="profile-single-keys"
          label="Single-key shortcuts"
          checked={workspace.preferences.value.singleKeys}
          onChange={(singleKeys) => void workspace.setPreferences({ singleKeys })}
        />
      </Section>
      <Section id="theme" title="Theme" lead="For this browser.">
        <Choice
          label="Theme"
          labelHidden
          name="theme"
          value={workspace.theme.value}
          options={THEMES.map(({ value, label, Icon }) => ({
            value,
            label,
            icon: <Icon size={14} aria-hidden="true" />,
          }))}
          onChange={workspace.setTheme}
        />
      </Section>
    </>
  );
}

function NameForm() {
  const { me, request, toasts } = useWorkspace();
  const { form, errors, busy, onSubmit } = useForm(
    ["name"],
    ({ name }): Record<string, string> => name?.trim() ? {} : { name: "Enter your name." },
    async ({ name }) => {
      me.value = await request<User>(`/api/users/${me.value.id}`, {
        method: "PATCH",
        body: { name: name!.trim() },
      });
      toasts.show({ tone: "good", text: "Your name is saved." });
    },
    { leaves: false },
  );
  return (
    <form class="small-form" ref={form} noValidate onSubmit={onSubmit} aria-label="You">
      <Field
        id="profile-name"
        name="name"
        label="Name"
        defaultValue={me.value.name}
        autocomplete="name"
        maxLength={100}
        error={errors.fields.name}
      />
      <dl class="facts">
        <div>
          <dt>E-mail</dt>
          <dd dir="auto">{me.value.email}</dd>
        </div>
        <div>
          <dt>Role</dt>
          <dd>{ROLE_WORDS[me.value.role]}</dd>
        </div>
      </dl>
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div>
        <Button type="submit" kind="primary" busy={busy}>Save name</Button>
      </div>
    </form>
  );
}

function PasswordForm() {
  const { me, changePassword, toasts } = useWorkspace();
  const { form, errors, busy, onSubmit } = useForm(
    ["currentPassword", "password"],
    ({ currentPassword, password = "" }) => {
      const fields: Record<string, string> = {};
      if (!currentPassword) fields.currentPassword = "Enter your current password.";
      if (password.length < MIN_PASSWORD) {
        fields.password = `Use at least ${MIN_PASSWORD} characters.`;
      }
      return fields;
    },
    async ({ currentPassword, password }) => {
      try {
        await changePassword({ current: currentPassword!, next: password! });
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "invalid_credentials") throw error;
        const message = "This is not your current password.";
        throw new ApiError(422, { fields: [{ path: "currentPassword", message }] });
      }
      form.current?.reset();
      toasts.show({ tone: "good", text: "Your password is changed." });
    },
    { leaves: false },
  );
  return (
    <form class="small-form" ref={form} noValidate onSubmit={onSubmit} aria-label="Password">
      {/* Tells password managers which account this is. */}
      <input type="hidden" name="username" autocomplete="username" value={me.value.email} />
      <PasswordField
        id="current-password"
        name="currentPassword"
        label="Current password"
        autocomplete="current-password"
        maxLength={200}
        error={errors.fields.currentPassword}
      />
      <PasswordField
        id="new-password"
        name="password"
        label="New password"
        hint={`At least ${MIN_PASSWORD} characters; a few unrelated words are good.`}
        autocomplete="new-password"
        maxLength={200}
        error={errors.fields.password}
      />
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div>
        <Button type="submit" kind="primary" busy={busy}>Change password</Button>
      </div>
    </form>
  );
}
