import type { Member } from "../protocol/native.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface TypingTracker {
  /** @param isPrivate a note, of which visitors are not informed; not needed where typing ends */
  set(conversationId: string, member: Member, isTyping: boolean, isPrivate?: boolean): void;
  /** How many people are typing on this node, counted once for each conversation. */
  count(): number;
}

interface Typist {
  member: Member;
  isPrivate: boolean;
}

/**
 * Typing indicators. They are not stored, not sent back to the typist, and end by a timeout if they
 * are not repeated. A repetition is not announced.
 */
export function createTyping(options: {
  hub: Hub;
  wheel: TimerWheel;
  /** Milliseconds after which typing ends. */
  timeoutMs: number;
  now?: () => Date;
}): TypingTracker {
  const { hub, wheel, timeoutMs, now = () => new Date() } = options;
  const active = new Map<string, Typist & { cancel: () => void }>();

  function announce(
    conversationId: string,
    { member, isPrivate }: Typist,
    isTyping: boolean,
  ): void {
    const note = isPrivate ? { isPrivate } as const : {};
    const event = {
      type: "typing",
      timestamp: now().toISOString(),
      data: { conversationId, ...member, isTyping, ...note },
    } as const;
    hub.publish({
      room: ROOMS.conversation(conversationId),
      forAgents: event,
      forVisitors: isPrivate ? null : event,
      exceptUser: member.userId,
    });
  }

  function set(
    conversationId: string,
    member: Member,
    isTyping: boolean,
    isPrivate = false,
  ): void {
    const key = `${conversationId} ${member.userId}`;
    const known = active.get(key);
    known?.cancel();
    if (isTyping) {
      const typist = { member, isPrivate };
      const isRepeated = known?.isPrivate === isPrivate;
      if (known !== undefined && !isRepeated) {
        active.delete(key);
        announce(conversationId, known, false);
      }
      const cancel = wheel.after(timeoutMs, () => {
        active.delete(key);
        announce(conversationId, typist, false);
      });
      active.set(key, { ...typist, cancel });
      if (!isRepeated) announce(conversationId, typist, true);
    } else if (known !== undefined) {
      active.delete(key);
      announce(conversationId, known, false);
    }
  }

  hub.onDelivered(({ forAgents }) => {
    if (active.size === 0 || forAgents === null) return;
    if (forAgents.type === "message") {
      // A message ends typing, from whichever node it comes. That is announced, so that every
      // client shows the same.
      set(forAgents.data.conversationId, forAgents.data.sender, false);
    } else if (forAgents.type === "typing" && !forAgents.data.isTyping) {
      // Ended on another node, while the same person types here in another tab.
      const { conversationId, userId } = forAgents.data;
      const known = active.get(`${conversationId} ${userId}`);
      if (known !== undefined) announce(conversationId, known, true);
    }
  });

  return { set, count: () => active.size };
}
