/** The conditions of the list of conversations and of its counts, as SQL about conversations `c`. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationFilter } from "../../protocol/rest.ts";
import { LAST_ID } from "../cursor.ts";
import { priorityLevel } from "./priority.ts";
import { mayBeUnread, unreadSql } from "./unread.ts";

type Filter = { [K in keyof ConversationFilter]?: ConversationFilter[K] | undefined };

/**
 * Up to so many conversations of a label, a widget, or with something unread are looked up and sorted. With more of
 * them, the list is scanned in its order, which finds some soon; for few that could be a scan of all.
 */
const RARE = 2000;

/** Whether the conditions need the agent's participant `p`. */
export function needsParticipant({ unread }: Filter): boolean {
  return unread === true;
}

/** Ids of conversations, as a query. */
type Ids = RawBuilder<unknown>;

/** All of them have to hold. @param userId whose "mine", mentions and unread messages are meant */
export async function filterConditions(
  db: Db,
  userId: string,
  filter: Filter,
): Promise<RawBuilder<boolean>[]> {
  const { unread, view, q, label, widget } = filter;
  const rare = await Promise.all([
    unread === true ? rareOr(db, mayBeUnread(userId), null) : null,
    label === undefined ? null : hasLabel(db, label),
    widget === undefined ? null : wroteIn(db, widget),
  ]);
  const sets = [
    view === "mentions" ? mentionsOf(userId) : null,
    q === undefined ? null : withText(q),
    ...rare.map((one) => one?.ids ?? null),
  ].filter((one) => one !== null);
  return [
    ...ofTheRow(userId, filter),
    ...rare.flatMap((one) => one?.otherwise ?? []),
    // The planner estimates few rows for an array, and compares a second one with each of them.
    ...(sets.length === 0 ? [] : [
      sql<boolean>`c.id = any(array(${
        sql.join(sets.map((ids) => sql`(${ids})`), sql` intersect `)
      }))`,
    ]),
  ];
}

/** What the row says, and what the participant has read. */
function ofTheRow(userId: string, filter: Filter): RawBuilder<boolean>[] {
  const { view, status, assignee, team, priority, channel, unread, waitingMinutes } = filter;
  return [
    status === undefined ? null : sql<boolean>`c.status = ${status}`,
    view === "mine" ? sql<boolean>`c.assignee_id = ${userId}::uuid` : null,
    view === "unassigned" ? sql<boolean>`c.assignee_id is null` : null,
    assignee === undefined ? null : sql<boolean>`c.assignee_id = ${assignee}::uuid`,
    team === undefined ? null : sql<boolean>`c.team_id = ${team}::uuid`,
    // Constant, so that the partial index of priorities fits.
    priority === undefined
      ? null
      : sql<boolean>`c.priority = ${sql.lit(priorityLevel(priority))}::smallint`,
    channel === undefined ? null : sql<boolean>`c.platform = ${channel}`,
    // So that the partial index of channels fits.
    channel === undefined || channel === "web" ? null : sql<boolean>`c.platform <> 'web'`,
    waitingMinutes === undefined
      ? null
      : sql<boolean>`c.waiting_since <= now() - make_interval(mins => ${waitingMinutes}::int)`,
    unread === true ? sql<boolean>`${unreadSql(userId)} > 0` : null,
  ].filter((one) => one !== null);
}

/** Of messages that were not deleted. */
function mentionsOf(userId: string): Ids {
  return sql`select n.conversation_id from mentions n join chat_messages m on m.id = n.message_id
    where n.user_id = ${userId}::uuid and m.deleted_at is null`;
}

/** Conversations of the newest messages that have these words, and those that are called so. */
function withText(text: string): Ids {
  const query = sql`search_query(${text})`;
  return sql`select m.conversation_id
      from search_messages(${query}, ${LAST_ID}::uuid, ${RARE}) as found(id)
      join chat_messages m on m.id = found.id
    union select found.id
      from search_conversations(${query}, 'infinity', ${LAST_ID}::uuid, ${RARE}) as found(id)`;
}

/** A set of ids where there are few; otherwise a condition, if the others do not say it. */
interface Rare {
  ids?: Ids;
  otherwise?: RawBuilder<boolean>;
}

function hasLabel(db: Db, label: string): Promise<Rare> {
  const its = sql`select conversation_id from conversation_labels where label_id = ${label}::uuid`;
  return rareOr(db, its, sql<boolean>`exists (${its} and conversation_id = c.id)`);
}

/** Conversations of contacts who have used this widget. */
function wroteIn(db: Db, widget: string): Promise<Rare> {
  const its =
    sql`select w.id from chat_sessions s join conversations w on w.contact_id = s.contact_id
    where s.widget_id = ${widget}::uuid`;
  return rareOr(
    db,
    its,
    sql<boolean>`exists (select from chat_sessions s
      where s.widget_id = ${widget}::uuid and s.contact_id = c.contact_id)`,
  );
}

async function rareOr(db: Db, its: Ids, otherwise: RawBuilder<boolean> | null): Promise<Rare> {
  const { rows: [found] } = await sql<{ n: number }>`
    select count(*)::int as n from (${its} limit ${RARE + 1}) as its`.execute(db);
  return found!.n <= RARE ? { ids: its } : otherwise === null ? {} : { otherwise };
}
