import { useEffect, useRef } from "preact/hooks";
import type { ConversationSnapshot } from "../../client/mod.ts";
import { useInbox } from "./context.ts";

/** Pages of history that are loaded to get to a message; past them the reader stays at the end. */
const MAX_PAGES = 4;

/**
 * Brings the message that a search found into view and gives it the focus, after loading what lies
 * between, where that is not too much. `onMoved` is told at once where the reader is now: the event
 * for it comes too late for what is drawn next.
 */
export function useFoundMessage(snapshot: ConversationSnapshot, onMoved: () => void) {
  const inbox = useInbox();
  const target = inbox.target.value;
  const { items, hasOlder, loadingOlder } = snapshot;
  const pages = useRef({ of: "", count: 0 });
  const connected = inbox.connection.state.value === "connected";

  useEffect(() => {
    const store = inbox.thread.store();
    if (target === null || store?.id !== target.conversationId || loadingOlder) return;
    if (pages.current.of !== target.messageId) pages.current = { of: target.messageId, count: 0 };
    if (items.some(({ message }) => message?.id === target.messageId)) {
      inbox.target.value = null;
      // After the composer, which takes the focus when it comes.
      requestAnimationFrame(() => {
        show(target.messageId);
        onMoved();
      });
      return;
    }
    const first = items.find(({ message }) => message !== null)?.message;
    const older = first !== undefined && first !== null && first.seq > target.seq && hasOlder;
    if (older && pages.current.count < MAX_PAGES) {
      if (!connected) return;
      pages.current.count++;
      store.loadOlder().catch((error) => {
        inbox.target.value = null;
        inbox.fail(error);
      });
      return;
    }
    inbox.target.value = null;
    inbox.toasts.show({
      tone: "bad",
      text: older
        ? "That message lies far back. Here is the end of the conversation."
        : "That message is not there any more.",
    });
  }, [target, items, loadingOlder, connected]);
}

function show(messageId: string) {
  const bubble = document.querySelector<HTMLElement>(`[data-message="${CSS.escape(messageId)}"]`);
  if (bubble === null) return;
  bubble.scrollIntoView({ block: "center" });
  bubble.focus({ preventScroll: true });
  // Taken away first, so that the same find shows itself a second time.
  delete bubble.dataset.found;
  void bubble.offsetWidth;
  bubble.dataset.found = "";
  bubble.addEventListener("animationend", () => delete bubble.dataset.found, { once: true });
}
