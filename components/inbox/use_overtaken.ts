import { useRef, useState } from "preact/hooks";
import { useInbox } from "./context.ts";

/**
 * Whether a colleague replied while this agent was writing `text`: sending it takes a second press
 * then, because the contact may have the answer already.
 */
export function useOvertaken(text: string) {
  const inbox = useInbox();
  const { items } = inbox.thread.snapshot.value;
  const last = items.findLast(({ message }) => message !== null)?.message?.seq ?? 0;
  /** Where the conversation stood when the text was begun. */
  const begunAt = useRef<number | null>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const isEmpty = text.trim() === "";
  if (isEmpty) begunAt.current = null;
  else begunAt.current ??= last;
  const since = begunAt.current ?? Infinity;
  const reply =
    items.findLast(({ message }) =>
      message !== null && message.seq > since && message.type === "text" && !message.isPrivate &&
      message.sender.role === "agent" && message.sender.userId !== inbox.user.id
    )?.message ?? null;
  const asks = reply !== null && asked === reply.id;
  return {
    /** Who replied. */
    by: reply?.sender.userName ?? null,
    /** It was asked whether to send all the same. */
    asks,
    /** True: not sent this time, but asked. */
    stops(): boolean {
      if (reply === null || asks) return false;
      setAsked(reply.id);
      return true;
    },
  };
}
