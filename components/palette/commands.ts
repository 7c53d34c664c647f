/** Commands of the palette, and which of them fit what was typed. */
import type { LucideIcon } from "lucide-preact";

export interface Command {
  id: string;
  group: string;
  title: string;
  /** Other words by which it is found. */
  words?: string;
  /** The keys that do the same. */
  keys?: string;
  Icon: LucideIcon;
  /** One of many, such as a label: it shows only when something is typed. */
  isDeep?: boolean;
  run: () => void;
}

/** Commands that are shown at most. */
const MAX_SHOWN = 40;

const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** 0 is the best; null: a word of the query is missing. */
function rank({ title, words = "" }: Command, query: readonly string[]): number | null {
  const own = plain(title);
  const all = `${own} ${plain(words)}`;
  if (!query.every((word) => all.includes(word))) return null;
  const [first = ""] = query;
  if (own.startsWith(first)) return 0;
  return query.every((word) => ` ${own}`.includes(` ${word}`)) ? 1 : own.includes(first) ? 2 : 3;
}

/** Those that have all words that were typed, by group, the best first in each. */
export function fitting(commands: readonly Command[], text: string): Command[] {
  const query = plain(text).split(/\s+/).filter(Boolean);
  if (query.length === 0) return commands.filter(({ isDeep }) => !isDeep);
  const ranked = commands.map((command) => ({ command, rank: rank(command, query) }))
    .filter((one): one is { command: Command; rank: number } => one.rank !== null)
    .sort((a, b) => a.rank - b.rank).slice(0, MAX_SHOWN);
  const groups = Map.groupBy(ranked, ({ command }) => command.group);
  return [...groups.values()].flatMap((group) => group.map(({ command }) => command));
}
