import { PRIORITIES, type Priority } from "../../protocol/model.ts";

/** As it is stored: 0 is none, 4 is urgent. */
export function priorityLevel(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

export function priorityOf(level: number): Priority {
  return PRIORITIES[level] ?? "none";
}
