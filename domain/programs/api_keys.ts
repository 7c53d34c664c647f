/** API keys of other programs. A key is stored as a hash, and shown once. */
import type { Db } from "../../db/database.ts";
import type { ApiKeyRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import {
  type ApiKey,
  type CreateApiKeyBody,
  type CreatedApiKey,
  Scope,
} from "../../protocol/programs.ts";
import { type Actor, audit } from "../audit.ts";
import type { ProgramPrincipal } from "../principal.ts";
import { hashSecret, newSecret } from "../secrets.ts";

const PREFIX = "pk_";
/** Characters of a key that are shown, its prefix included: 36 bits of 256. */
const SHOWN = 9;
/** How often the time of the last use is stored. */
const USED_EVERY_MS = 60_000;
/** Active keys: a program needs one, and a list of thousands is a mistake. */
const MAX_KEYS = 100;

/** Whether credentials have the form of an API key, which no session's id and no JWT has. */
export function isApiKey(credentials: string): boolean {
  return /^pk_[\w-]{43}$/.test(credentials);
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: scopesOf(row),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}

/** Scopes that this version does not know are ignored. */
function scopesOf({ scopes }: ApiKeyRow): Scope[] {
  return scopes.flatMap((scope) => Scope.safeParse(scope).data ?? []);
}

/** Newest first, those that were revoked included. */
export async function listApiKeys(db: Db): Promise<ApiKey[]> {
  const rows = await db.selectFrom("api_keys").selectAll().orderBy("id", "desc").execute();
  return rows.map(toApiKey);
}

/** @throws {ParleyError} `not_found` */
export async function findApiKey(db: Db, id: string): Promise<ApiKey> {
  const row = await db.selectFrom("api_keys").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw new ParleyError("not_found", `Cannot find the API key "${id}"`);
  return toApiKey(row);
}

/** @throws {ParleyError} `invalid` for an expiry that has passed, `conflict` when there are too many. */
export async function createApiKey(
  db: Db,
  by: Actor,
  { name, scopes, expiresAt = null }: CreateApiKeyBody,
  now: () => number = Date.now,
): Promise<CreatedApiKey> {
  if (expiresAt !== null && Date.parse(expiresAt) <= now()) {
    throw new ParleyError("invalid", `Cannot make the API key: "${expiresAt}" has passed`, {
      fields: [{ path: "expiresAt", message: "must be in the future" }],
    });
  }
  const active = (await listApiKeys(db)).filter((key) => key.revokedAt === null);
  if (active.length >= MAX_KEYS) {
    throw new ParleyError(
      "conflict",
      `Cannot make the API key: there are ${active.length} already, revoke one`,
    );
  }
  const key = PREFIX + newSecret();
  const row = await db.transaction().execute(async (trx) => {
    const made = await trx.insertInto("api_keys").values({
      id: uuidv7(),
      name,
      prefix: key.slice(0, SHOWN),
      key_hash: await hashSecret(key),
      scopes,
      created_by: by.id,
      expires_at: expiresAt,
    }).returningAll().executeTakeFirstOrThrow();
    await audit(trx, by, {
      action: "api_key.created",
      subject: made,
      data: { prefix: made.prefix, scopes, expiresAt },
    });
    return made;
  });
  return { ...toApiKey(row), key };
}

/** Revokes a key; its row remains for the list. Does nothing for a revoked key. */
export async function revokeApiKey(db: Db, by: Actor, id: string): Promise<ApiKey> {
  await db.transaction().execute(async (trx) => {
    const ended = await trx.updateTable("api_keys").set({ revoked_at: new Date() })
      .where("id", "=", id).where("revoked_at", "is", null).returning(["name", "prefix"])
      .executeTakeFirst();
    if (ended === undefined) return;
    const { name, prefix } = ended;
    await audit(trx, by, { action: "api_key.revoked", subject: { id, name }, data: { prefix } });
  });
  return await findApiKey(db, id);
}

/** @throws {ParleyError} `invalid_token` for a key that is unknown or revoked, `token_expired`. */
export async function authenticateApiKey(
  db: Db,
  key: string,
  now: () => number = Date.now,
): Promise<ProgramPrincipal> {
  const row = await db.selectFrom("api_keys").selectAll()
    .where("key_hash", "=", await hashSecret(key)).executeTakeFirst();
  if (row === undefined || row.revoked_at !== null) {
    throw new ParleyError("invalid_token", "Cannot authenticate: the API key is not valid");
  }
  const at = now();
  if (row.expires_at !== null && row.expires_at.getTime() <= at) {
    throw new ParleyError("token_expired", "Cannot authenticate: the API key has expired");
  }
  const stale = new Date(at - USED_EVERY_MS);
  if (row.last_used_at === null || row.last_used_at < stale) {
    await db.updateTable("api_keys").set({ last_used_at: new Date(at) })
      .where("id", "=", row.id)
      .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", stale)]))
      .execute();
  }
  return {
    kind: "program",
    userId: row.id,
    userName: row.name,
    scopes: scopesOf(row),
    expiresAt: row.expires_at?.getTime() ?? null,
  };
}
