import type { Member } from "../protocol/native.ts";

/** The people who have a conversation open. In a large room the server names only some of them. */
export interface Members {
  list: Member[];
  /** How many there are, including those that `list` lacks. */
  count: number;
  isComplete: boolean;
}

export const NO_MEMBERS: Members = { list: [], count: 0, isComplete: true };

/** The members after one of them joined (true) or left (false). */
export function withMember(members: Members, member: Member, isHere: boolean): Members {
  const others = members.list.filter((one) => one.userId !== member.userId);
  const isKnown = others.length < members.list.length;
  const list = isHere ? [...others, member] : others;
  const change = isHere ? +!isKnown : -(isKnown || !members.isComplete);
  return { ...members, list, count: members.count + change };
}
