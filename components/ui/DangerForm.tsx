import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { errorText } from "../live/api.ts";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";

export interface DangerFormProps {
  /** What happens, and what does not. */
  children: ComponentChildren;
  /** The word on the button. */
  action: string;
  /** Not until something else is done. */
  unavailable?: boolean;
  /** What goes wrong is shown, and it can be tried again. */
  run: () => Promise<void>;
  onCancel: () => void;
}

/** In a dialog: asks before something that cannot be taken back. */
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
