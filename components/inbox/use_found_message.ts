import { useEffect, useRef } from "preact/hooks";
import type { ConversationSnapshot } from "../../client/mod.ts";
import { useInbox } from "./context.ts";

/** Pages of history to load in order to reach a message; after them the thread stays at its end. */
const MAX_PAGES = 4;

/**
 * Scrolls to the message that a search found and focuses it, after loading the history up to it, if
 * that is not too much. `onMoved` is called at once, because the scroll event comes too late for
 * the next render.
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
      // After the composer, which takes the focus when it appears.
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
        ? "That message is too far back. This is the end of the conversation."
        : "That message does not exist any more.",
    });
  }, [target, items, loadingOlder, connected]);
}

function show(messageId: string) {
  const bubble = document.querySelector<HTMLElement>(`[data-message="${CSS.escape(messageId)}"]`);
  if (bubble === null) return;
  bubble.scrollIntoView({ block: "center" });
  bubble.focus({ preventScroll: true });
  // Removed first, so that the animation runs again for the same message.
  delete bubble.dataset.found;
  void bubble.offsetWidth;
  bubble.dataset.found = "";
  bubble.addEventListener("animationend", () => delete bubble.dataset.found, { once: true });
}
