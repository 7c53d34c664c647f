import { useState } from "preact/hooks";
import type { WidgetConfig } from "../../protocol/model.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Section } from "../ui/Section.tsx";

/** `onGone` is called before the page is left. */
export function DeleteWidget({ widget, onGone }: { widget: WidgetConfig; onGone: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Section
      id="delete"
      title="Delete"
      lead="Conversations stay in the inbox. To take the chat off for a while, switch the widget off."
    >
      <div>
        <Button kind="danger" onClick={() => setOpen(true)}>Delete this widget…</Button>
      </div>
      <Dialog
        open={open}
        title={`Delete “${widget.name}”?`}
        onClose={() => setOpen(false)}
        focusInside
      >
        <Confirm widget={widget} onGone={onGone} onCancel={() => setOpen(false)} />
      </Dialog>
    </Section>
  );
}

function Confirm({ widget, onGone, onCancel }: {
  widget: WidgetConfig;
  onGone: () => void;
  onCancel: () => void;
}) {
  const { request } = useWorkspace();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const same = typed.trim() === widget.name;

  const remove = async (event: Event) => {
    event.preventDefault();
    if (!same || busy) return;
    setBusy(true);
    setError(null);
    try {
      await request(`/api/widget-configs/${widget.id}`, { method: "DELETE" });
      onGone();
      location.assign("/widgets");
    } catch (cause) {
      setBusy(false);
      setError(errorText(cause));
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={remove}>
      <p>
        The chat disappears from every website that uses it, for good. Visitors who have it open are
        disconnected and start anew with another widget.
      </p>
      <Field
        id="delete-name"
        autofocus
        label={`Type “${widget.name}” to confirm`}
        value={typed}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="danger" busy={busy} unavailable={!same}>Delete</Button>
      </div>
    </form>
  );
}
