import { useEffect } from "preact/hooks";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";

export interface SaveBarProps {
  dirty: boolean;
  busy: boolean;
  /** The error of the whole form. */
  error: string | null;
  onDiscard: () => void;
}

/** The end of a form that is saved as a whole; visible while there are unsaved changes. */
export function SaveBar({ dirty, busy, error, onDiscard }: SaveBarProps) {
  useLeaveGuard(dirty && !busy);
  return (
    <div class="save-bar" data-shown={dirty ? "" : undefined}>
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      {dirty && (
        <div class="save-bar-row">
          <p role="status">Unsaved changes</p>
          <Button kind="quiet" unavailable={busy} onClick={onDiscard}>Discard</Button>
          <Button type="submit" kind="primary" busy={busy}>{busy ? "Saving" : "Save"}</Button>
        </div>
      )}
    </div>
  );
}

/** Makes the browser ask before a page with unsaved changes is left. */
function useLeaveGuard(armed: boolean) {
  useEffect(() => {
    if (!armed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    globalThis.addEventListener("beforeunload", ask);
    return () => globalThis.removeEventListener("beforeunload", ask);
  }, [armed]);
}
