import { type Clock, exactTime } from "../format/time.ts";

export interface TimeProps {
  iso: string;
  clock: Clock;
  /** Formats the visible text, e.g. `shortAge`; the exact time is in the title. */
  as: (iso: string, clock: Clock) => string;
}

export function Time({ iso, clock, as }: TimeProps) {
  return <time dateTime={iso} title={exactTime(iso, clock)}>{as(iso, clock)}</time>;
}
