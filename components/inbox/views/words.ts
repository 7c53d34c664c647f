/** Conditions of a filter as text. */
import type { StatusFilter } from "../../live/list_state.ts";

export const FILTER_STATUSES: { value: StatusFilter; label: string }[] = [
  { value: "open", label: "Open" },
  { value: "pending", label: "Pending" },
  { value: "snoozed", label: "Snoozed" },
  { value: "resolved", label: "Resolved" },
  { value: "all", label: "Any" },
];

/** Minutes, from which one is chosen; an address may have any other number. */
export const WAITS = [5, 15, 30, 60, 240, 1440];

export function waitWords(minutes: number): string {
  const [count, unit] = minutes % 1440 === 0
    ? [minutes / 1440, "day"]
    : minutes % 60 === 0
    ? [minutes / 60, "hour"]
    : [minutes, "minute"];
  return `For ${count} ${unit}${count === 1 ? "" : "s"} or longer`;
}
