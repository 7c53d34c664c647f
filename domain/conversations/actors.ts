/** Who acts in the conversations, from the caller. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { findUser } from "../agents/users.ts";
import type { Caller } from "../principal.ts";
import type { PostMessage } from "./types.ts";
import type { Actor } from "./unit_of_work.ts";

export function actorOf(caller: Caller): Actor {
  const { userId, userName } = caller;
  // The rights of a program are its scopes, which are checked before.
  if (caller.kind === "program") return { userId, userName, role: "bot", principal: null };
  return { userId, userName, role: caller.kind, principal: caller };
}

/** The sender of a message: the caller, or for a program an agent or a bot that it names. */
export async function senderOf(
  db: Db,
  caller: Caller,
  sender: PostMessage["sender"],
): Promise<Actor> {
  if (sender === undefined) return actorOf(caller);
  if (caller.kind !== "program") {
    throw new ParleyError("forbidden", 'Cannot send as somebody else: "sender" is for programs');
  }
  if ("userName" in sender) return { ...actorOf(caller), userName: sender.userName };
  const user = await activeUser(db, sender.userId);
  if (user === null) {
    const { userId } = sender;
    throw new ParleyError("invalid", `Cannot send: there is no active user "${userId}"`, {
      fields: [{ path: "sender.userId", message: "must be an active user's id" }],
    });
  }
  return { ...user, role: "agent", principal: null };
}

/** null: there is no such user, or they are disabled. */
export async function activeUser(
  db: Db,
  id: string,
): Promise<{ userId: string; userName: string } | null> {
  const user = await findUser(db, id);
  return user === null || user.disabledAt !== null
    ? null
    : { userId: user.id, userName: user.name };
}
