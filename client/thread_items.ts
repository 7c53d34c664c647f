import type { Message } from "../protocol/model.ts";
import type { PendingMessage, ThreadItem } from "./types.ts";

/** Own messages that are searched for a pending one, from the newest on. */
const RECENT = 200;

/** Makes the items of a thread: objects that stay the same until their message changes. */
export function createThreadItems() {
  /** Keys by id and by clientMessageId. A pending message keeps its key once it is stored. */
  const keys = new Map<string, string>();
  let items = new Map<string, ThreadItem>();

  return {
    /** A message with this clientMessageId is sent from here. */
    sent(clientMessageId: string) {
      keys.set(clientMessageId, clientMessageId);
    },
    /** The stored message has the key that it had while it was pending. */
    stored(id: string, clientMessageId: string) {
      keys.set(id, clientMessageId);
    },
    isKnown: (clientMessageId: string) => keys.has(clientMessageId),
    /** @param me the id of this person, whose pending messages may be stored already */
    make(messages: Message[], pending: PendingMessage[], me: string | undefined): ThreadItem[] {
      const own = messages.slice(-RECENT).filter((one) => one.sender.userId === me);
      const stored = new Set(own.map((one) => one.clientMessageId));
      const waiting = pending.filter((entry) => !stored.has(entry.clientMessageId));
      for (const { clientMessageId } of waiting) keys.set(clientMessageId, clientMessageId);
      const old = items;
      items = new Map();
      const item = (key: string, message: Message | null, entry: PendingMessage | null) => {
        const same = old.get(key);
        const isSame = same?.message === message && same?.pending === entry;
        const next = isSame ? same as ThreadItem : { key, message, pending: entry };
        items.set(key, next);
        return next;
      };
      return [
        ...messages.map((message) => item(keys.get(message.id) ?? message.id, message, null)),
        ...waiting.map((entry) => item(entry.clientMessageId, null, entry)),
      ];
    },
  };
}
