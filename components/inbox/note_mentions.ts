/** Mentions in a note, by the rules by which the server notifies (domain/notifications/mentions.ts). */

export interface NotePart {
  text: string;
  /** The people of this name, where it is a mention. */
  mentions?: string[];
}

/** A letter of a word: a mention may neither follow one nor be followed by one. */
const WORD = /[\p{L}\p{N}_]/u;
const plain = (text: string) => text.normalize("NFC").toLowerCase();

/** The text in parts. "@" and the whole name, in any case; the longest name wins. */
export function noteParts(
  content: string,
  people: readonly { id: string; name: string }[],
): NotePart[] {
  const text = content.normalize("NFC");
  const names = [...new Set(people.map(({ name }) => plain(name)))].filter((name) => name !== "")
    .sort((a, b) => b.length - a.length);
  const lower = plain(text);
  // Some letters change their length in lower case; then no place can be told.
  if (lower.length !== text.length) return [{ text }];
  const parts: NotePart[] = [];
  let from = 0;
  for (let at = lower.indexOf("@"); at >= 0; at = lower.indexOf("@", at + 1)) {
    if (at < from || (at > 0 && WORD.test(lower[at - 1]!))) continue;
    const name = names.find((one) =>
      lower.startsWith(one, at + 1) && !WORD.test(lower[at + 1 + one.length] ?? " ")
    );
    if (name === undefined) continue;
    if (at > from) parts.push({ text: text.slice(from, at) });
    from = at + 1 + name.length;
    const mentions = people.filter((one) => plain(one.name) === name).map(({ id }) => id);
    parts.push({ text: text.slice(at, from), mentions });
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}
