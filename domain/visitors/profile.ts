/** What an agent sees of a contact beside a thread: everything that is known, the newest first. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ContactRow } from "../../db/types.ts";
import type { ContactProfile, Episode, Visit } from "../../protocol/contacts.ts";
import { previewOf } from "../conversations/replies.ts";
import { formatText } from "../formatting/format_text.ts";
import { attributesOf } from "./attributes.ts";
import { toContact } from "./contacts.ts";
import { groupOf, mergesOf } from "./groups.ts";
import type { Pages } from "./pages.ts";

const VISITS = 5;
const PAGES = 10;
const IDENTITIES = 20;
/** Conversations, and parts of them, that are shown. */
const EPISODES = 20;
const PREVIEW = 160;

/** @throws {ParleyError} `not_found`. */
export async function readProfile(
  db: Db,
  pages: Pick<Pages, "list">,
  id: string,
): Promise<ContactProfile> {
  const members = await groupOf(db, id);
  const [root] = members as [ContactRow, ...ContactRow[]];
  const ids = members.map((member) => member.id);
  const [merges, identities, visits, seen, referrer, episodes] = await Promise.all([
    mergesOf(db, root.id),
    identitiesOf(db, ids),
    visitsOf(db, ids),
    pages.list(ids, { limit: PAGES }),
    referrerOf(db, ids),
    episodesOf(db, ids),
  ]);
  return {
    contact: toContact(root),
    memberIds: ids,
    merges,
    blocked: root.blocked_at && { at: root.blocked_at.toISOString(), by: root.blocked_by },
    provenance: root.provenance,
    attributes: attributesOf(members),
    identities,
    visits,
    pages: seen.items.slice(0, PAGES),
    referrer: referrer ?? seen.items.findLast((page) => page.referrer)?.referrer ?? null,
    episodes,
  };
}

async function identitiesOf(db: Db, ids: string[]) {
  const rows = await db.selectFrom("contact_identities").selectAll()
    .where("contact_id", "in", ids).orderBy("created_at").limit(IDENTITIES).execute();
  return rows.map((row) => ({
    platform: row.platform,
    externalId: row.external_id,
    verified: row.verified,
    createdAt: row.created_at.toISOString(),
  }));
}

async function visitsOf(db: Db, ids: string[]): Promise<Visit[]> {
  const rows = await db.selectFrom("chat_sessions as s")
    .innerJoin("widget_configs as w", "w.id", "s.widget_id")
    .select(["w.name", "s.origin", "s.user_agent", "s.locale", "s.created_at", "s.last_seen_at"])
    .where("s.contact_id", "in", ids).orderBy("s.last_seen_at", "desc").limit(VISITS).execute();
  return rows.map((row) => ({
    widgetName: row.name,
    origin: row.origin,
    userAgent: row.user_agent,
    language: row.locale,
    startedAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
  }));
}

async function referrerOf(db: Db, ids: string[]): Promise<string | null> {
  const row = await db.selectFrom("contact_pages").select("referrer")
    .where("contact_id", "in", ids).where("referrer", "is not", null)
    .orderBy("id").limit(1).executeTakeFirst();
  return row?.referrer ?? null;
}

type EpisodeRow = Omit<Episode, "startedAt" | "endedAt"> & { startedAt: Date; endedAt: Date };

/** A conversation goes on for years: the times that it was resolved divide it. */
export async function episodesOf(db: Db, contactIds: string[]): Promise<Episode[]> {
  const { rows } = await sql<EpisodeRow>`
    with own as (
      select id, platform, context_id, status, last_seq, created_at, last_activity_at
      from conversations where contact_id = any(${contactIds}::uuid[])
      order by last_activity_at desc limit ${EPISODES}
    ), ends as (
      select e.conversation_id, e.seq from conversation_events e
      join own on own.id = e.conversation_id
      where e.type = 'conversation_changed' and e.payload->>'status' = 'resolved'
      union
      select id, last_seq from own
    ), parts as (
      select conversation_id, seq as to_seq, coalesce(lag(seq) over (
        partition by conversation_id order by seq), 0) as after_seq
      from ends
    )
    select o.id as "conversationId", o.platform, o.context_id as "contextId",
      p.after_seq as "afterSeq", p.to_seq as "toSeq",
      case when p.to_seq = o.last_seq then o.status else 'resolved' end as status,
      coalesce(m.first_at, o.created_at) as "startedAt", m.last_at as "endedAt",
      m.messages, coalesce(m.preview, '') as preview
    from parts p join own o on o.id = p.conversation_id
    cross join lateral (
      select count(*)::int as messages, min(created_at) as first_at, max(created_at) as last_at,
        left((array_agg(content order by seq)
          filter (where sender_role = 'visitor'))[1], ${sql.lit(PREVIEW)}) as preview
      from chat_messages where conversation_id = p.conversation_id
        and seq > p.after_seq and seq <= p.to_seq
        and type = 'text' and not is_private and deleted_at is null
    ) m
    where m.messages > 0
    order by m.last_at desc limit ${EPISODES}`.execute(db);
  return rows.map((row) => ({
    ...row,
    preview: previewOf({ content: row.preview, formatted: formatText(row.preview), files: null }),
    startedAt: row.startedAt.toISOString(),
    endedAt: row.endedAt.toISOString(),
  }));
}
