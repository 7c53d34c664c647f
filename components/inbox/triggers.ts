/** What begins a search in the composer: "@" names, "/" canned replies, ":" emoji. */
export type SuggestionKind = "mention" | "canned" | "emoji";

/** The text between the sign and the caret, while it can still become a suggestion. */
export interface Trigger {
  kind: SuggestionKind;
  /** The index of the sign. */
  at: number;
  text: string;
}

const PATTERNS: [SuggestionKind, RegExp][] = [
  ["mention", /(?:^|[^\p{L}\p{N}_@])@([^\s@][^\n@]{0,39})?$/u],
  // At the start of a line or a word: not in addresses, dates and "and/or".
  ["canned", /(?:^|\s)\/([\p{L}\p{M}\p{N}_-]{0,40})$/u],
  // Two letters: ":)" and ":D" are typed as they are.
  ["emoji", /(?:^|[\s(])(?::)([a-z0-9_+-]{2,30})$/iu],
];

/** @param kinds which of them are offered here */
export function triggerAt(
  text: string,
  caret: number,
  kinds: readonly SuggestionKind[],
): Trigger | null {
  const before = text.slice(0, caret);
  for (const [kind, pattern] of PATTERNS) {
    const match = kinds.includes(kind) ? pattern.exec(before) : null;
    if (match === null) continue;
    const written = match[1] ?? "";
    return { kind, at: caret - written.length - 1, text: written };
  }
  return null;
}

/** The text with something in place of what was written, and the caret after it. */
export function replaceTrigger(
  text: string,
  trigger: Trigger,
  by: string,
): { text: string; caret: number } {
  const before = text.slice(0, trigger.at) + by;
  return { text: before + text.slice(trigger.at + 1 + trigger.text.length), caret: before.length };
}
