import { useRef } from "preact/hooks";
import { CircleAlert } from "lucide-preact";
import { useForm } from "../components/auth/form_state.ts";
import { ApiError, callApi } from "../components/live/api.ts";
import { Button } from "../components/ui/Button.tsx";
import { Field } from "../components/ui/Field.tsx";
import { PasswordField } from "../components/ui/PasswordField.tsx";

const NAMES = ["name", "email", "password", "code"];
const MIN_PASSWORD = 10;

export default function SetupForm() {
  const { form, errors, busy, onSubmit } = useForm(
    NAMES,
    ({ name, email, password }) => {
      const fields: Record<string, string> = {};
      if (!name?.trim()) fields.name = "Enter your name.";
      if (!/^\S+@\S+$/.test(email?.trim() ?? "")) fields.email = "Enter your e-mail address.";
      if ((password ?? "").length < MIN_PASSWORD) {
        fields.password = `Use at least ${MIN_PASSWORD} characters.`;
      }
      return fields;
    },
    async ({ code, ...admin }) => {
      const body = code?.trim() ? { ...admin, code } : admin;
      try {
        await callApi("/api/setup", { method: "POST", body });
      } catch (error) {
        // Somebody else was faster; their account exists now.
        if (!(error instanceof ApiError) || error.code !== "already_set_up") throw error;
      }
      location.assign("/");
    },
  );
  // Shown once the server asks for it, and then as long as the page is open.
  const asked = useRef(false);
  asked.current ||= errors.fields.code !== undefined;
  return (
    <form class="centered-page-form" ref={form} onSubmit={onSubmit} noValidate method="post">
      <div aria-live="assertive">
        {errors.form && (
          <p class="notice">
            <CircleAlert size={16} aria-hidden="true" />
            {errors.form}
          </p>
        )}
      </div>
      <Field
        id="name"
        name="name"
        label="Your name"
        hint="Visitors see it beside your answers."
        autocomplete="name"
        maxLength={100}
        autofocus
        error={errors.fields.name}
      />
      <Field
        id="email"
        name="email"
        type="text"
        inputMode="email"
        label="E-mail"
        hint="You sign in with it."
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={254}
        error={errors.fields.email}
      />
      <PasswordField
        id="password"
        name="password"
        label="Password"
        hint={`At least ${MIN_PASSWORD} characters; a few unrelated words are good.`}
        autocomplete="new-password"
        maxLength={200}
        error={errors.fields.password}
      />
      {asked.current && (
        <Field
          id="code"
          name="code"
          label="Set-up code"
          hint="The server printed it when it started: see its log."
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={100}
          error={errors.fields.code}
        />
      )}
      <Button type="submit" kind="primary" size="l" wide busy={busy}>
        {busy ? "Setting up" : "Create the first account"}
      </Button>
    </form>
  );
}
