/** Sign-ins of agents: put together from login, lifecycle, and authentication by access tokens. */
import { ParleyError } from "../../protocol/errors.ts";
import { hashSecret } from "../secrets.ts";
import { createAuthentication } from "./authentication.ts";
import { createLogin } from "./login.ts";
import { actorOf, createSignInLifecycle, nobody, userAgentOf } from "./sign_in_lifecycle.ts";
import { renew, signInsOf, type Which } from "./sign_in_storage.ts";
import type { SignIn, SignInOptions } from "./sign_in_types.ts";
import { findUser, toUser } from "./users.ts";

export type { Peer, SignedIn, SignIn, SignInOptions } from "./sign_in_types.ts";

export function createSignIn(options: SignInOptions): SignIn {
  const { db, tokens, metrics, now = Date.now } = options;
  const lifecycle = createSignInLifecycle(options);

  async function findToken(refreshToken: string) {
    return await db.selectFrom("refresh_tokens as token")
      .innerJoin("sign_ins", "sign_ins.id", "token.family_id")
      .select(["token.user_id", "token.family_id", "token.used_at", "token.expires_at"])
      .select((eb) =>
        eb.selectFrom("refresh_tokens as next").select("next.id")
          .whereRef("next.parent_id", "=", "token.id").where("next.used_at", "is", null)
          .limit(1).as("unused_successor")
      )
      .where("token.token_hash", "=", await hashSecret(refreshToken))
      .where("sign_ins.ended_at", "is", null).executeTakeFirst();
  }

  return {
    ...createLogin(options, lifecycle),
    ...createAuthentication(options),

    async refresh(refreshToken, from) {
      const renewal = await db.transaction().execute((trx) =>
        renew(trx, {
          refreshToken,
          key: options.key,
          lifeMs: options.refreshLifeMs,
          maxLifeMs: options.maxLifeMs,
          address: from.address,
          userAgent: userAgentOf(from),
          now: now(),
        })
      );
      if (renewal.kind === "renewed") {
        const user = toUser(renewal.user);
        const access = await tokens.issue(user.id, user.role, renewal.signIn.id);
        const { refreshToken: next, expiresAt: refreshExpiresAt } = renewal;
        return { user, access, refreshToken: next, refreshExpiresAt };
      }
      if (renewal.kind === "reused") {
        metrics.signIns.inc({ outcome: "reused" });
        const { user, signInId } = renewal;
        await lifecycle.end(() => nobody(from), user.id, { ids: [signInId] }, "reused");
      }
      throw new ParleyError("invalid_token", "Cannot refresh: sign in again");
    },

    async logout(refreshToken, from) {
      const token = await findToken(refreshToken);
      if (token === undefined) return;
      const which = { ids: [token.family_id] };
      await lifecycle.end((user) => actorOf(user, from), token.user_id, which, "signed_out");
    },

    async peek(refreshToken) {
      const token = await findToken(refreshToken);
      if (token === undefined || token.expires_at.getTime() <= now()) return null;
      if (token.used_at !== null && token.unused_successor === null) return null;
      const user = await findUser(db, token.user_id);
      return user?.disabledAt === null ? user : null;
    },

    async list(userId, current) {
      if (await findUser(db, userId) === null) {
        throw new ParleyError("not_found", `Cannot find the user "${userId}"`);
      }
      const rows = await signInsOf(db, userId, now());
      return rows.map((row) => ({
        id: row.id,
        userAgent: row.user_agent,
        address: row.address,
        createdAt: row.created_at.toISOString(),
        lastUsedAt: row.last_used_at.toISOString(),
        expiresAt: row.expires_at.toISOString(),
        current: row.id === current,
      }));
    },

    async end(by, userId, which) {
      const rows: Which = "id" in which
        ? { ids: [which.id], userId }
        : { userId, except: which.except };
      const ended = await lifecycle.end(() => by, userId, rows, "ended");
      if ("id" in which && ended.length === 0) {
        throw new ParleyError("not_found", `Cannot find the sign-in "${which.id}"`);
      }
      return ended.length;
    },
  };
}
