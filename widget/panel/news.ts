import type { ThreadItem } from "../../client/mod.ts";
import type { Message } from "../../protocol/model.ts";

function fromTeam(message: Message | null): message is Message {
  return message !== null && message.type === "text" && message.deletedAt === null &&
    message.sender.role !== "visitor" && !message.isPrivate;
}

/** How many of the team's messages lie behind the position. */
export function unreadOf(items: ThreadItem[], readSeq: number): number {
  return items.filter(({ message }) => fromTeam(message) && message.seq > readSeq).length;
}

/**
 * Tells each message of the team once, as it arrives. What is there at the first look is history,
 * and so is what scrolling up brings.
 */
export function createNews(tell: (message: Message) => void) {
  let seen = -1;
  return {
    look(items: ThreadItem[]) {
      const before = seen;
      for (const { message } of items) if (message) seen = Math.max(seen, message.seq);
      if (before === -1) return void (seen = Math.max(seen, 0));
      for (const { message } of items) {
        if (fromTeam(message) && message.seq > before) tell(message);
      }
    },
    reset: () => void (seen = -1),
  };
}
