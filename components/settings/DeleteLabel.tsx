import { useState } from "preact/hooks";
import type { Label } from "../../protocol/model.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";

/** Asks before a label goes from every conversation. */
export function DeleteLabel({ label, onClose, onDone }: {
  label: Label;
  onClose: () => void;
  onDone: (label: Label) => void;
}) {
  const { request } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await request(`/api/labels/${label.id}`, { method: "DELETE" });
      onDone(label);
    } catch (cause) {
      // Somebody else did it already.
      if (cause instanceof ApiError && cause.status === 404) return onDone(label);
      setError(errorText(cause));
      setBusy(false);
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={run}>
      <p>
        It goes from every conversation that has it, and cannot be brought back. The conversations
        themselves stay.
      </p>
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="danger" busy={busy}>Delete label</Button>
      </div>
    </form>
  );
}
