import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { Attributes } from "../../protocol/contacts.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Contact, Page, WidgetConfig } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { createLoader } from "../loader.ts";
import type { VisitorPrincipal } from "../principal.ts";
import { hashSecret, newSecret } from "../secrets.ts";
import { BY_VISITOR, firstColumns } from "./attributes.ts";
import { findContact, type Renames, updateContact, visitorName } from "./contacts.ts";
import { originAllowed, type OriginCheck } from "./origins.ts";
import type { Pages } from "./pages.ts";
import { findWidgetByKey, fullAppearance } from "./widgets.ts";

export interface SessionRequest {
  widgetKey: string;
  sessionId?: string | undefined;
  name?: string | undefined;
  email?: string | undefined;
  attributes?: Attributes | undefined;
  page?: Page | undefined;
  locale?: string | undefined;
}

export interface OpenSession {
  /** The secret, which is stored only as a hash. */
  sessionId: string;
  expiresAt: Date;
  contact: Contact;
  conversationId: string | null;
  unread: number;
  widget: WidgetConfig;
}

interface Options {
  lifeMs: number;
  now?: () => number;
}

/**
 * Opens a visitor's session, or continues the one that the browser still has.
 *
 * @throws {ParleyError} `not_found` for a wrong key, `origin_not_allowed` for a website that is not
 * on the widget's list.
 */
export async function openSession(
  db: Db,
  bus: EventBus,
  request: SessionRequest,
  from: OriginCheck & { userAgent: string | null },
  { lifeMs, renames, pages, now = Date.now }: Options & {
    renames: Renames;
    pages: Pick<Pages, "seen">;
  },
): Promise<OpenSession> {
  const widget = await findWidgetByKey(db, request.widgetKey);
  if (!originAllowed(from, widget.allowedOrigins)) {
    throw new ParleyError(
      "origin_not_allowed",
      `Cannot open a session: "${from.origin}" is not an allowed origin of this widget`,
    );
  }
  const expiresAt = new Date(now() + lifeMs);
  const continued = request.sessionId === undefined
    ? null
    : await continueSession(db, request, widget.id, expiresAt, now());
  const { sessionId, contactId } = continued ??
    await insertSession(db, request, widget.id, from, expiresAt);
  const { name, email, attributes, page } = request;
  if (continued !== null && [name, email, attributes].some((given) => given !== undefined)) {
    await updateContact(db, bus, contactId, { name, email, attributes }, BY_VISITOR, renames);
  }
  if (page !== undefined) {
    await pages.seen({ contactId, sessionHash: await hashSecret(sessionId) }, page);
  }
  return {
    sessionId,
    expiresAt,
    widget,
    ...await sessionState(db, contactId),
  };
}

async function continueSession(
  db: Db,
  request: SessionRequest,
  widgetId: string,
  expiresAt: Date,
  now: number,
): Promise<{ sessionId: string; contactId: string } | null> {
  const sessionId = request.sessionId!;
  const row = await db.updateTable("chat_sessions").set({
    last_seen_at: new Date(now),
    expires_at: expiresAt,
  }).where("session_id", "=", await hashSecret(sessionId))
    .where("widget_id", "=", widgetId)
    .where("expires_at", ">", new Date(now))
    .where("ended_at", "is", null)
    .returning("contact_id").executeTakeFirst();
  return row === undefined ? null : { sessionId, contactId: row.contact_id };
}

async function insertSession(
  db: Db,
  request: SessionRequest,
  widgetId: string,
  from: OriginCheck & { userAgent: string | null },
  expiresAt: Date,
): Promise<{ sessionId: string; contactId: string }> {
  const sessionId = newSecret();
  const contactId = uuidv7();
  const hash = await hashSecret(sessionId);
  await db.transaction().execute(async (trx) => {
    await trx.insertInto("contacts").values({
      id: contactId,
      name: request.name ?? visitorName(contactId),
      email: request.email ?? null,
      ...firstColumns(request),
      last_seen_at: new Date(),
    }).execute();
    await trx.insertInto("chat_sessions").values({
      id: uuidv7(),
      session_id: hash,
      widget_id: widgetId,
      contact_id: contactId,
      origin: from.origin,
      user_agent: from.userAgent?.slice(0, 300) ?? null,
      locale: request.locale ?? null,
      expires_at: expiresAt,
    }).execute();
  });
  return { sessionId, contactId };
}

async function sessionState(db: Db, contactId: string) {
  const contact = await findContact(db, contactId);
  const conversation = await db.selectFrom("conversations as c")
    .leftJoin(
      "participants as p",
      (join) => join.onRef("p.conversation_id", "=", "c.id").on("p.user_id", "=", contactId),
    )
    .select(["c.id", "c.outbound_count", "p.read_outbound"])
    .where("c.contact_id", "=", contactId).where("c.platform", "=", "web")
    .executeTakeFirst();
  return {
    contact,
    conversationId: conversation?.id ?? null,
    unread: conversation === undefined
      ? 0
      : conversation.outbound_count - (conversation.read_outbound ?? 0),
  };
}

/** The expiry of a session in use is extended at most this often. */
const SLIDE_EVERY_MS = 3_600_000;

/**
 * Resolves a session id to its visitor. Use extends the session to `lifeMs` from now. Throws
 * `invalid_session`, also when the session has ended or its widget is disabled.
 */
export function createSessionCheck(
  db: Db,
  options: Options,
): (sessionId: string) => Promise<VisitorPrincipal> {
  const find = createLoader((hashes: string[]) => findSessions(db, hashes, options));
  return async (sessionId) => {
    const principal = await find(await hashSecret(sessionId));
    if (principal !== null) return principal;
    throw new ParleyError(
      "invalid_session",
      "Cannot authenticate: the session is unknown or has ended",
    );
  };
}

/** In the order of the hashes; null where there is no valid session. */
async function findSessions(
  db: Db,
  hashes: string[],
  { lifeMs, now = Date.now }: Options,
): Promise<(VisitorPrincipal | null)[]> {
  const rows = await db.selectFrom("chat_sessions as s")
    .innerJoin("contacts as c", "c.id", "s.contact_id")
    .innerJoin("widget_configs as w", "w.id", "s.widget_id")
    .select([
      "s.id",
      "s.session_id",
      "s.contact_id",
      "s.expires_at",
      "s.widget_id",
      "c.name",
      "c.blocked_at",
      "w.allowed_origins",
      "w.appearance",
    ])
    .where(sql<boolean>`s.session_id = any(${hashes}::text[])`)
    .where("s.expires_at", ">", new Date(now()))
    .where("s.ended_at", "is", null)
    .where("w.enabled", "=", true)
    .execute();
  const expiresAt = now() + lifeMs;
  const slides = (row: { expires_at: Date }) =>
    expiresAt - row.expires_at.getTime() > SLIDE_EVERY_MS;
  const sliding = rows.filter(slides).map(({ id }) => id);
  if (sliding.length > 0) await slideSessions(db, sliding, new Date(expiresAt), new Date(now()));
  const byHash = new Map(rows.map((row) => [row.session_id, row]));
  return hashes.map((sessionHash) => {
    const row = byHash.get(sessionHash);
    if (row === undefined) return null;
    return {
      kind: "visitor",
      userId: row.contact_id,
      userName: row.name,
      sessionHash,
      sessionRow: row.id,
      widgetId: row.widget_id,
      appearance: fullAppearance(row.appearance),
      allowedOrigins: row.allowed_origins,
      expiresAt: slides(row) ? expiresAt : row.expires_at.getTime(),
      ...(row.blocked_at === null ? {} : { isBlocked: true as const }),
    };
  });
}

/** Locks the rows in the order of their ids, so that nodes cannot deadlock. */
async function slideSessions(db: Db, ids: string[], expiresAt: Date, at: Date): Promise<void> {
  await db.with(
    "locked",
    (qb) =>
      qb.selectFrom("chat_sessions").select("id").where(sql<boolean>`id = any(${ids}::uuid[])`)
        .orderBy("id").forUpdate(),
  )
    .updateTable("chat_sessions as s").from("locked")
    .set({ expires_at: expiresAt, last_seen_at: at })
    .whereRef("s.id", "=", "locked.id").execute();
}

/** Ends a session at its visitor's request; the messages remain with the contact. */
export async function endSession(db: Db, bus: EventBus, sessionHash: string): Promise<void> {
  await db.updateTable("chat_sessions").set({ ended_at: new Date() })
    .where("session_id", "=", sessionHash).execute();
  bus.emit("session.ended", { sessionHash });
}

/** The contact's conversation on the website, or null before their first message. */
export async function webConversationOf(db: Db, contactId: string): Promise<string | null> {
  return (await webConversationsOf(db, [contactId]))[0]!;
}

/** The same of each of these contacts, in their order. */
export async function webConversationsOf(
  db: Db,
  contactIds: string[],
): Promise<(string | null)[]> {
  const rows = await db.selectFrom("conversations").select(["id", "contact_id"])
    .where(sql<boolean>`contact_id = any(${contactIds}::uuid[])`).where("platform", "=", "web")
    .execute();
  const byContact = new Map(rows.map((row) => [row.contact_id, row.id]));
  return contactIds.map((id) => byContact.get(id) ?? null);
}
