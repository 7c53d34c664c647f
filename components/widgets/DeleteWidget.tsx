import { useState } from "preact/hooks";
import type { WidgetConfig } from "../../protocol/model.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { DangerForm } from "../ui/DangerForm.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field } from "../ui/Field.tsx";
import { Section } from "../ui/Section.tsx";
import { isolate } from "../../protocol/visible_text.ts";
import { navigate } from "../live/page_navigation.ts";

/** `onGone` is called before the page is left. */
export function DeleteWidget({ widget, onGone }: { widget: WidgetConfig; onGone: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Section
      id="delete"
      title="Delete"
      lead="Conversations stay in the inbox. To hide the chat for a while, switch the widget off."
    >
      <div>
        <Button kind="danger" onClick={() => setOpen(true)}>Delete this widget…</Button>
      </div>
      <Dialog
        open={open}
        title={`Delete “${isolate(widget.name)}”?`}
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
  const run = async () => {
    await request(`/api/widget-configs/${widget.id}`, { method: "DELETE" });
    onGone();
    navigate("/widgets");
  };
  return (
    <DangerForm
      action="Delete"
      unavailable={typed.trim() !== widget.name}
      run={run}
      onCancel={onCancel}
    >
      <p>
        The chat disappears from every website that uses it, for good. Visitors who have it open are
        disconnected and start again with another widget.
      </p>
      <Field
        id="delete-name"
        autofocus
        label={`Type “${isolate(widget.name)}” to confirm`}
        value={typed}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </DangerForm>
  );
}
