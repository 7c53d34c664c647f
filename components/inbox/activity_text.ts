import { type Clock, mediumTime } from "../format/time.ts";

/** As `timeText` in domain/conversations/operations.ts writes it. */
const TIME = /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/;

/** An activity line with its time in the reader's zone: "… until 1 Dec 2026, 09:00". */
export function activityText(content: string, clock: Clock): string {
  return content.replace(TIME, (_all, day, time) => mediumTime(`${day}T${time}:00.000Z`, clock));
}
