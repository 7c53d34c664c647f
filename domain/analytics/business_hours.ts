/** Time within the workspace's business hours, in seconds; instants are in milliseconds. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { BusinessHours } from "../../protocol/analytics.ts";
import { instantOf, localOf } from "./calendar.ts";

const DAY = 86_400_000;
/** Longer ranges are not computed day by day. */
const MAX_DAYS = 1100;
const KEY = "business_hours";

/** Seconds between two instants within business hours; null: always open. */
export function openSeconds(from: number, to: number, hours: BusinessHours): number {
  if (to <= from) return 0;
  if (hours === null || to - from > MAX_DAYS * DAY) return (to - from) / 1000;
  const { timeZone, days } = hours;
  const first = Math.floor(localOf(from, timeZone) / DAY) - 1;
  const last = Math.floor(localOf(to, timeZone) / DAY) + 1;
  let sum = 0;
  for (let day = first; day <= last; day++) {
    for (const open of days[((day + 3) % 7 + 7) % 7] ?? []) {
      const begin = instantOf(day * DAY + clock(open.from), timeZone);
      const end = instantOf(day * DAY + clock(open.to), timeZone);
      sum += Math.max(0, Math.min(to, end) - Math.max(from, begin));
    }
  }
  return sum / 1000;
}

function clock(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000;
}

/** null: always open, which is the default. */
export async function readBusinessHours(db: Db): Promise<BusinessHours> {
  const row = await db.selectFrom("server_meta").select("value").where("key", "=", KEY)
    .executeTakeFirst();
  if (row === undefined) return null;
  const parsed = BusinessHours.safeParse(JSON.parse(row.value));
  return parsed.success ? parsed.data : null;
}

/** Applies to what is counted from now on. */
export async function writeBusinessHours(db: Db, hours: BusinessHours): Promise<void> {
  await sql`insert into server_meta (key, value) values (${KEY}, ${JSON.stringify(hours)})
    on conflict (key) do update set value = excluded.value`.execute(db);
}
