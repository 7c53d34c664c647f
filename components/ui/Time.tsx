import { type Clock, exactTime } from "../lib/time.ts";

export interface TimeProps {
  iso: string;
  clock: Clock;
  /** What is shown, e.g. `shortAge`; the exact time is the title. */
  as: (iso: string, clock: Clock) => string;
}

export function Time({ iso, clock, as }: TimeProps) {
  return <time dateTime={iso} title={exactTime(iso, clock)}>{as(iso, clock)}</time>;
}
