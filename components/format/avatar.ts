/** Number of avatar colours in the style sheet (from `[data-hue="0"]` on). */
export const HUES = 10;

/** The colour of a person: always the same for the same id (FNV-1a). */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  // The low bits of FNV are its weakest, so the high ones are mixed in.
  return ((hash ^ (hash >>> 15)) >>> 0) % HUES;
}

/** One or two letters for a name: "Ada Lovelace" → "AL", "ada" → "A", "Visitor 4f2a" → "V4". */
export function initialsOf(name: string): string {
  const words = name.trim().split(/[\s.@_-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words[0], last = words.length > 1 ? words.at(-1) : undefined;
  const letters = [first, last].map((word) => word?.match(/[\p{L}\p{N}]/u)?.[0] ?? "").join("");
  return letters === "" ? "?" : letters.toLocaleUpperCase("en");
}
