/**
 * Changes of users, sign-ins and blocks during an authentication. A connection that is being authenticated
 * is in no room yet, so such a change does not reach it. Recent changes are kept here, and applied
 * to the principal at the end of the authentication.
 */
import { ParleyError } from "../protocol/errors.ts";
import type { User } from "../protocol/model.ts";
import type { Principal } from "../domain/principal.ts";
import { withBlock } from "../domain/visitors/blocking.ts";
import type { ClusterEvents } from "./cluster_events.ts";

/** About as long as an authentication may take. */
const KEEP_MS = 15_000;
const MAX_KEPT = 10_000;

/** @throws {ParleyError} `invalid_token` if the user was disabled or the sign-in has ended. */
export type RefreshPrincipal = (principal: Principal) => Principal;

export function createPrincipalRefresh(
  events: ClusterEvents,
  now: () => number = Date.now,
): RefreshPrincipal {
  const endedSignIns = createRecentMap<true>(now);
  const users = createRecentMap<User>(now);
  events.on("sign_in.ended", ({ signInId }) => endedSignIns.set(signInId, true));
  events.on("user.updated", ({ user }) => users.set(user.id, user));
  const blocked = createRecentMap<boolean>(now);
  events.on("contact.blocked", (event) => blocked.set(event.contactId, event.isBlocked));
  return (principal) => {
    if (principal.kind === "visitor") {
      const isBlocked = blocked.get(principal.userId);
      return isBlocked === undefined ? principal : withBlock(principal, isBlocked);
    }
    const { userId, signInId } = principal;
    const user = users.get(userId);
    if (user?.disabledAt != null || (signInId !== null && endedSignIns.get(signInId))) {
      throw new ParleyError("invalid_token", "Cannot authenticate: the sign-in has ended");
    }
    return user === undefined ? principal : { ...principal, userName: user.name, role: user.role };
  };
}

/** A map that keeps entries for a while, and a bounded number of them. */
function createRecentMap<T>(now: () => number) {
  const values = new Map<string, { value: T; at: number }>();
  return {
    get: (key: string): T | undefined => values.get(key)?.value,
    set(key: string, value: T): void {
      values.delete(key);
      values.set(key, { value, at: now() });
      // In the order of insertion, so the first entry that is young enough ends the loop.
      for (const [old, { at }] of values) {
        if (values.size <= MAX_KEPT && now() - at < KEEP_MS) break;
        values.delete(old);
      }
    },
  };
}
