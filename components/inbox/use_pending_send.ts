import { useEffect } from "preact/hooks";
import { readPendingSend, writePendingSend } from "../storage/drafts.ts";
import { useInbox } from "./context.ts";

/** Conversations whose shared text this page is sending right now. */
const underWay = new Set<string>();

/**
 * A shared text is taken out of the document before it is sent, so that it is sent once. If the
 * page ends between the two, the text would be lost: then the next page calls `restore` with it,
 * unless it is still in the document or was sent.
 */
export function usePendingSend(id: string, restore: (text: string) => void) {
  const inbox = useInbox();
  const key = { userId: inbox.user.id, conversationId: id };
  const shared = inbox.draft.shared.value;
  const { status, items } = inbox.thread.snapshot.value;
  const isKnown = shared?.status.value === "ready" && status === "ready" && inbox.live.value;
  useEffect(() => {
    const pending = readPendingSend(key);
    if (!isKnown || pending === null || underWay.has(id)) return;
    writePendingSend(key, null);
    const { text, seq } = pending;
    // The same words further up are an earlier message.
    const isSent = items.some(({ message, pending }) =>
      message === null
        ? pending?.content === text
        : message.seq > seq && message.content === text && message.sender.role !== "visitor"
    );
    if (!isSent && shared.text.value !== text) restore(text);
  }, [id, isKnown]);
  return {
    begin(text: string) {
      underWay.add(id);
      const seq = items.findLast(({ message }) => message !== null)?.message?.seq ?? 0;
      writePendingSend(key, { text, seq });
    },
    end() {
      underWay.delete(id);
      writePendingSend(key, null);
    },
  };
}
