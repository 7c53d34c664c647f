/**
 * Canned responses and macros: those for everybody, and each agent's own ones, which nobody else can
 * see.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { CannedResponseRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import {
  type CannedResponse,
  CannedResponseSettings,
  type CreateCannedResponseBody,
  MAX_OWN_RESPONSES,
  MAX_SHARED_RESPONSES,
  type UpdateCannedResponseBody,
} from "../../protocol/canned_responses.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { cutPage, idOfCursor } from "../cursor.ts";
import type { AgentPrincipal } from "../principal.ts";

type Agent = Pick<AgentPrincipal, "userId" | "role">;

function toCannedResponse(row: CannedResponseRow): CannedResponse {
  return {
    id: row.id,
    userId: row.user_id,
    shortCode: row.own_code ?? row.short_code,
    content: row.content,
    folder: row.folder,
    shared: row.own_code === null,
    actions: row.actions,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Those for everybody, and the agent's own ones. */
function visible(db: Db, { userId }: Agent) {
  return db.selectFrom("canned_responses").selectAll()
    .where((eb) => eb.or([eb("own_code", "is", null), eb("user_id", "=", userId)]));
}

/** Newest first, by id. `q` is what the short code starts with. */
export async function listCannedResponses(
  db: Db,
  agent: Agent,
  query: { q?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<{ items: CannedResponse[]; nextCursor: string | null }> {
  const { q, limit } = query;
  const below = idOfCursor(query.cursor);
  const rows = await visible(db, agent)
    .$if(
      q !== undefined,
      (qb) =>
        qb.where(sql<boolean>`starts_with(coalesce(own_code, short_code), ${q!.toLowerCase()})`),
    )
    .$if(below !== undefined, (qb) => qb.where("id", "<", below!))
    .orderBy("id", "desc").limit(limit + 1).execute();
  const page = cutPage(rows, limit, ({ id }) => id);
  return { items: page.rows.map(toCannedResponse), nextCursor: page.nextCursor };
}

/** @throws {ParleyError} `not_found`, also for an own one of somebody else. */
export async function findCannedResponse(
  db: Db,
  agent: Agent,
  id: string,
): Promise<CannedResponse> {
  const row = await visible(db, agent).where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toCannedResponse(row);
}

/**
 * @throws {ParleyError} `conflict` when the short code is taken, or there are as many as there may
 * be; `forbidden` where only admins manage those for everybody.
 */
export async function createCannedResponse(
  db: Db,
  agent: Agent,
  { shortCode, content, folder, shared = true, actions = null }: CreateCannedResponseBody,
): Promise<CannedResponse> {
  if (shared) await needManager(db, agent);
  const id = uuidv7();
  const row = await db.transaction().execute(async (trx) => {
    await lock(trx);
    await needRoom(trx, agent, shared);
    await needFree(trx, agent, { shortCode, shared, id });
    return await trx.insertInto("canned_responses").values({
      id,
      user_id: agent.userId,
      ...codes(id, shortCode, shared),
      content,
      folder: folder || null,
      actions: actions === null ? null : JSON.stringify(actions),
    }).returningAll().executeTakeFirstOrThrow();
  });
  return toCannedResponse(row);
}

/**
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`, `conflict` when the short code is taken, `invalid` when nothing
 * would be left of it, `forbidden`.
 */
export async function updateCannedResponse(
  db: Db,
  agent: Agent,
  id: string,
  changes: UpdateCannedResponseBody,
  check: (current: CannedResponse) => void,
): Promise<CannedResponse> {
  return await db.transaction().execute(async (trx) => {
    await lock(trx);
    const current = await visible(trx, agent).where("id", "=", id).forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    const before = toCannedResponse(current);
    check(before);
    const after = { ...before, ...defined(changes) };
    await needChange(trx, agent, before, after);
    const row = await trx.updateTable("canned_responses").set({
      ...codes(id, after.shortCode, after.shared),
      content: after.content,
      folder: after.folder || null,
      actions: after.actions === null ? null : JSON.stringify(after.actions),
      updated_at: new Date(Math.max(Date.now(), current.updated_at.getTime() + 1)),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
    return toCannedResponse(row);
  });
}

/** @throws {ParleyError} `not_found`; `forbidden` unless it is the agent's or they are an admin. */
export async function deleteCannedResponse(
  db: Db,
  agent: Agent,
  id: string,
  check: (current: CannedResponse) => void,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const current = await visible(trx, agent).where("id", "=", id).forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    if (current.own_code === null) {
      await needManager(trx, agent);
      if (current.user_id !== agent.userId && agent.role !== "admin") {
        throw new ParleyError("forbidden", "Cannot do that: only admins may");
      }
    }
    check(toCannedResponse(current));
    await trx.deleteFrom("canned_responses").where("id", "=", id).execute();
  });
}

const SETTINGS_KEY = "canned_responses";

/** Every agent, by default. */
export async function readCannedResponseSettings(db: Db): Promise<CannedResponseSettings> {
  const row = await db.selectFrom("server_meta").select("value").where("key", "=", SETTINGS_KEY)
    .executeTakeFirst();
  const parsed = CannedResponseSettings.safeParse(JSON.parse(row?.value ?? "null"));
  return parsed.success ? parsed.data : { managedBy: "agents" };
}

export async function writeCannedResponseSettings(
  db: Db,
  settings: CannedResponseSettings,
): Promise<void> {
  await sql`insert into server_meta (key, value)
    values (${SETTINGS_KEY}, ${JSON.stringify(settings)})
    on conflict (key) do update set value = excluded.value`.execute(db);
}

/** @throws {ParleyError} */
async function needChange(
  trx: Db,
  agent: Agent,
  before: CannedResponse,
  after: CannedResponse,
): Promise<void> {
  if (before.shared || after.shared) await needManager(trx, agent);
  if (before.shared && !after.shared && before.userId !== agent.userId) {
    throw new ParleyError(
      "forbidden",
      "Cannot keep the canned response for oneself: somebody else made it",
    );
  }
  if (after.content.trim() === "" && after.actions === null) {
    throw new ParleyError("invalid", "Cannot store the canned response: it would be empty", {
      fields: [{ path: "content", message: "must not be empty" }],
    });
  }
  if (before.shared !== after.shared) await needRoom(trx, agent, after.shared);
  if (before.shared !== after.shared || before.shortCode !== after.shortCode) {
    await needFree(trx, agent, after);
  }
}

/** @throws {ParleyError} `forbidden` */
async function needManager(db: Db, { role }: Agent): Promise<void> {
  if (role === "admin") return;
  const { managedBy } = await readCannedResponseSettings(db);
  if (managedBy === "agents") return;
  throw new ParleyError(
    "forbidden",
    "Cannot change canned responses for everybody: only admins may",
  );
}

/** @throws {ParleyError} `conflict` */
async function needRoom(trx: Db, { userId }: Agent, shared: boolean): Promise<void> {
  const { n } = await trx.selectFrom("canned_responses")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .where("own_code", shared ? "is" : "is not", null)
    .$if(!shared, (qb) => qb.where("user_id", "=", userId))
    .executeTakeFirstOrThrow();
  if (Number(n) < (shared ? MAX_SHARED_RESPONSES : MAX_OWN_RESPONSES)) return;
  throw new ParleyError("conflict", `Cannot add a canned response: there are ${n} already`);
}

/** @throws {ParleyError} `conflict` */
async function needFree(
  trx: Db,
  { userId }: Agent,
  { id, shortCode, shared }: Pick<CannedResponse, "id" | "shortCode" | "shared">,
): Promise<void> {
  const other = await trx.selectFrom("canned_responses").select("id").where("id", "!=", id)
    .$if(shared, (qb) => qb.where("own_code", "is", null).where("short_code", "=", shortCode))
    .$if(!shared, (qb) => qb.where("user_id", "=", userId).where("own_code", "=", shortCode))
    .executeTakeFirst();
  if (other === undefined) return;
  throw new ParleyError(
    "conflict",
    `Cannot store the canned response: "${shortCode}" is taken`,
    { fields: [{ path: "shortCode", message: "is taken" }] },
  );
}

/** Key of the lock of whoever adds or renames one ("cann" in ASCII). */
const LOCK_KEY = 0x63616e6e;

async function lock(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(trx);
}

function codes(id: string, shortCode: string, shared: boolean) {
  return shared
    ? { short_code: shortCode, own_code: null }
    : { short_code: `~${id}`, own_code: shortCode };
}

function defined(changes: UpdateCannedResponseBody): Partial<CannedResponse> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the canned response "${id}"`);
}
