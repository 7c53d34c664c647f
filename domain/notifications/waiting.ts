/**
 * Notifications of contacts who wait too long, or for an agent who is absent. Each wait is announced
 * once to its assignee and once to the team, by whichever node finds it, and to no agent twice.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { selectConversations } from "../conversations/queries.ts";
import type { FullConversationRow } from "../conversations/view.ts";
import { isolate } from "../../protocol/visible_text.ts";
import { type Trigger, truncateTitle } from "./triggers.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Waits that are announced in one transaction. */
const CHUNK = 100;

/** Why an agent is absent. */
export interface Absence {
  status: "away" | "offline";
  /** Milliseconds since the epoch. */
  since: number;
}

/** null: they are present. */
export type AbsenceOf = (userId: string) => Absence | null;

/** @param afterMs milliseconds of waiting after which agents are notified. */
export async function notifyOfWaiting(
  db: Db,
  dispatcher: Dispatcher,
  afterMs: number,
): Promise<void> {
  const now = new Date();
  await notify(db, dispatcher, {
    // Announced to an assignee before, it is announced to the team when nobody is assigned any more.
    which: sql<boolean>`c.waiting_since <= ${new Date(now.getTime() - afterMs)}
      and c.status <> 'snoozed' and (alerted.waiting_since is distinct from c.waiting_since
        or (not alerted.to_team and c.assignee_id is null))`,
    toTeam: sql<boolean>`c.assignee_id is null`,
    trigger: (row) => ({
      to: row.assignee_id === null ? "everybody" : [row.assignee_id],
      title: `${isolate(row.contact_name)} has waited for ${words(now, row.waiting_since)}`,
    }),
  });
}

/** @param afterMs milliseconds of absence after which the team is notified of waiting contacts. */
export async function notifyOfAbsent(
  db: Db,
  dispatcher: Dispatcher,
  absenceOf: AbsenceOf,
  afterMs: number,
): Promise<void> {
  const before = Date.now() - afterMs;
  const unannounced = sql<boolean>`c.waiting_since is not null and c.status in ('open', 'pending')
    and (alerted.waiting_since is distinct from c.waiting_since or not alerted.to_team)`;
  const { rows } = await sql<{ assignee_id: string }>`
    select distinct c.assignee_id from conversations c
    left join waiting_alerts alerted on alerted.conversation_id = c.id
    where ${unannounced} and c.assignee_id is not null`.execute(db);
  const absent = new Map(rows.flatMap(({ assignee_id: id }) => {
    const absence = absenceOf(id);
    return absence === null || absence.since > before ? [] : [[id, absence.status]];
  }));
  if (absent.size === 0) return;
  await notify(db, dispatcher, {
    which: sql<boolean>`${unannounced} and c.assignee_id = any(${[...absent.keys()]}::uuid[])`,
    toTeam: sql<boolean>`true`,
    trigger: ({ assignee_id: id, assignee_name: name, contact_name: contact }) => ({
      to: "everybody",
      title: `${isolate(contact)} waits for ${isolate(name ?? "somebody")}, who is ${
        absent.get(id!) ?? "offline"
      }`,
    }),
  });
}

interface Alert {
  which: RawBuilder<boolean>;
  toTeam: RawBuilder<boolean>;
  trigger: (row: FullConversationRow) => Pick<Trigger, "to" | "title">;
}

async function notify(db: Db, dispatcher: Dispatcher, alert: Alert): Promise<void> {
  for (;;) {
    const now = new Date();
    const { claimed, changed } = await db.transaction().execute(async (trx) => {
      const claimed = await claim(trx, alert);
      if (claimed.length === 0) return { claimed, changed: { made: [], gone: [] } };
      const rows = await selectConversations(trx).where("c.id", "in", claimed).execute();
      const triggers = rows.map((row): Trigger => {
        const { to, title } = alert.trigger(row);
        return {
          kind: "waiting",
          to,
          actorId: null,
          dedupKey: `waiting ${row.id} ${row.waiting_since?.toISOString()}`,
          conversationId: row.id,
          // Reading does not end it, but the next message does.
          seq: row.last_seq + 1,
          title: truncateTitle(title),
          messageId: null,
          count: 1,
          contactName: row.contact_name,
          at: now.toISOString(),
        };
      });
      return { claimed, changed: await dispatcher.insert(trx, triggers) };
    });
    await dispatcher.announce(changed);
    if (claimed.length < CHUNK) return;
  }
}

async function claim(trx: Db, { which, toTeam }: Alert): Promise<string[]> {
  const { rows } = await sql<{ conversation_id: string }>`
    insert into waiting_alerts as a (conversation_id, waiting_since, to_team)
    select c.id, c.waiting_since, ${toTeam} from conversations c
    left join waiting_alerts alerted on alerted.conversation_id = c.id
    where ${which} order by c.waiting_since limit ${CHUNK}
    on conflict (conversation_id) do update
      set waiting_since = excluded.waiting_since, to_team = excluded.to_team
      where a.waiting_since is distinct from excluded.waiting_since
        or (excluded.to_team and not a.to_team)
    returning conversation_id`.execute(trx);
  return rows.map((row) => row.conversation_id);
}

function words(now: Date, since: Date | null): string {
  const minutes = Math.round((now.getTime() - (since ?? now).getTime()) / 60_000);
  const [n, unit] = minutes < 1
    ? [Math.max(1, Math.round((now.getTime() - (since ?? now).getTime()) / 1000)), "second"]
    : minutes < 60
    ? [minutes, "minute"]
    : minutes < 48 * 60
    ? [Math.round(minutes / 60), "hour"]
    : [Math.round(minutes / (60 * 24)), "day"];
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
