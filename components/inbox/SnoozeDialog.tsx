import { useState } from "preact/hooks";
import { localInput, morning } from "../format/snooze.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field } from "../ui/Field.tsx";

interface SnoozeDialogProps {
  onChoose: (until: Date) => void;
  onClose: () => void;
}

/** Any date and time. Loaded when it is opened. */
export default function SnoozeDialog({ onChoose, onClose }: SnoozeDialogProps) {
  const now = new Date();
  const [value, setValue] = useState(localInput(morning(now, 1)));
  const [error, setError] = useState<string | undefined>();
  return (
    <Dialog open title="Snooze until" focusInside onClose={onClose}>
      <form
        class="dialog-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const until = new Date(value);
          const year = new Date(now.getFullYear() + 1, now.getMonth(), now.getDate());
          const problem = Number.isNaN(until.getTime())
            ? "Pick a date and a time."
            : until <= new Date()
            ? "Pick a time in the future."
            : until > year
            ? "Pick a time within a year."
            : undefined;
          setError(problem);
          if (problem !== undefined) return;
          onClose();
          onChoose(until);
        }}
      >
        <Field
          label="Date and time"
          id="snooze-until"
          type="datetime-local"
          value={value}
          error={error}
          autofocus
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary">Snooze</Button>
        </div>
      </form>
    </Dialog>
  );
}
