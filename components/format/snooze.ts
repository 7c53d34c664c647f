/** The times that a snooze may end, in the time zone of the browser. */

/** When a working day begins, in hours. */
const MORNING = 9;
const HOUR = 3_600_000;

export interface SnoozeChoice {
  label: string;
  /** null: until the next reply. */
  until: Date | null;
}

/** Later today, tomorrow, next week, and the next reply. */
export function snoozeChoices(now: Date): SnoozeChoice[] {
  const later = new Date(now.getTime() + 3 * HOUR);
  later.setMinutes(0, 0, 0);
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  return [
    ...(later.getDate() === now.getDate() ? [{ label: "Later today", until: later }] : []),
    { label: "Tomorrow", until: morning(now, 1) },
    { label: "Next week", until: morning(now, untilMonday) },
    { label: "Next reply", until: null },
  ];
}

/** As the value of an input for date and time. */
export function localInput(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}` +
    `T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** By calendar days: a day of a clock change has 23 or 25 hours. */
export function morning(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
}
