import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useInbox } from "./context.ts";

type DialogType = ComponentType<{ onChoose: (until: Date) => void; onClose: () => void }>;

/** Loads the dialog when somebody wants to pick a time. */
export function SnoozePicker() {
  const inbox = useInbox();
  const [Dialog, setDialog] = useState<DialogType | null>(null);
  const choose = inbox.snoozePicker.value;
  const close = () => inbox.snoozePicker.value = null;
  useEffect(() => {
    if (choose === null || Dialog !== null) return;
    import("./SnoozeDialog.tsx").then(
      ({ default: loaded }) => setDialog(() => loaded),
      (error) => {
        close();
        inbox.fail(error);
      },
    );
  }, [choose]);
  return choose === null || Dialog === null ? null : <Dialog onChoose={choose} onClose={close} />;
}
