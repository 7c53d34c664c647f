/** Times to choose from for a reply that is sent later, in the zone of the browser. */
import { type Clock, dayTitle, mediumTime, timeOfDay } from "../../format/time.ts";

export interface LaterChoice {
  label: string;
  at: Date;
}

const HOUR = 3_600_000;
/** When the day begins. */
const MORNING = 9;

function morning(now: Date, days: number): Date {
  const at = new Date(now);
  at.setDate(at.getDate() + days);
  at.setHours(MORNING, 0, 0, 0);
  return at;
}

export function laterChoices(now: Date): LaterChoice[] {
  const choices = [
    { label: "In an hour", at: new Date(now.getTime() + HOUR) },
    { label: "Tomorrow", at: morning(now, 1) },
  ];
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  // On a Sunday that is tomorrow.
  if (untilMonday > 1) choices.push({ label: "Monday", at: morning(now, untilMonday) });
  return choices;
}

/** The value of a field of the type datetime-local. */
export function toLocalInput(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** "today, 14:05", "tomorrow, 9:00", "2 Dec 2026, 9:00". */
export function whenWords(iso: string, clock: Clock): string {
  const before = new Date(Date.parse(iso) - 24 * HOUR).toISOString();
  if (dayTitle(iso, clock) === "Today") return `today, ${timeOfDay(iso, clock)}`;
  if (dayTitle(before, clock) === "Today") return `tomorrow, ${timeOfDay(iso, clock)}`;
  return mediumTime(iso, clock);
}
