/**
 * Drafts of agents. The last change wins, but only one that was made with knowledge of the version
 * before: what was written on another device in the meantime is not lost without a word.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { DraftRow } from "../../db/types.ts";
import {
  type Draft,
  type DraftList,
  type DraftQuery,
  MAX_DRAFTS,
  type SaveDraftBody,
} from "../../protocol/drafts.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";

type Content = Pick<DraftRow, "conversation_id" | "mode" | "content" | "version" | "updated_at">;

const NEXT_VERSION = sql<number>`nextval('draft_versions')`;

function toDraft(row: Content): Draft {
  return {
    conversationId: row.conversation_id,
    mode: row.mode,
    content: row.content,
    version: row.version,
    updatedAt: row.updated_at.toISOString(),
  };
}

/** @throws {ParleyError} `invalid` for a cursor of another list. */
export async function listDrafts(
  db: Db,
  userId: string,
  { conversationId, cursor, limit = 100 }: DraftQuery,
): Promise<DraftList> {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
    throw new ParleyError("invalid", "Cannot read the list: the cursor is not valid", {
      fields: [{ path: "cursor", message: "must be the nextCursor of the page before" }],
    });
  }
  const rows = await db.selectFrom("drafts").selectAll().where("user_id", "=", userId)
    .$if(conversationId !== undefined, (qb) => qb.where("conversation_id", "=", conversationId!))
    .$if(cursor !== undefined, (qb) => qb.where("version", "<", Number(cursor)))
    .orderBy("version", "desc").limit(limit + 1).execute();
  const items = rows.slice(0, limit).map(toDraft);
  return { items, nextCursor: rows.length > limit ? String(items.at(-1)!.version) : null };
}

/**
 * Stores a draft, or deletes it where nothing is left of it, and tells the agent's other devices.
 *
 * @returns the draft as it is now; `content` is "" where it was deleted
 * @throws {ParleyError} `not_found` without such a conversation; `precondition_failed` where it was
 * changed since `version`; `conflict` with MAX_DRAFTS others.
 */
export async function saveDraft(
  db: Db,
  bus: EventBus,
  userId: string,
  conversationId: string,
  change: SaveDraftBody,
): Promise<Draft> {
  const { draft, isChanged } = await db.transaction().execute(async (trx) => {
    const key = { user_id: userId, conversation_id: conversationId, mode: change.mode };
    // A new draft has no row to lock.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`draft:${userId}`}, 0))`.execute(trx);
    const current = await trx.selectFrom("drafts").selectAll()
      .where("user_id", "=", userId).where("conversation_id", "=", conversationId)
      .where("mode", "=", change.mode).executeTakeFirst();
    if (current === undefined) return await makeDraft(trx, key, change.content);
    return await changeDraft(trx, current, change);
  });
  if (isChanged) bus.emit("draft.saved", { userId, draft });
  return draft;
}

type Saved = { draft: Draft; isChanged: boolean };

async function makeDraft(
  trx: Db,
  key: Pick<DraftRow, "user_id" | "conversation_id" | "mode">,
  content: string,
): Promise<Saved> {
  const conversation = await trx.selectFrom("conversations").select("id")
    .where("id", "=", key.conversation_id).executeTakeFirst();
  if (conversation === undefined) {
    throw new ParleyError("not_found", `Cannot find the conversation "${key.conversation_id}"`);
  }
  if (content.trim() === "") {
    const { rows: [row] } = await sql<{ version: number }>`
      select ${NEXT_VERSION} as version`.execute(trx);
    const none = { ...key, content: "", version: row!.version, updated_at: new Date() };
    return { draft: toDraft(none), isChanged: false };
  }
  const { n } = await trx.selectFrom("drafts").select((eb) => eb.fn.countAll<number>().as("n"))
    .where("user_id", "=", key.user_id).executeTakeFirstOrThrow();
  if (Number(n) >= MAX_DRAFTS) {
    throw new ParleyError("conflict", `Cannot keep the draft: there are ${n} already`);
  }
  const row = await trx.insertInto("drafts").values({ ...key, content, version: NEXT_VERSION })
    .returningAll().executeTakeFirstOrThrow();
  return { draft: toDraft(row), isChanged: true };
}

async function changeDraft(
  trx: Db,
  current: DraftRow,
  { content, version }: SaveDraftBody,
): Promise<Saved> {
  if (current.content === content) return { draft: toDraft(current), isChanged: false };
  if (version !== undefined && version !== current.version) {
    throw new ParleyError(
      "precondition_failed",
      `Cannot save the draft: it was changed at ${current.updated_at.toISOString()}`,
    );
  }
  const where = sql`user_id = ${current.user_id} and conversation_id = ${current.conversation_id}
    and mode = ${current.mode}`;
  const returning = sql`conversation_id, mode, updated_at`;
  const { rows: [row] } = content.trim() === ""
    ? await sql<Content>`delete from drafts where ${where}
        returning ${returning}, '' as content, ${NEXT_VERSION} as version`.execute(trx)
    : await sql<Content>`update drafts
        set content = ${content}, version = ${NEXT_VERSION}, updated_at = now()
        where ${where} returning ${returning}, content, version`.execute(trx);
  // Deleted with its conversation at this moment.
  if (row === undefined) {
    throw new ParleyError("not_found", `Cannot find the conversation "${current.conversation_id}"`);
  }
  return { draft: toDraft(row), isChanged: true };
}
