/**
 * Tells of contacts who wait: too long, or for somebody who is not there. Each wait is told once to
 * its assignee and once to the team, whichever node notices, and to no agent twice.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { selectConversations } from "../conversations/queries.ts";
import type { FullConversationRow } from "../conversations/view.ts";
import { type Cause, titled } from "./causes.ts";
import type { Maker } from "./maker.ts";

/** Waits that are told of in one transaction. */
const CHUNK = 100;

/** An agent who is not there. */
export interface Absence {
  status: "away" | "offline";
  /** Milliseconds since the epoch from which on it is known. */
  since: number;
}

/** null: they are there. */
export type AbsenceOf = (userId: string) => Absence | null;

/** @param afterMs milliseconds of waiting after which it is told. */
export async function tellOfWaiting(db: Db, maker: Maker, afterMs: number): Promise<void> {
  const now = new Date();
  await tell(db, maker, {
    // Told to an assignee before, it is the team's when it is nobody's any more.
    which: sql<boolean>`c.waiting_since <= ${new Date(now.getTime() - afterMs)}
      and c.status <> 'snoozed' and (known.waiting_since is distinct from c.waiting_since
        or (not known.to_team and c.assignee_id is null))`,
    toTeam: sql<boolean>`c.assignee_id is null`,
    cause: (row) => ({
      to: row.assignee_id === null ? "everybody" : [row.assignee_id],
      title: `${row.contact_name} has waited for ${words(now, row.waiting_since)}`,
    }),
  });
}

/** @param afterMs milliseconds for which an assignee is not there before their contacts are told of. */
export async function tellOfAbsent(
  db: Db,
  maker: Maker,
  absenceOf: AbsenceOf,
  afterMs: number,
): Promise<void> {
  const before = Date.now() - afterMs;
  const untold = sql<boolean>`c.waiting_since is not null and c.status in ('open', 'pending')
    and (known.waiting_since is distinct from c.waiting_since or not known.to_team)`;
  const { rows } = await sql<{ assignee_id: string }>`
    select distinct c.assignee_id from conversations c
    left join waiting_alerts known on known.conversation_id = c.id
    where ${untold} and c.assignee_id is not null`.execute(db);
  const absent = new Map(rows.flatMap(({ assignee_id: id }) => {
    const absence = absenceOf(id);
    return absence === null || absence.since > before ? [] : [[id, absence.status]];
  }));
  if (absent.size === 0) return;
  await tell(db, maker, {
    which: sql<boolean>`${untold} and c.assignee_id = any(${[...absent.keys()]}::uuid[])`,
    toTeam: sql<boolean>`true`,
    cause: ({ assignee_id: id, assignee_name: name, contact_name: contact }) => ({
      to: "everybody",
      title: `${contact} waits for ${name ?? "somebody"}, who is ${absent.get(id!) ?? "offline"}`,
    }),
  });
}

interface Telling {
  which: RawBuilder<boolean>;
  toTeam: RawBuilder<boolean>;
  cause: (row: FullConversationRow) => Pick<Cause, "to" | "title">;
}

async function tell(db: Db, maker: Maker, telling: Telling): Promise<void> {
  for (;;) {
    const now = new Date();
    const { claimed, made } = await db.transaction().execute(async (trx) => {
      const claimed = await claim(trx, telling);
      if (claimed.length === 0) return { claimed, made: [] };
      const rows = await selectConversations(trx).where("c.id", "in", claimed).execute();
      const causes = rows.map((row): Cause => {
        const { to, title } = telling.cause(row);
        return {
          kind: "waiting",
          to,
          actorId: null,
          cause: `waiting ${row.id} ${row.waiting_since?.toISOString()}`,
          conversationId: row.id,
          // Who has read it has not answered it: what comes next does.
          seq: row.last_seq + 1,
          title: titled(title),
          messageId: null,
          count: 1,
          contactName: row.contact_name,
          at: now.toISOString(),
        };
      });
      return { claimed, made: await maker.insert(trx, causes) };
    });
    await maker.announce(made);
    if (claimed.length < CHUNK) return;
  }
}

async function claim(trx: Db, { which, toTeam }: Telling): Promise<string[]> {
  const { rows } = await sql<{ conversation_id: string }>`
    insert into waiting_alerts as a (conversation_id, waiting_since, to_team)
    select c.id, c.waiting_since, ${toTeam} from conversations c
    left join waiting_alerts known on known.conversation_id = c.id
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
