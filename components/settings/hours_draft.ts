/** The draft of the business hours: its errors, and its current state. */
import type { BusinessHours } from "../../protocol/analytics.ts";
import type { FieldError } from "../../protocol/errors.ts";

export interface Interval {
  /** Identifies the interval while others are added and removed. */
  key: number;
  from: string;
  /** "00:00" is the end of the day, because time fields cannot contain 24:00. */
  to: string;
}

export interface HoursDraft {
  always: boolean;
  timeZone: string;
  /** Monday to Sunday. */
  days: Interval[][];
}

/** Sentences by field: "", "days", "timeZone", "{day}.{key}". */
export type HoursErrors = Record<string, string>;

export const DAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

/** Most intervals of one day (protocol/analytics.ts). */
export const MAX_INTERVALS = 6;
const MIDNIGHT = "00:00";
const END = "24:00";
const NINE_TO_FIVE = { from: "09:00", to: "17:00" };

const toField = (to: string) => to === END ? MIDNIGHT : to;
/** The end in a form that can be compared. */
export const endOf = ({ to }: Pick<Interval, "to">) => to === MIDNIGHT ? END : to;

/** @param zone the browser's, for new hours */
export function draftOf(hours: BusinessHours, zone: string): HoursDraft {
  if (hours === null) {
    return {
      always: true,
      timeZone: zone,
      days: DAYS.map((_, day) => day < 5 ? [{ key: 0, ...NINE_TO_FIVE }] : []),
    };
  }
  return {
    always: false,
    timeZone: hours.timeZone,
    days: hours.days.map((day) => day.map(({ from, to }, key) => ({ key, from, to: toField(to) }))),
  };
}

/** The draft as hours, each day sorted. */
export function hoursOf({ always, timeZone, days }: HoursDraft): BusinessHours {
  if (always) return null;
  return {
    timeZone,
    days: days.map((day) =>
      day.map((one) => ({ from: one.from, to: endOf(one) }))
        .sort((a, b) => a.from < b.from ? -1 : 1)
    ),
  };
}

export function errorsOf({ always, days }: HoursDraft): HoursErrors {
  const errors: HoursErrors = {};
  if (always) return errors;
  for (const [index, day] of days.entries()) {
    const order = day.toSorted((a, b) => a.from < b.from ? -1 : 1);
    for (const [at, one] of order.entries()) {
      const field = `${index}.${one.key}`;
      const before = order[at - 1];
      if (one.from === "" || one.to === "") errors[field] = "Enter when it begins and ends.";
      else if (one.from >= endOf(one)) errors[field] = "The end has to be after the beginning.";
      else if (before !== undefined && one.from < endOf(before)) {
        errors[field] = `This begins before ${before.to}, when another one ends.`;
      }
    }
  }
  if (days.every((day) => day.length === 0)) {
    errors.days = "Open at least one day, or choose “Always open”.";
  }
  return errors;
}

/** Converts the server's errors to those of the draft; "" has the errors of no field. */
export function errorsByField({ days }: HoursDraft, fields: readonly FieldError[]): HoursErrors {
  const errors: HoursErrors = {};
  for (const { path, message } of fields) {
    const [, day, index] = /^businessHours\.days\.(\d)\.(\d)/.exec(path) ?? [];
    const sorted = days[Number(day)]?.toSorted((a, b) => a.from < b.from ? -1 : 1);
    const interval = sorted?.[Number(index)];
    if (interval !== undefined) errors[`${day}.${interval.key}`] ??= message;
    else if (path === "businessHours.timeZone") errors.timeZone ??= message;
    else errors[""] ??= message;
  }
  return errors;
}

/** The next interval of a day: an hour after the last one, if there is room. */
export function nextInterval(day: readonly Interval[]): Interval {
  const key = Math.max(-1, ...day.map((one) => one.key)) + 1;
  const last = day.map(endOf).sort().at(-1);
  if (last === undefined) return { key, ...NINE_TO_FIVE };
  const hour = (plus: number) => {
    const [h = 0, m = 0] = last.split(":").map(Number);
    return `${String(Math.min(23, h + plus)).padStart(2, "0")}:${String(m).padStart(2, "0")}`;
  };
  return last >= "21:00"
    ? { key, from: "", to: "" }
    : { key, from: hour(1), to: last < "17:00" ? hour(4) : hour(2) };
}

/** Copies the hours of one day to others. */
export function copyTo(days: Interval[][], from: number, to: readonly number[]): Interval[][] {
  return days.map((day, index) =>
    to.includes(index) ? days[from]!.map((one) => ({ ...one })) : day
  );
}

const SHORT = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** "Open now, until 17:00", "Closed now, opens Monday at 09:00": in the time of the zone. */
export function stateText(hours: BusinessHours, now: number): string {
  if (hours === null) return "Always open";
  const part = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", {
      timeZone: hours.timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }).formatToParts(now).map(({ type, value }) => [type, value]),
  );
  const today = SHORT.indexOf(part.weekday!);
  const clock = `${part.hour}:${part.minute}`;
  const until = endOfOpen(hours.days, today, clock);
  if (until !== null) {
    return until === "" ? "Open now, around the clock" : `Open now, until ${until}`;
  }
  for (let ahead = 0; ahead <= 7; ahead++) {
    const day = (today + ahead) % 7;
    const next = hours.days[day]!.find(({ from }) => ahead > 0 || from > clock);
    if (next === undefined) continue;
    const when = ahead === 0 ? "today" : ahead === 1 ? "tomorrow" : DAYS[day];
    return `Closed now, opens ${when} at ${next.from}`;
  }
  return "Always closed";
}

/**
 * The end of the current interval, past midnight if the next day begins open; "" if always open.
 */
function endOfOpen(
  days: readonly { from: string; to: string }[][],
  today: number,
  clock: string,
): string | null {
  let open = days[today]!.find(({ from, to }) => from <= clock && clock < to);
  if (open === undefined) return null;
  for (let ahead = 0; ahead < 7; ahead++) {
    const day = days[(today + ahead) % 7]!;
    let to = open.to;
    for (let next; (next = day.find(({ from }) => from === to)) !== undefined;) to = next.to;
    if (to !== END) return ahead === 0 ? to : `${DAYS[(today + ahead) % 7]} at ${to}`;
    const tomorrow: { from: string; to: string } | undefined = days[(today + ahead + 1) % 7]!
      .find(({ from }) => from === MIDNIGHT);
    if (tomorrow === undefined) return "midnight";
    open = tomorrow;
  }
  return "";
}
