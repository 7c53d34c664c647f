/** The rows of sign-ins and of their refresh tokens. */
import { createHmac } from "node:crypto";
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { SignInRow, UserRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { type Actor, audit } from "../audit.ts";
import { hashSecret } from "../secrets.ts";

/** How long a used token is kept, so that its reuse is detected. */
const KEEP_USED_MS = 86_400_000;

export type EndReason =
  | "signed_out"
  | "ended"
  | "reused"
  | "password"
  | "disabled"
  | "too_many"
  | "other";

/**
 * The next token. It is derived from the one before, so that a repeated request gets the same one
 * although only hashes are stored; without the server's key nobody can derive it.
 */
export function successorOf(refreshToken: string, key: string): string {
  return createHmac("sha256", key).update(`refresh token after ${refreshToken}`).digest(
    "base64url",
  );
}

export interface Renewed {
  kind: "renewed";
  user: UserRow;
  signIn: SignInRow;
  refreshToken: string;
  expiresAt: number;
}

/** "reused": the token was copied. "unknown": not valid, for any other reason. */
export type Renewal = Renewed | { kind: "reused"; user: UserRow; signInId: string } | {
  kind: "unknown";
};

export interface RenewOptions {
  refreshToken: string;
  key: string;
  lifeMs: number;
  maxLifeMs: number;
  address: string;
  userAgent: string | null;
  now: number;
}

/**
 * Renews a sign-in, in a transaction of its own. It locks the user's row before the sign-in's, as
 * every change of a user does, and reads everything after that, so an end that committed first is
 * seen.
 */
export async function renew(trx: Db, options: RenewOptions): Promise<Renewal> {
  const { refreshToken, now } = options;
  const hash = await hashSecret(refreshToken);
  const unknown = { kind: "unknown" } as const;
  const found = await trx.selectFrom("refresh_tokens").select(["user_id", "family_id"])
    .where("token_hash", "=", hash).executeTakeFirst();
  if (found === undefined) return unknown;
  const user = await trx.selectFrom("users").selectAll().where("id", "=", found.user_id)
    .forShare().executeTakeFirst();
  const signIn = await trx.selectFrom("sign_ins").selectAll().where("id", "=", found.family_id)
    .forUpdate().executeTakeFirst();
  if (user === undefined || user.disabled_at !== null || signIn === undefined) return unknown;
  if (signIn.ended_at !== null || signIn.expires_at.getTime() <= now) return unknown;
  const token = await trx.selectFrom("refresh_tokens").selectAll().where("token_hash", "=", hash)
    .executeTakeFirst();
  if (token === undefined || token.revoked_at !== null || token.expires_at.getTime() <= now) {
    return unknown;
  }
  const next = successorOf(refreshToken, options.key);
  const nextHash = await hashSecret(next);
  const expiresAt = Math.min(now + options.lifeMs, signIn.created_at.getTime() + options.maxLifeMs);
  if (token.used_at === null) {
    await trx.updateTable("refresh_tokens").set({ used_at: new Date(now) })
      .where("id", "=", token.id).execute();
    // Leaves one unused token, also where an older version left several, and deletes old used ones.
    await trx.deleteFrom("refresh_tokens").where("family_id", "=", signIn.id)
      .where((eb) =>
        eb.or([eb("used_at", "is", null), eb("used_at", "<", new Date(now - KEEP_USED_MS))])
      ).execute();
    await insertToken(trx, signIn, { parentId: token.id, hash: nextHash, expiresAt });
  } else {
    const successor = await trx.selectFrom("refresh_tokens").select(["token_hash", "used_at"])
      .where("parent_id", "=", token.id).executeTakeFirst();
    if (successor !== undefined && successor.used_at !== null) {
      return { kind: "reused", user, signInId: signIn.id };
    }
    // Made with another key or by another version: it cannot be derived again.
    if (successor?.token_hash !== nextHash) return unknown;
  }
  await trx.updateTable("sign_ins").set({
    address: options.address,
    user_agent: options.userAgent,
    last_used_at: new Date(now),
    expires_at: new Date(expiresAt),
  }).where("id", "=", signIn.id).execute();
  return { kind: "renewed", user, signIn, refreshToken: next, expiresAt };
}

/** A new sign-in with its first token. The user's row has to be locked. */
export async function insertSignIn(
  trx: Db,
  values: {
    userId: string;
    refreshToken: string;
    address: string;
    userAgent: string | null;
    expiresAt: number;
    maxPerUser: number;
    now: number;
  },
): Promise<{ id: string; ended: string[] }> {
  const now = new Date(values.now);
  await trx.deleteFrom("sign_ins").where("user_id", "=", values.userId)
    .where((eb) =>
      eb.or([
        eb("expires_at", "<", now),
        eb("ended_at", "<", new Date(values.now - KEEP_USED_MS)),
      ])
    ).execute();
  const surplus = await trx.selectFrom("sign_ins").select("id").where("user_id", "=", values.userId)
    .where("ended_at", "is", null).orderBy("last_used_at", "desc").offset(values.maxPerUser - 1)
    .execute();
  const ended = await endSignIns(trx, { ids: surplus.map(({ id }) => id) }, "too_many", values.now);
  const signIn = await trx.insertInto("sign_ins").values({
    id: uuidv7(),
    user_id: values.userId,
    address: values.address,
    user_agent: values.userAgent,
    created_at: now,
    last_used_at: now,
    expires_at: new Date(values.expiresAt),
  }).returningAll().executeTakeFirstOrThrow();
  await insertToken(trx, signIn, {
    parentId: null,
    hash: await hashSecret(values.refreshToken),
    expiresAt: values.expiresAt,
  });
  return { id: signIn.id, ended };
}

async function insertToken(
  trx: Db,
  signIn: Pick<SignInRow, "id" | "user_id" | "user_agent">,
  token: { parentId: string | null; hash: string; expiresAt: number },
): Promise<void> {
  await trx.insertInto("refresh_tokens").values({
    id: uuidv7(),
    user_id: signIn.user_id,
    family_id: signIn.id,
    parent_id: token.parentId,
    token_hash: token.hash,
    user_agent: signIn.user_agent,
    expires_at: new Date(token.expiresAt),
  }).execute();
}

/** Sign-ins by their ids, or all of a user's but one. */
export type Which = { ids: string[]; userId?: string } | { userId: string; except?: string | null };

/** Ends active sign-ins. @returns their ids, for the events `sign_in.ended`. */
export async function endSignIns(
  trx: Db,
  which: Which,
  reason: EndReason,
  now: number = Date.now(),
): Promise<string[]> {
  if ("ids" in which && which.ids.length === 0) return [];
  let query = trx.updateTable("sign_ins").set({ ended_at: new Date(now), end_reason: reason })
    .where("ended_at", "is", null);
  if (which.userId !== undefined) query = query.where("user_id", "=", which.userId);
  if ("ids" in which) query = query.where("id", "in", which.ids);
  else if (which.except) query = query.where("id", "<>", which.except);
  const rows = await query.returning("id").execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) {
    // Nodes of an older version read this column.
    await trx.updateTable("refresh_tokens").set({ revoked_at: new Date(now) })
      .where("family_id", "in", ids).where("revoked_at", "is", null).execute();
  }
  return ids;
}

/** Active sign-ins, the last used first. */
export async function signInsOf(db: Db, userId: string, now: number): Promise<SignInRow[]> {
  return await db.selectFrom("sign_ins").selectAll().where("user_id", "=", userId)
    .where("ended_at", "is", null).where("expires_at", ">", new Date(now))
    .orderBy("last_used_at", "desc").orderBy("id").execute();
}

/** Whether each of these sign-ins is active. */
export async function activeOf(db: Db, signInIds: string[], now: number): Promise<boolean[]> {
  const rows = await db.selectFrom("sign_ins").select("id")
    .where(sql<boolean>`id = any(${signInIds}::uuid[])`).where("ended_at", "is", null)
    .where("expires_at", ">", new Date(now)).execute();
  const active = new Set(rows.map((row) => row.id));
  return signInIds.map((id) => active.has(id));
}

/** Writes one audit entry for all of these sign-ins. */
export async function auditEnded(
  db: Db,
  actor: Actor,
  user: { id: string; name: string },
  ids: string[],
  reason: EndReason,
): Promise<void> {
  if (ids.length === 0) return;
  await audit(db, actor, {
    action: reason === "reused" ? "sign_in.reused" : "sign_in.ended",
    subject: { id: user.id, name: user.name },
    data: { reason, count: ids.length, signInIds: ids.slice(0, 20) },
  });
}
