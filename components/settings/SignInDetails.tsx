import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Notice } from "../ui/Notice.tsx";

/** The credentials of a new account, shown once because passwords cannot be read later. */
export function SignInDetails({ name, email, password, onDone }: {
  name: string;
  email: string;
  password: string;
  onDone: () => void;
}) {
  const address = `${location.origin}/login`;
  const all = `Sign in: ${address}\nE-mail: ${email}\nPassword: ${password}`;
  const first = useRef<HTMLDivElement>(null);
  // The form that had the focus is gone.
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="dialog-form" ref={first} tabIndex={-1}>
      <p>
        Send this to <bdi>{name}</bdi>{" "}
        over a channel you trust. The password is shown only once; they can change it in their
        profile.
      </p>
      <dl class="facts sign-in-details">
        <div>
          <dt>Sign in</dt>
          <dd>{address}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd dir="auto">{email}</dd>
        </div>
        <div>
          <dt>Password</dt>
          <dd class="mono">{password}</dd>
        </div>
      </dl>
      {/* If copying fails, everything can be selected. */}
      <Notice tone="plain">The password cannot be shown again.</Notice>
      <div class="dialog-actions">
        <CopyButton kind="plain" text={all}>Copy all</CopyButton>
        <Button kind="primary" onClick={onDone}>Done</Button>
      </div>
    </div>
  );
}
