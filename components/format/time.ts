/**
 * How times are shown. The server renders with the zone and locale of the browser (see
 * storage/preferences.ts), so that times do not change when the page is hydrated.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now: number;
  /** IANA name, e.g. "Europe/Berlin". */
  zone: string;
  /** An English locale: all texts are English, but the order of dates and the hours differ. */
  locale: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** So many days ago, the name of a weekday says which one. */
const WEEKDAYS = 6;

const formatters = new Map<string, Intl.DateTimeFormat>();

function format(time: number, clock: Clock, key: string, options: Intl.DateTimeFormatOptions) {
  const id = `${key}|${clock.locale}|${clock.zone}`;
  let formatter = formatters.get(id);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat(clock.locale, { ...options, timeZone: clock.zone });
    formatters.set(id, formatter);
  }
  return formatter.format(time);
}

/** Whether the runtime knows this time zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The English locale that is nearest to an Accept-Language header or `navigator.language`. */
export function englishLocale(accept: string | null | undefined): string {
  const first = /^\s*(en-[a-z]{2})\b/i.exec(accept ?? "")?.[1];
  return first === undefined ? "en-GB" : `en-${first.slice(3).toUpperCase()}`;
}

/** The day in the clock's zone as "2026-11-20", to compare times by day. */
export function dayKey(iso: string, clock: Clock): string {
  return format(Date.parse(iso), { ...clock, locale: "en-CA" }, "key", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
}

/** Days of the calendar between two times, in the clock's zone: 1 from yesterday to today. */
export function daysBetween(from: number, to: number, clock: Clock): number {
  const dayOf = (time: number) => Date.parse(dayKey(new Date(time).toISOString(), clock));
  return Math.round((dayOf(to) - dayOf(from)) / DAY);
}

/** For list rows: "now", "4m", "3h", "Mon", "12 Nov", "12 Nov 2025". */
export function shortAge(iso: string, clock: Clock): string {
  const time = Date.parse(iso);
  const age = clock.now - time;
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < DAY) return `${Math.floor(age / HOUR)}h`;
  if (daysBetween(time, clock.now, clock) <= WEEKDAYS) {
    return format(time, clock, "weekday", { weekday: "short" });
  }
  if (sameYear(time, clock)) return format(time, clock, "day", { day: "numeric", month: "short" });
  return format(time, clock, "date", { day: "numeric", month: "short", year: "numeric" });
}

/** How long somebody has waited: "<1 min", "4 min", "3 h", "2 d". */
export function waitedFor(iso: string, clock: Clock): string {
  const age = Math.max(0, clock.now - Date.parse(iso));
  if (age < MINUTE) return "<1 min";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h`;
  return `${Math.floor(age / DAY)} d`;
}

/** "14:05". */
export function timeOfDay(iso: string, clock: Clock): string {
  return format(Date.parse(iso), clock, "time", { hour: "numeric", minute: "2-digit" });
}

/** "14:05" today, "Fri, 14:05" within a week, else "20 Nov, 14:05". */
export function shortTime(iso: string, clock: Clock): string {
  const time = Date.parse(iso);
  const today = dayKey(iso, clock) === dayKey(new Date(clock.now).toISOString(), clock);
  if (today) return timeOfDay(iso, clock);
  const day = Math.abs(time - clock.now) < 6 * DAY
    ? { weekday: "short" } as const
    : { day: "numeric", month: "short" } as const;
  return format(time, clock, `short ${Object.keys(day)[0]}`, {
    ...day,
    hour: "numeric",
    minute: "2-digit",
  });
}

/** "Friday, 20 November 2026, 14:05". */
export function exactTime(iso: string, clock: Clock): string {
  return format(Date.parse(iso), clock, "exact", { dateStyle: "full", timeStyle: "short" });
}

/** "20 Nov 2026, 14:05". */
export function mediumTime(iso: string, clock: Clock): string {
  return format(Date.parse(iso), clock, "medium", { dateStyle: "medium", timeStyle: "short" });
}

/** For the separator between days: "Today", "Yesterday", "Monday", "Monday, 2 November". */
export function dayTitle(iso: string, clock: Clock): string {
  const time = Date.parse(iso);
  const days = daysBetween(time, clock.now, clock);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days <= WEEKDAYS) {
    return format(time, clock, "longWeekday", { weekday: "long" });
  }
  const year = sameYear(time, clock) ? {} : { year: "numeric" as const };
  return format(time, clock, `dayTitle${year.year ?? ""}`, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...year,
  });
}

function sameYear(time: number, clock: Clock): boolean {
  return format(time, clock, "year", { year: "numeric" }) ===
    format(clock.now, clock, "year", { year: "numeric" });
}

/** The wait that a server asks for: "20 seconds", "2 minutes". `ms` is rounded up. */
export function waitWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return `${minutes} minutes`;
}
