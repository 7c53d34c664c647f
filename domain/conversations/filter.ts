/** The conditions of the list of conversations and of its counts, as SQL about conversations `c`. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationFilter } from "../../protocol/rest.ts";
import { LAST_ID } from "../cursor.ts";
import { priorityLevel } from "./priority.ts";
import { mayBeUnread, unreadSql } from "./unread.ts";

type Filter = { [K in keyof ConversationFilter]?: ConversationFilter[K] | undefined };

/**
 * Up to so many conversations of a label, a widget or a text are looked up and sorted. With more of
 * them, the list is scanned in its order, which finds some soon; for few that could be a scan of all.
 */
const RARE = 2000;

/** Whether the conditions need the agent's participant `p`. */
export function needsParticipant({ unread }: Filter): boolean {
  return unread === true;
}

/** All of them have to hold. @param userId whose "mine", mentions and unread messages are meant */
export async function filterConditions(
  db: Db,
  userId: string,
  filter: Filter,
): Promise<RawBuilder<boolean>[]> {
  const { view, status, assignee, team, label, priority, channel, widget } = filter;
  const { unread, waitingMinutes, q } = filter;
  const conditions = [
    status === undefined ? null : sql<boolean>`c.status = ${status}`,
    view === "mine" ? sql<boolean>`c.assignee_id = ${userId}::uuid` : null,
    view === "unassigned" ? sql<boolean>`c.assignee_id is null` : null,
    view === "mentions" ? isOneOf(mentionsOf(userId)) : null,
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
    unread === true ? isOneOf(mayBeUnread(userId)) : null,
    unread === true ? sql<boolean>`${unreadSql(userId)} > 0` : null,
    q === undefined ? null : isOneOf(withText(q)),
    label === undefined ? null : await hasLabel(db, label),
    widget === undefined ? null : await wroteIn(db, widget),
  ];
  return conditions.filter((one) => one !== null);
}

/** The planner estimates few rows for an array. */
function isOneOf(ids: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`c.id = any(array(${ids}))`;
}

/** Of messages that were not deleted. */
function mentionsOf(userId: string): RawBuilder<unknown> {
  return sql`select n.conversation_id from mentions n join chat_messages m on m.id = n.message_id
    where n.user_id = ${userId}::uuid and m.deleted_at is null`;
}

/** Conversations of the newest messages that have these words, and those that are called so. */
function withText(text: string): RawBuilder<unknown> {
  const query = sql`search_query(${text})`;
  return sql`select m.conversation_id
      from search_messages(${query}, ${LAST_ID}::uuid, ${RARE}) as found(id)
      join chat_messages m on m.id = found.id
    union select found.id
      from search_conversations(${query}, 'infinity', ${LAST_ID}::uuid, ${RARE}) as found(id)`;
}

function hasLabel(db: Db, label: string): Promise<RawBuilder<boolean>> {
  const its = sql`select conversation_id from conversation_labels where label_id = ${label}::uuid`;
  return rareOr(db, its, sql<boolean>`exists (${its} and conversation_id = c.id)`);
}

/** Conversations of contacts who have used this widget. */
function wroteIn(db: Db, widget: string): Promise<RawBuilder<boolean>> {
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

async function rareOr(
  db: Db,
  its: RawBuilder<unknown>,
  otherwise: RawBuilder<boolean>,
): Promise<RawBuilder<boolean>> {
  const { rows: [found] } = await sql<{ n: number }>`
    select count(*)::int as n from (${its} limit ${RARE + 1}) as its`.execute(db);
  return found!.n <= RARE ? isOneOf(its) : otherwise;
}
