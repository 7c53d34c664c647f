import type { CannedResponse } from "../../protocol/canned_responses.ts";
import { ApiError } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { DangerForm } from "../ui/DangerForm.tsx";

/** Asks before a canned reply is deleted. */
export function DeleteCannedReply({ reply, onClose, onDone }: {
  reply: CannedResponse;
  onClose: () => void;
  onDone: (reply: CannedResponse) => void;
}) {
  const { request } = useWorkspace();
  const run = async () => {
    try {
      await request(`/api/canned-responses/${reply.id}`, { method: "DELETE" });
    } catch (cause) {
      // Somebody else may have deleted it already.
      if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
    }
    onDone(reply);
  };
  return (
    <DangerForm action="Delete reply" run={run} onCancel={onClose}>
      <p>
        {reply.shared ? "Nobody can use it any more." : "You cannot use it any more."}{" "}
        Messages that were sent with it stay as they are.
      </p>
    </DangerForm>
  );
}
