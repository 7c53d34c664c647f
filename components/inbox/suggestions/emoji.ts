/** Emoji by name and keyword, from emojibase-data, without the variants of skin tones. */
import data from "emojibase-data/en/compact.json" with { type: "json" };

export interface Emoji {
  unicode: string;
  label: string;
  tags: readonly string[];
  /** Index of a group; see GROUPS. */
  group: number;
}

/** Groups in the order of the picker, by Unicode's numbers. Components (2) are no emoji alone. */
export const GROUPS: { group: number; label: string; icon: string }[] = [
  { group: 0, label: "Smileys", icon: "😀" },
  { group: 1, label: "People", icon: "👋" },
  { group: 3, label: "Animals and nature", icon: "🐻" },
  { group: 4, label: "Food and drink", icon: "🍎" },
  { group: 5, label: "Travel", icon: "✈️" },
  { group: 6, label: "Activities", icon: "⚽" },
  { group: 7, label: "Objects", icon: "💡" },
  { group: 8, label: "Symbols", icon: "❤️" },
  { group: 9, label: "Flags", icon: "🏳️" },
];

interface Raw {
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

export const EMOJI: readonly Emoji[] = (data as Raw[])
  .filter(({ group }) => GROUPS.some((one) => one.group === group))
  .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
  .map(({ unicode, label, tags = [], group }) => ({ unicode, label, tags, group: group! }));

/** 0 is the best. null: it does not fit. */
function rank({ label, tags }: Emoji, wanted: string): number | null {
  if (label === wanted) return 0;
  if (tags.includes(wanted)) return 1;
  if (label.startsWith(wanted)) return 2;
  if (tags.some((tag) => tag.startsWith(wanted))) return 3;
  return label.split(" ").some((word) => word.startsWith(wanted)) ? 4 : null;
}

/** Those whose name or keyword begins with the text, the best ones first. */
export function findEmoji(text: string, limit: number): Emoji[] {
  const wanted = text.toLowerCase().replaceAll("_", " ").trim();
  return EMOJI.map((emoji) => ({ emoji, rank: rank(emoji, wanted) }))
    .filter((one): one is { emoji: Emoji; rank: number } => one.rank !== null)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit).map(({ emoji }) => emoji);
}
