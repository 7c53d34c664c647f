/**
 * The list of conversations, by cursor, in one of several orders. An order has one or two parts, each
 * read through its own index: first those that wait, or have a priority, then all others, newest
 * activity first.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationStatus, Priority } from "../../protocol/model.ts";
import type { ConversationSort, ConversationView } from "../../protocol/rest.ts";
import { decodeCursor, exactTime, refuseCursor, timeOfText, toCursor } from "../cursor.ts";
import { priorityLevel } from "./priority.ts";
import { selectConversations } from "./queries.ts";
import { unreadSql } from "./unread.ts";
import type { FullConversationRow } from "./view.ts";

export interface ListQuery {
  userId: string;
  view?: ConversationView | undefined;
  status?: ConversationStatus | undefined;
  /** A label's id. */
  label?: string | undefined;
  /** A team's id. */
  team?: string | undefined;
  priority?: Priority | undefined;
  /** Default: newest activity first. */
  sort?: ConversationSort | undefined;
  cursor?: string | undefined;
  limit: number;
}

export type ListedRow = FullConversationRow & { unread: number };

export interface ListPage {
  rows: ListedRow[];
  nextCursor: string | null;
}

/** One part of an order. */
interface Part {
  /** Names the part in cursors; "": the part of older cursors, newest first. */
  name: string;
  which: RawBuilder<boolean> | null;
  /** The column of the time in the cursor. */
  time: "c.last_activity_at" | "c.waiting_since";
  order: RawBuilder<unknown>;
  /** Rows after a position. `level` is the priority in the cursor. */
  after: (position: Position) => RawBuilder<boolean>;
  level: RawBuilder<number>;
}

interface Position {
  level: number;
  at: string;
  id: string;
}

const NEWEST = sql`c.last_activity_at desc, c.id desc`;
const afterNewest = ({ at, id }: Position) =>
  sql<boolean>`(c.last_activity_at, c.id) < (${at}::timestamptz, ${id}::uuid)`;
const NO_LEVEL = sql<number>`0`;

function newest(which: RawBuilder<boolean> | null): Part {
  return {
    name: "",
    which,
    time: "c.last_activity_at",
    order: NEWEST,
    after: afterNewest,
    level: NO_LEVEL,
  };
}

const PARTS: Record<ConversationSort, Part[]> = {
  newest: [newest(null)],
  waiting: [
    {
      name: "w",
      which: sql`c.waiting_since is not null`,
      time: "c.waiting_since",
      order: sql`c.waiting_since, c.id`,
      after: ({ at, id }) =>
        sql<boolean>`(c.waiting_since, c.id) > (${at}::timestamptz, ${id}::uuid)`,
      level: NO_LEVEL,
    },
    newest(sql`c.waiting_since is null`),
  ],
  priority: [
    {
      name: "p",
      which: sql`c.priority > 0`,
      time: "c.last_activity_at",
      order: sql`c.priority desc, ${NEWEST}`,
      after: ({ level, at, id }) =>
        sql<boolean>`(c.priority, c.last_activity_at, c.id)
          < (${level}::smallint, ${at}::timestamptz, ${id}::uuid)`,
      level: sql<number>`c.priority`,
    },
    newest(sql`c.priority = 0`),
  ],
};

/** `unread` is of the given user. */
export async function listConversations(db: Db, query: ListQuery): Promise<ListPage> {
  const parts = PARTS[query.sort ?? "newest"];
  const start = readCursor(query.cursor, parts);
  const labelled = query.label === undefined ? null : await hasLabel(db, query.label);
  const found: { part: Part; row: ListedRow & { sort_time: string; sort_level: number } }[] = [];
  for (const [i, part] of parts.entries()) {
    if (i < start.part || found.length > query.limit) continue;
    const after = i === start.part ? start.position : null;
    const rows = await selectConversations(db)
      .leftJoin(
        "participants as p",
        (join) => join.onRef("p.conversation_id", "=", "c.id").on("p.user_id", "=", query.userId),
      )
      .select([
        unreadSql(query.userId).as("unread"),
        exactTime(part.time).as("sort_time"),
        part.level.as("sort_level"),
      ])
      .where((eb) => eb.and(conditions(query, part, labelled, after)))
      .orderBy(part.order)
      .limit(query.limit + 1 - found.length).execute();
    found.push(...rows.map((row) => ({ part, row })));
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const nextCursor = found.length <= query.limit || last === undefined
    ? null
    : writeCursor(last.part, {
      level: last.row.sort_level,
      at: last.row.sort_time,
      id: last.row.id,
    });
  return { rows: page.map(({ row }) => row), nextCursor };
}

function conditions(
  { userId, view, status, team, priority }: ListQuery,
  part: Part,
  labelled: RawBuilder<boolean> | null,
  after: Position | null,
): RawBuilder<boolean>[] {
  return [
    status === undefined ? null : sql<boolean>`c.status = ${status}`,
    view === "mine" ? sql<boolean>`c.assignee_id = ${userId}::uuid` : null,
    view === "unassigned" ? sql<boolean>`c.assignee_id is null` : null,
    team === undefined ? null : sql<boolean>`c.team_id = ${team}::uuid`,
    // Constant, so that the partial index of priorities fits.
    priority === undefined
      ? null
      : sql<boolean>`c.priority = ${sql.lit(priorityLevel(priority))}::smallint`,
    labelled,
    part.which,
    after === null ? null : part.after(after),
  ].filter((one) => one !== null);
}

function writeCursor({ name }: Part, { level, at, id }: Position): string {
  return toCursor(name === "" ? { at, id } : `${name}${level} ${at} ${id}`);
}

/** @throws {ParleyError} `invalid` for anything but a cursor of a list in this order. */
function readCursor(
  cursor: string | undefined,
  parts: Part[],
): { part: number; position: Position | null } {
  if (cursor === undefined) return { part: 0, position: null };
  const text = decodeCursor(cursor);
  const [, name = "", level = "0", rest = ""] = /^(?:([a-z])(\d) )?(.*)$/.exec(text) ?? [];
  const part = parts.findIndex((one) => one.name === name);
  const time = timeOfText(rest);
  if (part === -1 || time === null) refuseCursor(cursor);
  return { part, position: { level: Number(level), ...time } };
}

/**
 * Up to so many conversations of a label are looked up and sorted. With more of them, the list is
 * scanned in its order, which finds some soon; for a rare label that could be a scan of all.
 */
const RARE = 2000;

async function hasLabel(db: Db, label: string): Promise<RawBuilder<boolean>> {
  const its = sql`select conversation_id from conversation_labels where label_id = ${label}::uuid`;
  const { rows: [found] } = await sql<{ n: number }>`
    select count(*)::int as n from (${its} limit ${RARE + 1}) as its`.execute(db);
  // The planner estimates few rows for an array.
  if (found!.n <= RARE) return sql<boolean>`c.id = any(array(${its}))`;
  return sql<boolean>`exists (${its} and conversation_id = c.id)`;
}
