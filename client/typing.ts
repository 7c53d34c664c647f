import type { Member } from "../protocol/native.ts";

/**
 * Milliseconds between two "typing" commands; the server ends typing that is not repeated within 3
 * s.
 */
export const TYPING_EVERY_MS = 2_000;
/** Milliseconds after which typing ends here, in case the server's event is lost. */
export const TYPING_ENDS_MS = 5_000;

/** Reduces one call per keystroke to the commands that the server needs. */
export function createTypingSender(
  send: (isTyping: boolean, isPrivate: boolean) => void,
  now: () => number = Date.now,
) {
  let sentAt = -Infinity;
  let wasPrivate = false;
  return {
    /** @param isPrivate a note, which visitors must not learn of */
    typing(isTyping: boolean, isPrivate = false) {
      if (isTyping && isPrivate !== wasPrivate) sentAt = -Infinity;
      wasPrivate = isPrivate;
      const since = now() - sentAt;
      if (isTyping ? since < TYPING_EVERY_MS : since > TYPING_ENDS_MS) return;
      sentAt = isTyping ? now() : -Infinity;
      send(isTyping, isPrivate);
    },
    /** A message was sent, which ends the typing on the server. */
    reset: () => void (sentAt = -Infinity),
  };
}

/** A person who is typing; `isPrivate`: a note. */
export interface Typist extends Member {
  isPrivate?: true;
}

/** The people who are typing now; each entry expires separately. */
export function createTypists(changed: () => void, endsMs: number = TYPING_ENDS_MS) {
  const typists = new Map<string, { member: Typist; timer: ReturnType<typeof setTimeout> }>();
  function set(member: Typist, isTyping: boolean) {
    const known = typists.get(member.userId);
    if (known === undefined && !isTyping) return;
    clearTimeout(known?.timer);
    if (isTyping) {
      typists.set(member.userId, { member, timer: setTimeout(() => set(member, false), endsMs) });
    } else typists.delete(member.userId);
    if (known === undefined || !isTyping || known.member.isPrivate !== member.isPrivate) changed();
  }
  return {
    set,
    list: (): Typist[] => [...typists.values()].map(({ member }) => member),
    clear() {
      for (const { member } of [...typists.values()]) set(member, false);
    },
  };
}
