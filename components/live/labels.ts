/** Sorting, finding and choosing labels. */
import type { ConversationLabel, Label, LabelColor } from "../../protocol/model.ts";

/** In the order of the rainbow, after gray. */
export const LABEL_COLORS: readonly { value: LabelColor; word: string }[] = [
  { value: "gray", word: "Gray" },
  { value: "red", word: "Red" },
  { value: "orange", word: "Orange" },
  { value: "amber", word: "Amber" },
  { value: "green", word: "Green" },
  { value: "teal", word: "Teal" },
  { value: "blue", word: "Blue" },
  { value: "violet", word: "Violet" },
  { value: "pink", word: "Pink" },
];

export function byName<T extends { name: string }>(labels: readonly T[]): T[] {
  return labels.toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

/** The current labels with these ids, by name. A deleted label is left out. */
export function labelsFrom(
  catalogue: readonly Label[],
  ids: readonly string[],
): Label[] {
  return byName(catalogue.filter(({ id }) => ids.includes(id)));
}

export function idsOf(labels: readonly ConversationLabel[] = []): string[] {
  return labels.map(({ id }) => id);
}

/** The text for comparisons: without case and accents. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase("en").trim()
    .replace(/\s+/g, " ");
}

/** Labels whose names contain the query, those that begin with it first. */
export function matching(labels: readonly Label[], query: string): Label[] {
  const wanted = folded(query);
  const place = ({ name }: Label) => folded(name).indexOf(wanted);
  const found = byName(labels).filter((label) => place(label) >= 0);
  return wanted === "" ? found : found.sort((a, b) => Number(place(a) > 0) - Number(place(b) > 0));
}

/** Whether the server would refuse this name because a label differs from it in case only. */
export function isTaken(labels: readonly Label[], name: string): boolean {
  const same = (text: string) =>
    text.normalize().trim().replace(/\s+/g, " ").toLocaleLowerCase("en");
  return labels.some((label) => same(label.name) === same(name));
}

/** The colour for a new label: the one that is used least, but never gray. */
export function nextColor(labels: readonly Label[]): LabelColor {
  const count = (color: LabelColor) => labels.filter((label) => label.color === color).length;
  const colors = LABEL_COLORS.map(({ value }) => value).filter((color) => color !== "gray");
  return colors.reduce((best, color) => count(color) < count(best) ? color : best);
}
