/** The ratings that visitors gave, newest first, with their comments. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { RatingList, RatingQuery } from "../../protocol/analytics.ts";
import { cutPage, exactTime, timeOfCursor } from "../cursor.ts";
import { BYTE_ORDER_MARK, csvLine, localTime } from "./csv.ts";

const PAGE = 50;
/** Ratings in one table; a longer range is cut at its oldest. */
const MAX_ROWS = 10_000;

type Filter = Pick<RatingQuery, "conversationId" | "from" | "to" | "cursor"> & { limit?: number };

/** @param withAgents names the agent who wrote last before the rating, which admins may see */
export async function listRatings(
  db: Db,
  { conversationId, from, to, cursor, limit = PAGE }: Filter,
  withAgents: boolean,
): Promise<RatingList> {
  const below = timeOfCursor(cursor);
  const rows = await db.selectFrom("conversation_ratings as r")
    .innerJoin("conversations as c", "c.id", "r.conversation_id")
    .innerJoin("contacts as p", "p.id", "c.contact_id")
    .leftJoin("users as u", "u.id", "r.agent_id")
    .select([
      "r.conversation_id",
      "r.resolved_seq",
      "r.rating",
      "r.comment",
      "r.created_at",
      "p.name as contact_name",
      "u.name as agent_name",
      exactTime("r.created_at").as("sort_time"),
    ])
    .$if(conversationId !== undefined, (qb) => qb.where("r.conversation_id", "=", conversationId!))
    .$if(from !== undefined, (qb) => qb.where("r.created_at", ">=", from!))
    .$if(to !== undefined, (qb) => qb.where("r.created_at", "<", to!))
    .$if(below !== undefined, (qb) =>
      qb.where(
        sql<boolean>`(r.created_at, r.conversation_id)
          < (${below!.at}::timestamptz, ${below!.id}::uuid)`,
      ))
    .orderBy("r.created_at", "desc").orderBy("r.conversation_id", "desc")
    .limit(limit + 1).execute();
  const page = cutPage(rows, limit, (row) => ({ at: row.sort_time, id: row.conversation_id }));
  return {
    items: page.rows.map((row) => ({
      conversationId: row.conversation_id,
      seq: Number(row.resolved_seq),
      contactName: row.contact_name,
      agentName: withAgents ? row.agent_name : null,
      rating: row.rating,
      comment: row.comment,
      createdAt: row.created_at.toISOString(),
    })),
    nextCursor: page.nextCursor,
  };
}

/** All ratings of a range as a table, with the times of a time zone. */
export async function ratingsCsv(
  db: Db,
  filter: Filter & { timeZone: string },
  withAgents: boolean,
): Promise<string> {
  const { items } = await listRatings(db, { ...filter, limit: MAX_ROWS }, withAgents);
  const head = [`time (${filter.timeZone})`, "rating", "comment", "visitor", "conversation"];
  if (withAgents) head.push("agent");
  const rows = items.map((one) => [
    localTime(one.createdAt, filter.timeZone, false),
    one.rating,
    one.comment,
    one.contactName,
    one.conversationId,
    ...(withAgents ? [one.agentName] : []),
  ]);
  return BYTE_ORDER_MARK + [head, ...rows].map((cells) => csvLine(cells)).join("");
}
