/** Marks many conversations as read: moves the pointer in each, as a reader would. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { ReadConversationsBody } from "../../protocol/notifications.ts";
import type { Actor } from "./unit_of_work.ts";
import { mayBeUnread, unreadCounts, unreadSql } from "./unread.ts";
import type { Writer } from "./writer.ts";

/** Pointers that wait for the writer at a time, so that other changes are not delayed by all of them. */
const CHUNK = 200;

interface Unread {
  id: string;
  last_seq: number;
}

export interface ReadMany {
  read: number;
  totalUnread: number;
  unreadCounts: Record<string, number>;
}

/**
 * Reads each conversation up to its current end; what arrives meanwhile stays unread. Ignores ids of
 * unknown conversations.
 */
export async function readMany(
  db: Db,
  writer: Writer,
  actor: Actor,
  which: ReadConversationsBody,
): Promise<ReadMany> {
  const { userId } = actor;
  const ids = "ids" in which ? which.ids : null;
  let read = 0;
  let after: string | null = null;
  for (;;) {
    const page: Unread[] = await nextUnread(db, userId, ids, after);
    const results = await Promise.allSettled(
      page.map(({ id: conversationId, last_seq: seq }) =>
        writer.write({ kind: "pointer", conversationId, actor, seq, read: true })
      ),
    );
    for (const result of results) {
      if (result.status === "fulfilled") read++;
      else if (!isGone(result.reason)) throw result.reason;
    }
    if (page.length < CHUNK) break;
    after = page.at(-1)!.id;
  }
  const counts = (await unreadCounts(db, [userId])).get(userId) ?? {};
  const totalUnread = Object.values(counts).reduce((sum, n) => sum + n, 0);
  return { read, totalUnread, unreadCounts: counts };
}

/** The conversation was deleted meanwhile. */
function isGone(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "not_found";
}

async function nextUnread(
  db: Db,
  userId: string,
  ids: string[] | null,
  after: string | null,
): Promise<Unread[]> {
  return await db.selectFrom("conversations as c")
    .leftJoin(
      "participants as p",
      (join) => join.onRef("p.conversation_id", "=", "c.id").on("p.user_id", "=", userId),
    )
    .select(["c.id", "c.last_seq"])
    .where(unreadSql(userId), ">", 0)
    .where(
      ids === null ? sql<boolean>`c.id in (${mayBeUnread(userId)})` : sql<boolean>`
      c.id = any(${ids}::uuid[])`,
    )
    .$if(after !== null, (qb) => qb.where("c.id", ">", after!))
    .orderBy("c.id").limit(CHUNK).execute();
}
