/** The beginning and the end of sign-ins, with their audit entries and events. */
import type { User } from "../../protocol/model.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { type Actor, audit } from "../audit.ts";
import { newSecret } from "../secrets.ts";
import { auditEnded, endSignIns, insertSignIn, type Which } from "./sign_in_storage.ts";
import type { Peer, SignedIn, SignInOptions } from "./sign_in_types.ts";
import { toUser } from "./users.ts";

export interface SignInLifecycle {
  /**
   * Begins a sign-in; too many of a user end the least recently used one.
   *
   * @param hash of the password that was verified; null: none was asked for.
   * @returns null where the password was changed or the user disabled meanwhile.
   */
  start(userId: string, hash: string | null, from: Peer): Promise<SignedIn | null>;
  /** Ends sign-ins of a user. @returns their ids. @throws {ParleyError} `not_found` */
  end(
    by: (user: User) => Actor,
    userId: string,
    which: Which,
    reason: "ended" | "signed_out" | "reused",
  ): Promise<string[]>;
}

export function createSignInLifecycle(options: SignInOptions): SignInLifecycle {
  const { db, bus, tokens, devices, now = Date.now } = options;

  function announceEnded(signInIds: string[]): void {
    for (const signInId of signInIds) bus.emit("sign_in.ended", { signInId });
  }

  return {
    async start(userId, hash, from) {
      const refreshToken = newSecret();
      const refreshExpiresAt = now() + Math.min(options.refreshLifeMs, options.maxLifeMs);
      const started = await db.transaction().execute(async (trx) => {
        const row = await trx.selectFrom("users").selectAll().where("id", "=", userId).forShare()
          .executeTakeFirst();
        if (row === undefined || row.disabled_at !== null) return null;
        if (hash !== null && row.password_hash !== hash) return null;
        const user = toUser(row);
        const { id, ended } = await insertSignIn(trx, {
          userId,
          refreshToken,
          address: from.address,
          userAgent: userAgentOf(from),
          expiresAt: refreshExpiresAt,
          maxPerUser: options.maxPerUser,
          now: now(),
        });
        const actor = actorOf(user, from);
        await audit(trx, actor, {
          action: "sign_in.started",
          subject: user,
          data: { signInId: id },
        });
        await auditEnded(trx, actor, user, ended, "too_many");
        return { user, id, ended };
      });
      if (started === null) return null;
      announceEnded(started.ended);
      const { user, id } = started;
      const access = await tokens.issue(user.id, user.role, id);
      const device = devices.remember(from.device, user.id);
      return { user, access, refreshToken, refreshExpiresAt, device };
    },

    async end(by, userId, which, reason) {
      const ids = await db.transaction().execute(async (trx) => {
        const row = await trx.selectFrom("users").selectAll().where("id", "=", userId).forShare()
          .executeTakeFirst();
        if (row === undefined) {
          throw new ParleyError("not_found", `Cannot find the user "${userId}"`);
        }
        const ended = await endSignIns(trx, which, reason, now());
        const user = toUser(row);
        await auditEnded(trx, by(user), user, ended, reason);
        return ended;
      });
      announceEnded(ids);
      return ids;
    },
  };
}

export function actorOf(user: Pick<User, "id" | "name">, from: Peer): Actor {
  const { address, userAgent } = from;
  return { kind: "user", id: user.id, name: user.name, address, userAgent };
}

/** The actor of a request that is not signed in. */
export function nobody({ address, userAgent }: Peer): Actor {
  return { kind: "nobody", id: null, name: null, address, userAgent };
}

export function userAgentOf(from: Peer): string | null {
  return from.userAgent?.slice(0, 300) ?? null;
}
