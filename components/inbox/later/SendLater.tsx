import { useState } from "preact/hooks";
import { Clock } from "lucide-preact";
import { ApiError, errorText } from "../../live/api.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useInbox } from "../context.ts";
import { laterChoices, toLocalInput, whenWords } from "./times.ts";

/** Asks when a reply is to be sent. */
export function SendLater({ hasMacro, onSchedule, onClose }: {
  /** The composer has changes of a macro, which go with "Send" only. */
  hasMacro: boolean;
  /** Rejects with an ApiError. */
  onSchedule: (sendAt: string) => Promise<void>;
  onClose: () => void;
}) {
  const { clock } = useInbox();
  const [choices] = useState(() => laterChoices(new Date()));
  const [own, setOwn] = useState(() => toLocalInput(choices[1]!.at));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function schedule(at: Date) {
    if (busy) return;
    if (Number.isNaN(at.getTime())) return setProblem("Choose a day and a time.");
    setBusy(true);
    setProblem(null);
    try {
      await onSchedule(at.toISOString());
    } catch (cause) {
      const field = cause instanceof ApiError ? cause.fields[0] : undefined;
      setProblem(field?.path === "sendAt" ? `The time ${field.message}.` : errorText(cause));
      setBusy(false);
    }
  }
  return (
    <Dialog open title="Send later" onClose={onClose}>
      <div class="dialog-form">
        <ul class="later-choices">
          {choices.map(({ label, at }) => (
            <li key={label}>
              <button type="button" class="menu-item" onClick={() => void schedule(at)}>
                <Clock size={16} aria-hidden="true" />
                <span class="menu-label">{label}</span>
                <span class="menu-note">{whenWords(at.toISOString(), clock.value)}</span>
              </button>
            </li>
          ))}
        </ul>
        <form
          class="later-own"
          aria-label="At another time"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void schedule(new Date(own));
          }}
        >
          <Field
            id="later-at"
            type="datetime-local"
            label="At another time"
            value={own}
            min={toLocalInput(new Date())}
            onInput={(event) => setOwn(event.currentTarget.value)}
          />
          <Button type="submit" kind="primary" busy={busy}>Schedule</Button>
        </form>
        {hasMacro && <p class="field-hint">The macro's other changes are not scheduled.</p>}
        <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
      </div>
    </Dialog>
  );
}
