/** The text after "@" before the caret, while it can still become a name. */
export interface MentionQuery {
  /** The index of the "@". */
  at: number;
  text: string;
}

const BEFORE = /(?:^|[^\p{L}\p{N}_@])@([^\s@][^\n@]{0,39})?$/u;

export function mentionQuery(text: string, caret: number): MentionQuery | null {
  const match = BEFORE.exec(text.slice(0, caret));
  if (match === null) return null;
  const written = match[1] ?? "";
  return { at: caret - written.length - 1, text: written };
}

const plain = (text: string) => text.normalize("NFC").toLowerCase();

/** People whose name, or a part of it, begins with the text, except a name that is complete. */
export function candidates<T extends { name: string }>(
  people: readonly T[],
  query: MentionQuery,
  limit: number,
): T[] {
  const written = plain(query.text);
  return people.filter(({ name }) => {
    const whole = plain(name);
    if (written.trimEnd() === whole) return false;
    return whole.startsWith(written) ||
      whole.split(/\s+/).some((part) => part.startsWith(written));
  }).slice(0, limit);
}

/** The text with the name in place of what was written, and the caret after it. */
export function withMention(
  text: string,
  query: MentionQuery,
  name: string,
): { text: string; caret: number } {
  const before = `${text.slice(0, query.at)}@${name} `;
  const after = text.slice(query.at + 1 + query.text.length);
  return { text: before + after.replace(/^ /, ""), caret: before.length };
}
