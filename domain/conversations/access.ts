/** Single conversations with the rights of a caller, which every part of the service needs. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Conversation } from "../../protocol/model.ts";
import { audienceOf, type Caller } from "../principal.ts";
import { findConversation } from "./queries.ts";
import type { Reads } from "./reads.ts";
import { maySee } from "./rights.ts";
import { unreadOf } from "./unread.ts";
import { type FullConversationRow, toConversation } from "./view.ts";

export interface Access {
  /**
   * @param trx the transaction of the read; default: a group read.
   * @throws {ParleyError} `not_found`, also where the caller may not see it.
   */
  load(caller: Caller, id: string, trx?: Db): Promise<FullConversationRow>;
  /** The conversation in the caller's form. */
  view(row: FullConversationRow, caller: Caller, unread?: number): Conversation;
  /** The same, with what the agent has not read. */
  viewWithUnread(row: FullConversationRow, caller: Caller): Promise<Conversation>;
}

export function createAccess(db: Db, reads: Reads, epoch: string): Access {
  function view(row: FullConversationRow, caller: Caller, unread?: number): Conversation {
    return toConversation(row, epoch, audienceOf(caller), unread);
  }
  return {
    async load(caller, id, trx) {
      const row = await (trx === undefined ? reads.conversation(id) : findConversation(trx, id));
      if (row === null || !maySee(caller, row)) throw notFound(id);
      return row;
    },
    view,
    async viewWithUnread(row, caller) {
      const unread = caller.kind === "agent"
        ? await unreadOf(db, row.id, caller.userId)
        : undefined;
      return view(row, caller, unread);
    },
  };
}

export function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the conversation "${id}"`);
}
