/**
 * The list of conversations, by cursor, in one of several orders. An order has one or two parts, each
 * read through its own index: first those that wait, or have a priority, then all others, newest
 * activity first.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ConversationFilter, ConversationSort } from "../../protocol/rest.ts";
import { decodeCursor, exactTime, refuseCursor, timeOfText, toCursor } from "../cursor.ts";
import { filterConditions } from "./filter.ts";
import { selectConversations } from "./queries.ts";
import { unreadSql } from "./unread.ts";
import type { FullConversationRow } from "./view.ts";

export type ListQuery = { [K in keyof ConversationFilter]?: ConversationFilter[K] | undefined } & {
  userId: string;
  cursor?: string | undefined;
  limit: number;
};

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
  const conditions = await filterConditions(db, query.userId, query);
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
      .where((eb) =>
        eb.and([
          ...conditions,
          ...(part.which === null ? [] : [part.which]),
          ...(after === null ? [] : [part.after(after)]),
        ])
      )
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
