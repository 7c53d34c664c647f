import { CircleAlert } from "lucide-preact";
import { useForm } from "../components/auth/form_state.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import { ApiError, callApi } from "../components/live/api.ts";
import { Button } from "../components/ui/Button.tsx";
import { Field } from "../components/ui/Field.tsx";
import { PasswordField } from "../components/ui/PasswordField.tsx";

const NAMES = ["email", "password"];

/** `next` is a path of this site (see auth/safe_next.ts). */
export default function LoginForm({ next }: { next: Packed<string> }) {
  const { form, errors, busy, onSubmit } = useForm(
    NAMES,
    ({ email, password }) => {
      const fields: Record<string, string> = {};
      if (!email?.trim()) fields.email = "Enter your e-mail address.";
      if (!password) fields.password = "Enter your password.";
      return fields;
    },
    async (body) => {
      try {
        await callApi("/api/auth/login", { method: "POST", body });
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "invalid_credentials") throw error;
        throw new ApiError(error.status, {
          code: error.code,
          detail: "The e-mail address or the password is wrong.",
        });
      }
      location.assign(unpack(next));
    },
  );
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
        id="email"
        name="email"
        type="text"
        inputMode="email"
        label="E-mail"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        autofocus
        error={errors.fields.email}
      />
      <PasswordField
        id="password"
        name="password"
        label="Password"
        autocomplete="current-password"
        error={errors.fields.password}
      />
      <Button type="submit" kind="primary" size="l" wide busy={busy}>
        {busy ? "Signing in" : "Sign in"}
      </Button>
    </form>
  );
}
