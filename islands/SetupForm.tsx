import { CircleAlert } from "lucide-preact";
import { useForm } from "../components/auth/form_state.ts";
import { ApiError, callApi } from "../components/live/api.ts";
import { Button } from "../components/ui/Button.tsx";
import { Field } from "../components/ui/Field.tsx";
import { PasswordField } from "../components/ui/PasswordField.tsx";

const NAMES = ["name", "email", "password"];
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
    async (body) => {
      try {
        await callApi("/api/setup", { method: "POST", body });
      } catch (error) {
        // Somebody was faster; their account is the way in now.
        if (!(error instanceof ApiError) || error.code !== "already_set_up") throw error;
      }
      location.assign("/");
    },
  );
  return (
    <form class="doorway-form" ref={form} onSubmit={onSubmit} noValidate method="post">
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
        type="email"
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
        hint={`At least ${MIN_PASSWORD} characters.`}
        autocomplete="new-password"
        maxLength={200}
        error={errors.fields.password}
      />
      <Button type="submit" kind="primary" size="l" wide busy={busy}>
        {busy ? "Setting up" : "Create the first account"}
      </Button>
    </form>
  );
}
