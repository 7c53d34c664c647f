import { useLazy } from "../ui/use_lazy.ts";
import { useInbox } from "./context.ts";

/** Loads the dialog when somebody wants to pick a time. */
export function SnoozePicker() {
  const inbox = useInbox();
  const choose = inbox.snoozePicker.value;
  const close = () => inbox.snoozePicker.value = null;
  const SnoozeDialog = useLazy(() => import("./SnoozeDialog.tsx"), choose !== null, (error) => {
    close();
    inbox.fail(error);
  });
  if (choose === null || SnoozeDialog === null) return null;
  return <SnoozeDialog onChoose={choose} onClose={close} />;
}
