/**
 * The pages that visitors see. Those of contacts who wrote are stored. Those of others are only in
 * the memory of the node that they were reported to, and are stored when the contact writes.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { SeenPage } from "../../protocol/contacts.ts";
import type { Page } from "../../protocol/model.ts";
import { cutPage, idOfCursor } from "../cursor.ts";
import type { EventBus } from "../events.ts";

/** Pages of one visitor in memory. */
const TRAIL = 10;
/** Milliseconds after the last page until a visitor's pages are forgotten. */
const FORGET_MS = 1_800_000;

interface Trail {
  pages: SeenPage[];
  sessionHash: string;
  at: number;
}

export interface Pages {
  /** A visitor has opened a page. */
  seen(visitor: { contactId: string; sessionHash: string }, page: Page): Promise<void>;
  /** Newest first; with those in memory on the first page. */
  list(
    contactIds: string[],
    query: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: SeenPage[]; nextCursor: string | null }>;
  /** Until what this contact saw before they wrote is stored. */
  stored(contactId: string): Promise<void>;
  /** The same of all contacts. */
  idle(): Promise<void>;
}

export function createPages(options: {
  db: Db;
  bus: EventBus;
  /** Visitors whose pages are in memory; the oldest are forgotten. */
  maxTrails: number;
  /** Stored pages of one contact; the oldest are deleted. */
  maxStored: number;
  onError: (error: unknown) => void;
  now?: () => number;
}): Pages {
  const { db, bus, maxTrails, maxStored, onError, now = Date.now } = options;
  /** The one with the oldest page first. */
  const trails = new Map<string, Trail>();
  const running = new Map<string, Promise<void>>();

  bus.on("conversation.logged", ({ entries }) => {
    for (const { forAgents } of entries) {
      if (forAgents.type !== "message" || forAgents.data.sender.role !== "visitor") continue;
      const contactId = forAgents.data.sender.userId;
      const trail = take(contactId);
      if (trail !== undefined) storeNext(contactId, trail).catch(onError);
    }
  });

  /** After what is being stored of this contact, so that the last page is the last. */
  function storeNext(contactId: string, { sessionHash, pages }: Trail): Promise<void> {
    const work = (running.get(contactId) ?? Promise.resolve())
      .then(() => store(contactId, sessionHash, pages));
    const settled: Promise<void> = work.catch(() => {}).finally(() => {
      if (running.get(contactId) === settled) running.delete(contactId);
    });
    running.set(contactId, settled);
    return work;
  }

  function take(contactId: string): Trail | undefined {
    const trail = trails.get(contactId);
    trails.delete(contactId);
    return trail;
  }

  function remember(contactId: string, sessionHash: string, page: SeenPage): void {
    const before = take(contactId)?.pages ?? [];
    const pages = before.at(-1)?.url === page.url ? before.slice(0, -1) : before;
    const last = pages.length < before.length ? before.at(-1) : undefined;
    const next = { ...page, referrer: page.referrer ?? last?.referrer };
    trails.set(contactId, { pages: [...pages, next].slice(-TRAIL), sessionHash, at: now() });
    for (const [id, { at }] of trails) {
      if (trails.size <= maxTrails && now() - at < FORGET_MS) break;
      trails.delete(id);
    }
  }

  async function store(contactId: string, sessionHash: string, pages: SeenPage[]): Promise<void> {
    const last = pages.at(-1)!;
    const rows = await withoutRepeats(contactId, pages);
    await db.transaction().execute(async (trx) => {
      // Locked, so that it is not erased meanwhile.
      const contact = await trx.selectFrom("contacts").select("id").where("id", "=", contactId)
        .forShare().executeTakeFirst();
      if (contact === undefined) return;
      if (rows.length > 0) {
        await trx.insertInto("contact_pages").values(rows.map((page) => ({
          id: uuidv7(),
          contact_id: contactId,
          url: page.url,
          title: page.title ?? null,
          referrer: page.referrer ?? null,
          seen_at: page.seenAt,
        }))).execute();
        await sql`delete from contact_pages where contact_id = ${contactId} and id <= (
          select id from contact_pages where contact_id = ${contactId}
          order by id desc offset ${maxStored} limit 1)`.execute(trx);
      }
      await trx.updateTable("chat_sessions")
        .set({ page_url: last.url, page_title: last.title ?? null, last_seen_at: new Date() })
        .where("session_id", "=", sessionHash).execute();
    });
  }

  /** The same page again, such as after a reload, is no further page. */
  async function withoutRepeats(contactId: string, pages: SeenPage[]): Promise<SeenPage[]> {
    const newest = await db.selectFrom("contact_pages").select("url")
      .where("contact_id", "=", contactId).orderBy("id", "desc").limit(1).executeTakeFirst();
    return pages.filter(({ url }, i) => url !== (i === 0 ? newest?.url : pages[i - 1]!.url));
  }

  async function hasWritten(contactId: string): Promise<boolean> {
    const row = await db.selectFrom("conversations").select("id")
      .where("contact_id", "=", contactId).where("inbound_count", ">", 0).limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  return {
    async seen({ contactId, sessionHash }, page) {
      const seen = { ...page, seenAt: new Date(now()).toISOString() };
      // Remembered first: a message that is stored meanwhile takes it along.
      remember(contactId, sessionHash, seen);
      if (!await hasWritten(contactId)) return;
      const trail = take(contactId);
      if (trail !== undefined) await storeNext(contactId, trail);
    },
    async list(contactIds, { cursor, limit }) {
      const below = idOfCursor(cursor);
      const rows = await db.selectFrom("contact_pages").selectAll()
        .where("contact_id", "in", contactIds)
        .$if(below !== undefined, (qb) => qb.where("id", "<", below!))
        .orderBy("id", "desc").limit(limit + 1).execute();
      const { rows: stored, nextCursor } = cutPage(rows, limit, ({ id }) => id);
      const remembered = below !== undefined
        ? []
        : contactIds.flatMap((id) => trails.get(id)?.pages.toReversed() ?? []);
      const items = stored.map((row): SeenPage => ({
        url: row.url,
        ...(row.title === null ? {} : { title: row.title }),
        ...(row.referrer === null ? {} : { referrer: row.referrer }),
        seenAt: row.seen_at.toISOString(),
      }));
      return { items: [...remembered, ...items], nextCursor };
    },
    stored: (contactId) => running.get(contactId) ?? Promise.resolve(),
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
