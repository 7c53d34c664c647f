import { sql } from "kysely";
import type { Db } from "../db/database.ts";
import type { AuditRow } from "../db/types.ts";
import { uuidv7 } from "../db/uuid.ts";
import {
  AUDIT_ACTIONS,
  type AuditAction,
  AuditActorKind,
  type AuditEntry,
  type AuditFilter,
  type AuditList,
} from "../protocol/audit.ts";
import { cutPage, idOfCursor } from "./cursor.ts";

/** Who does something, and from where. The name is stored, so that it is known after a deletion. */
export interface Actor {
  kind: AuditActorKind;
  id: string | null;
  name: string | null;
  address: string | null;
  userAgent: string | null;
}

/** The server itself, such as at its start. */
export const SYSTEM: Actor = {
  kind: "system",
  id: null,
  name: null,
  address: null,
  userAgent: null,
};

export interface NewAuditEntry {
  action: AuditAction;
  /** The object of the action. */
  subject?: { id: string | null; name?: string | null };
  /** Never a secret, and never what people wrote to each other. */
  data?: Record<string, unknown>;
  result?: "done" | "refused";
}

const MAX_TEXT = 300;
const short = (text: string | null | undefined) => text?.slice(0, MAX_TEXT) ?? null;

/** Writes an audit entry; within a transaction it is stored together with the change. */
export async function audit(db: Db, actor: Actor, entry: NewAuditEntry): Promise<void> {
  await db.insertInto("audit_log").values({
    id: uuidv7(),
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: short(actor.name),
    action: entry.action,
    subject: short(entry.subject?.id),
    subject_name: short(entry.subject?.name),
    result: entry.result ?? "done",
    data: JSON.stringify(entry.data ?? {}),
    address: actor.address,
    user_agent: short(actor.userAgent),
  }).execute();
}

/** Newest first. */
export async function listAudit(
  db: Db,
  filter: AuditFilter & { cursor?: string | undefined; limit: number },
): Promise<AuditList> {
  let query = db.selectFrom("audit_log").selectAll().orderBy("id", "desc").limit(filter.limit + 1);
  const below = idOfCursor(filter.cursor);
  if (below !== undefined) query = query.where("id", "<", below);
  if (filter.actorId !== undefined) query = query.where("actor_id", "=", filter.actorId);
  if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.group !== undefined) {
    query = query.where("action", "in", [...AUDIT_ACTIONS[filter.group]]);
  }
  if (filter.result !== undefined) query = query.where("result", "=", filter.result);
  if (filter.from !== undefined) query = query.where("created_at", ">=", new Date(filter.from));
  if (filter.to !== undefined) query = query.where("created_at", "<", new Date(filter.to));
  const page = cutPage(await query.execute(), filter.limit, ({ id }) => id);
  return { items: page.rows.map(toEntry), nextCursor: page.nextCursor };
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.created_at.toISOString(),
    actor: {
      kind: AuditActorKind.catch("user").parse(row.actor_kind),
      id: row.actor_id,
      name: row.actor_name,
    },
    action: row.action,
    subject: { id: row.subject, name: row.subject_name },
    result: row.result === "refused" ? "refused" : "done",
    data: row.data,
    address: row.address,
    userAgent: row.user_agent,
  };
}

/** Rows that one statement deletes, so that none takes long. */
const BATCH = 1000;

/** Deletes entries that are older than `keepMs`; returns how many. */
export async function forgetAudit(db: Db, keepMs: number, now = Date.now()): Promise<number> {
  let removed = 0;
  while (true) {
    const { numAffectedRows = 0n } = await sql`delete from audit_log where id in (
      select id from audit_log where created_at < ${new Date(now - keepMs)}
      order by created_at limit ${sql.lit(BATCH)}
    )`.execute(db);
    removed += Number(numAffectedRows);
    if (numAffectedRows < BATCH) return removed;
  }
}

/** How often old entries are deleted. */
const CLEAN_EVERY_MS = 3_600_000;

/** Deletes entries older than `keepMs`, now and every hour, until the returned function is called. */
export function keepAudit(
  db: Db,
  keepMs: number,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running = Promise.resolve();
  const clean = () => {
    running = forgetAudit(db, keepMs).then(() => {}, onError);
  };
  clean();
  const timer = setInterval(clean, CLEAN_EVERY_MS);
  return () => {
    clearInterval(timer);
    return running;
  };
}
