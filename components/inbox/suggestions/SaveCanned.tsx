import { useEffect, useState } from "preact/hooks";
import "../../styles/canned_replies.css";
import type { CannedResponseSettings } from "../../../protocol/canned_responses.ts";
import { CannedReplyForm } from "../../settings/CannedReplyForm.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { useInbox } from "../context.ts";
import { addCanned, canned, refreshCanned } from "./canned_store.ts";

/** Makes a canned reply of a message that was sent. */
export function SaveCanned({ content, onClose }: { content: string; onClose: () => void }) {
  const inbox = useInbox();
  const isAdmin = inbox.me.value.role === "admin";
  // Until it is known, only own ones can be made by agents.
  const [mayShare, setMayShare] = useState<boolean | null>(isAdmin ? true : null);
  useEffect(() => {
    void refreshCanned(inbox.request);
    if (isAdmin) return;
    inbox.request<CannedResponseSettings>("/api/canned-response-settings").then(
      ({ managedBy }) => setMayShare(managedBy === "agents"),
      () => setMayShare(false),
    );
  }, []);
  const folders = [...new Set((canned.value ?? []).flatMap(({ folder }) => folder ?? []))].sort();
  return (
    <Dialog open title="Save as canned reply" onClose={onClose} focusInside wide>
      {mayShare !== null && (
        <CannedReplyForm
          reply={null}
          content={content}
          folders={folders}
          labels={inbox.labels.all.value}
          users={inbox.users.value}
          teams={inbox.teams.value}
          mayShare={mayShare}
          onDone={(reply) => {
            addCanned(reply);
            onClose();
            inbox.toasts.show({ tone: "good", text: `“/${reply.shortCode}” is added.` });
          }}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}
