/** Formats dates and texts for visitors. */
import { isolate } from "../../protocol/visible_text.ts";

const DAY_MS = 86_400_000;

function locale(wanted: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(wanted)[0];
  } catch {
    return undefined;
  }
}

export interface Formats {
  time(iso: string): string;
  /** "Today", "Yesterday", or the date. */
  day(iso: string): string;
  full(iso: string): string;
}

export function createFormats(wanted: string): Formats {
  const language = locale(wanted);
  const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
  const date = new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
  });
  const year = new Intl.DateTimeFormat(language, { dateStyle: "long" });
  const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
  return {
    time: (iso) => time.format(new Date(iso)),
    day(iso) {
      const that = new Date(iso);
      const days = Math.round((startOfDay(new Date()) - startOfDay(that)) / DAY_MS);
      if (days === 0) return "Today";
      if (days === 1) return "Yesterday";
      return (days > 0 && days < 200 ? date : year).format(that);
    },
    full: (iso) => full.format(new Date(iso)),
  };
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
export function sameDay(a: string, b: string): boolean {
  return startOfDay(new Date(a)) === startOfDay(new Date(b));
}

/** "Ada Lovelace" → "AL". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...word ?? ""][0] ?? "").join("").toUpperCase();
}

export function teamStatus(agents: { userName: string; status: string }[]): string {
  const online = agents.filter((agent) => agent.status === "online");
  if (online.length === 1) return `${isolate(online[0]!.userName)} is online`;
  if (online.length > 1) return "The team is online";
  if (agents.length > 0) return "Away for a moment";
  return "Away – we will answer here";
}
