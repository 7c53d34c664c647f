import type { Member } from "../protocol/native.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface TypingTracker {
  set(conversationId: string, member: Member, isTyping: boolean): void;
}

/**
 * Typing: never stored, never sent back to the typist, and over by itself when it is not repeated.
 * Starting again while it lasts is not announced again.
 */
export function createTyping(options: {
  hub: Hub;
  wheel: TimerWheel;
  /** Milliseconds after which it ends by itself. */
  lastsMs: number;
  now?: () => Date;
}): TypingTracker {
  const { hub, wheel, lastsMs, now = () => new Date() } = options;
  const active = new Map<string, () => void>();

  function announce(conversationId: string, member: Member, isTyping: boolean): void {
    const event = {
      type: "typing",
      timestamp: now().toISOString(),
      data: { conversationId, ...member, isTyping },
    } as const;
    hub.publish({
      room: ROOMS.conversation(conversationId),
      forAgents: event,
      forVisitors: event,
      exceptUser: member.userId,
    });
  }

  return {
    set(conversationId, member, isTyping) {
      const key = `${conversationId} ${member.userId}`;
      const cancel = active.get(key);
      cancel?.();
      if (isTyping) {
        active.set(
          key,
          wheel.after(lastsMs, () => {
            active.delete(key);
            announce(conversationId, member, false);
          }),
        );
        if (cancel === undefined) announce(conversationId, member, true);
      } else if (cancel !== undefined) {
        active.delete(key);
        announce(conversationId, member, false);
      }
    },
  };
}
