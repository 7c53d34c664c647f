import type { Label } from "../../protocol/model.ts";
import { ApiError } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { DangerForm } from "../ui/DangerForm.tsx";

/** Asks before a label is removed from every conversation. */
export function DeleteLabel({ label, onClose, onDone }: {
  label: Label;
  onClose: () => void;
  onDone: (label: Label) => void;
}) {
  const { request } = useWorkspace();
  const run = async () => {
    try {
      await request(`/api/labels/${label.id}`, { method: "DELETE" });
    } catch (cause) {
      // Somebody else may have deleted it already.
      if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
    }
    onDone(label);
  };
  return (
    <DangerForm action="Delete label" run={run} onCancel={onClose}>
      <p>
        It is removed from every conversation that has it, and cannot be restored. The conversations
        themselves stay.
      </p>
    </DangerForm>
  );
}
