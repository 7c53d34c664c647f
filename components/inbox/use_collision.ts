import { useRef, useState } from "preact/hooks";
import { useInbox } from "./context.ts";

/**
 * Whether a colleague replied while this agent was writing `text`. Then sending needs a
 * confirmation, because the contact may have the answer already.
 */
export function useCollision(text: string) {
  const inbox = useInbox();
  const { items } = inbox.thread.snapshot.value;
  const last = items.findLast(({ message }) => message !== null)?.message?.seq ?? 0;
  /** The newest message when the text was begun. */
  const begunAt = useRef<number | null>(null);
  const [confirming, setConfirming] = useState<string | null>(null);
  const isEmpty = text.trim() === "";
  if (isEmpty) begunAt.current = null;
  else begunAt.current ??= last;
  const since = begunAt.current ?? Infinity;
  const reply =
    items.findLast(({ message }) =>
      message !== null && message.seq > since && message.type === "text" && !message.isPrivate &&
      message.sender.role === "agent" && message.sender.userId !== inbox.user.id
    )?.message ?? null;
  const isConfirming = reply !== null && confirming === reply.id;
  return {
    /** The colleague who replied. */
    author: reply?.sender.userName ?? null,
    /** The agent was asked to confirm. */
    isConfirming,
    /** True: it must not be sent yet, and the agent is asked. */
    blocks(): boolean {
      if (reply === null || isConfirming) return false;
      setConfirming(reply.id);
      return true;
    },
  };
}
