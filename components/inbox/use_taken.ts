import { useEffect } from "preact/hooks";
import { readTaken, writeTaken } from "../live/drafts.ts";
import { useInbox } from "./context.ts";

/** Conversations whose shared text this page is taking out; it knows itself how that ends. */
const underWay = new Set<string>();

/**
 * A shared text is taken out before it is sent, so that it is sent once. A page that ends between
 * the two would have lost it: then `restore` gets it on the next page, unless it is still shared or
 * was sent.
 */
export function useTaken(id: string, restore: (text: string) => void) {
  const inbox = useInbox();
  const shared = inbox.draft.shared.value;
  const { status, items } = inbox.thread.snapshot.value;
  const isKnown = shared?.status.value === "ready" && status === "ready" && inbox.live.value;
  useEffect(() => {
    const taken = readTaken(id);
    if (!isKnown || taken === null || underWay.has(id)) return;
    writeTaken(id, null);
    const { text, seq } = taken;
    // The same words further up are another message.
    const isSent = items.some(({ message, pending }) =>
      message === null
        ? pending?.content === text
        : message.seq > seq && message.content === text && message.sender.role !== "visitor"
    );
    if (!isSent && shared.text.value !== text) restore(text);
  }, [id, isKnown]);
  return {
    hold(text: string) {
      underWay.add(id);
      const seq = items.findLast(({ message }) => message !== null)?.message?.seq ?? 0;
      writeTaken(id, { text, seq });
    },
    free() {
      underWay.delete(id);
      writeTaken(id, null);
    },
  };
}
