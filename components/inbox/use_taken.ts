import { useEffect } from "preact/hooks";
import { readTaken, writeTaken } from "../live/drafts.ts";
import { useInbox } from "./context.ts";

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
    if (!isKnown || taken === "") return;
    writeTaken(id, "");
    const isSent = items.some(({ message, pending }) =>
      (message ?? pending)?.content === taken && message?.sender.role !== "visitor"
    );
    if (!isSent && shared.text.value !== taken) restore(taken);
  }, [id, isKnown]);
  return {
    hold: (text: string) => writeTaken(id, text),
    free: () => writeTaken(id, ""),
  };
}
