/** A letter of a word: a mention may neither follow one nor be followed by one. */
const WORD = /[\p{L}\p{N}_]/u;

function plain(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/**
 * Who is mentioned: "@" and the whole name, in any case. The longest name wins, so that "@Ada
 * Lovelace" is not Ada; people of the same name are all mentioned.
 */
export function mentionedIn(
  content: string,
  people: Iterable<{ id: string; name: string }>,
): string[] {
  const text = plain(content);
  if (!text.includes("@")) return [];
  const byName = Map.groupBy(people, ({ name }) => plain(name));
  const names = [...byName.keys()].filter((name) => name !== "")
    .sort((a, b) => b.length - a.length);
  const found = new Set<string>();
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    // An address such as "mail@ada" mentions nobody.
    if (at > 0 && WORD.test(text[at - 1]!)) continue;
    const name = names.find((candidate) =>
      text.startsWith(candidate, at + 1) && !WORD.test(text[at + 1 + candidate.length] ?? " ")
    );
    if (name === undefined) continue;
    for (const { id } of byName.get(name)!) found.add(id);
  }
  return [...found];
}
