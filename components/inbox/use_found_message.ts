import { useEffect, useRef } from "preact/hooks";
import type { ConversationSnapshot } from "../../client/mod.ts";
import type { Target } from "../live/inbox_model.ts";
import { useInbox } from "./context.ts";

/**
 * Shows the message that a search found and focuses it, after loading the history up to it.
 */
export function useFoundMessage(snapshot: ConversationSnapshot, reveal: (key: string) => void) {
  const inbox = useInbox();
  const target = inbox.target.value;
  const { items, hasOlder, loadingOlder } = snapshot;
  /** The message for which the history was loaded. */
  const loadedFor = useRef("");
  const connected = inbox.connection.state.value === "connected";

  useEffect(() => {
    const store = inbox.thread.store();
    if (target === null || store?.id !== target.conversationId || loadingOlder) return;
    // Another one may have been asked for since this was rendered.
    const done = () => {
      if (inbox.target.peek() === target) inbox.target.value = null;
    };
    const found = items.find(({ message }) => message?.id === target.messageId);
    if (found !== undefined) {
      done();
      loadedFor.current = "";
      reveal(found.key);
      // After the composer, which takes the focus when it appears.
      requestAnimationFrame(() => {
        show(target);
      });
      return;
    }
    const first = items.find(({ message }) => message !== null)?.message;
    const older = first !== undefined && first !== null && first.seq > target.seq && hasOlder;
    if (older && loadedFor.current !== target.messageId) {
      if (!connected) return;
      loadedFor.current = target.messageId;
      store.loadOlder(target.seq).catch((error) => {
        done();
        inbox.fail(error);
      });
      return;
    }
    done();
    inbox.toasts.show({
      tone: "bad",
      text: "That message does not exist any more.",
    });
  }, [target, items, loadingOlder, connected]);
}

function show({ messageId, keepsFocus }: Target) {
  const bubble = document.querySelector<HTMLElement>(`[data-message="${CSS.escape(messageId)}"]`);
  if (bubble === null) return;
  if (!keepsFocus) bubble.focus({ preventScroll: true });
  // Removed first, so that the animation runs again for the same message.
  delete bubble.dataset.found;
  void bubble.offsetWidth;
  bubble.dataset.found = "";
  bubble.addEventListener("animationend", () => delete bubble.dataset.found, { once: true });
}
