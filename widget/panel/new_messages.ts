import type { ThreadItem } from "../../client/mod.ts";
import type { Message } from "../../protocol/model.ts";

function fromTeam(message: Message | null): message is Message {
  return message !== null && message.type === "text" && message.deletedAt === null &&
    message.sender.role !== "visitor" && !message.isPrivate;
}

/** The number of the team's messages after the position. */
export function unreadOf(items: ThreadItem[], readSeq: number): number {
  return items.filter(({ message }) => fromTeam(message) && message.seq > readSeq).length;
}

/**
 * Calls back once for each new message of the team. The messages of the first call, and those that
 * scrolling up loads, are history.
 */
export function createNewMessages(notify: (message: Message) => void) {
  let seen = -1;
  return {
    check(items: ThreadItem[]) {
      const before = seen;
      for (const { message } of items) if (message) seen = Math.max(seen, message.seq);
      if (before === -1) return void (seen = Math.max(seen, 0));
      for (const { message } of items) {
        if (fromTeam(message) && message.seq > before) notify(message);
      }
    },
    reset: () => void (seen = -1),
  };
}
