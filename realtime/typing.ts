import type { Member } from "../protocol/native.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface TypingTracker {
  /** @param isPrivate a note, which visitors do not hear of; where it ends, it is known. */
  set(conversationId: string, member: Member, isTyping: boolean, isPrivate?: boolean): void;
  /** How many people are typing on this node, each once for a conversation. */
  count(): number;
}

interface Typist {
  member: Member;
  isPrivate: boolean;
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
      const goesOn = known?.isPrivate === isPrivate;
      if (known !== undefined && !goesOn) {
        active.delete(key);
        announce(conversationId, known, false);
      }
      const cancel = wheel.after(lastsMs, () => {
        active.delete(key);
        announce(conversationId, typist, false);
      });
      active.set(key, { ...typist, cancel });
      if (!goesOn) announce(conversationId, typist, true);
    } else if (known !== undefined) {
      active.delete(key);
      announce(conversationId, known, false);
    }
  }

  hub.onDelivered(({ forAgents }) => {
    if (active.size === 0 || forAgents === null) return;
    if (forAgents.type === "message") {
      // It says that typing is over, from whichever node it comes; that is announced, so that every
      // client agrees.
      set(forAgents.data.conversationId, forAgents.data.sender, false);
    } else if (forAgents.type === "typing" && !forAgents.data.isTyping) {
      // Another node says so of someone who goes on here, in another tab.
      const { conversationId, userId } = forAgents.data;
      const known = active.get(`${conversationId} ${userId}`);
      if (known !== undefined) announce(conversationId, known, true);
    }
  });

  return { set, count: () => active.size };
}
