import { useLoaded } from "../ui/use_loaded.ts";
import { useInbox } from "./context.ts";

/** What is asked about a message; loaded when it is asked. */
export function MessageDialogs() {
  const { messages, cannedFrom } = useInbox();
  const saving = cannedFrom.value;
  const withdrawing = messages.withdrawing.value;
  const saveParts = useLoaded(saving !== null, () => import("./suggestions/SaveCanned.tsx"));
  const withdrawParts = useLoaded(
    withdrawing !== null,
    () => import("./actions/WithdrawMessage.tsx"),
  );
  const reacting = messages.reacting.value;
  const reactParts = useLoaded(reacting !== null, () => import("./actions/ReactDialog.tsx"));
  return (
    <>
      {reacting !== null && reactParts && <reactParts.ReactDialog message={reacting} />}
      {saving !== null && saveParts && (
        <saveParts.SaveCanned
          content={saving}
          onClose={() => cannedFrom.value = null}
        />
      )}
      {withdrawing !== null && withdrawParts && (
        <withdrawParts.WithdrawMessage message={withdrawing} />
      )}
    </>
  );
}
