import { ParleyError } from "../../protocol/errors.ts";
import { Id } from "../../protocol/model.ts";
import { createLoader } from "../loader.ts";
import { activeOf } from "./sign_in_storage.ts";
import type { SignIn, SignInOptions } from "./sign_in_types.ts";
import { findUsers } from "./users.ts";

/** Access tokens become agents: the sign-in and the user have to be active. */
export function createAuthentication(
  { db, tokens, now = Date.now }: Pick<SignInOptions, "db" | "tokens" | "now">,
): Pick<SignIn, "authenticate"> {
  const userById = createLoader((ids: string[]) => findUsers(db, ids));
  const isActive = createLoader((signInIds: string[]) => activeOf(db, signInIds, now()));
  return {
    async authenticate(accessToken) {
      const claims = await tokens.verify(accessToken);
      const userId = Id.safeParse(claims.userId);
      const signInId = Id.safeParse(claims.signInId);
      if (!userId.success || !signInId.success) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the token is not valid");
      }
      const [user, active] = await Promise.all([userById(userId.data), isActive(signInId.data)]);
      if (!active) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the sign-in has ended");
      }
      if (user === null || user.disabledAt !== null) {
        throw new ParleyError("invalid_token", "Cannot authenticate: the user is not active");
      }
      return {
        kind: "agent",
        userId: user.id,
        userName: user.name,
        email: user.email,
        role: user.role,
        tokenId: claims.tokenId,
        signInId: signInId.data,
        expiresAt: claims.expiresAt,
      };
    },
  };
}
