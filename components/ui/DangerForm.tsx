import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { errorText } from "../live/api.ts";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";

export interface DangerFormProps {
  /** The consequences. */
  children: ComponentChildren;
  /** The label of the button. */
  action: string;
  /** Something else has to be done first. */
  unavailable?: boolean;
  /** A rejection is shown, and the user can try again. */
  run: () => Promise<void>;
  onCancel: () => void;
}

/** In a dialog: asks for confirmation before something that cannot be undone. */
export function DangerForm({ children, action, unavailable, run, onCancel }: DangerFormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || unavailable) return;
    setBusy(true);
    setError(null);
    try {
      await run();
    } catch (cause) {
      setError(errorText(cause));
      setBusy(false);
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={submit}>
      {children}
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="danger" busy={busy} unavailable={unavailable ?? false}>
          {action}
        </Button>
      </div>
    </form>
  );
}
