import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Notice } from "../ui/Notice.tsx";

/** What a person needs to sign in, shown once: passwords are not kept in a form that can be read. */
export function Handover({ name, email, password, onDone }: {
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
        Send this to {name}{" "}
        over a channel that you trust. The password is shown only now; it can be changed in the
        profile.
      </p>
      <dl class="facts handover">
        <div>
          <dt>Sign in</dt>
          <dd>{address}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd>{email}</dd>
        </div>
        <div>
          <dt>Password</dt>
          <dd class="mono">{password}</dd>
        </div>
      </dl>
      {/* Refused copying needs no words: everything is there to be selected. */}
      <Notice tone="plain">Nobody can look the password up later.</Notice>
      <div class="dialog-actions">
        <CopyButton kind="plain" text={all}>Copy all</CopyButton>
        <Button kind="primary" onClick={onDone}>Done</Button>
      </div>
    </div>
  );
}
