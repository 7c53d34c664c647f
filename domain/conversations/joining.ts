/** From where a client follows a conversation: what it has missed, or a snapshot. */
import type { Db } from "../../db/database.ts";
import type { Access } from "./access.ts";
import { readCatchUp, unchangedCatchUp } from "./catch_up.ts";
import { PAGE } from "./history.ts";
import type { Reads } from "./reads.ts";
import type { Conversations } from "./types.ts";
import { toLogEntry, toMessage, toPointers } from "./view.ts";

export interface JoiningOptions {
  db: Db;
  reads: Reads;
  access: Access;
  epoch: string;
  maxReplayEvents: number;
}

export function createJoining(
  { db, reads, access, epoch, maxReplayEvents }: JoiningOptions,
): Pick<Conversations, "join" | "catchUp"> {
  return {
    async join(principal, conversationId, position) {
      // The position first; what is written from then on is not read here, and comes live.
      const row = await access.load(principal, conversationId);
      const conversation = access.view(row, principal);
      const pointers = toPointers(row);
      const { last_seq: seq } = row;
      const forAgents = principal.kind === "agent";
      const after = position.epoch === epoch ? position.seq : undefined;
      const missed = after === undefined ? Infinity : seq - after;
      if (after !== undefined && missed >= 0 && missed <= maxReplayEvents) {
        const log = missed === 0 ? [] : await reads.log({ conversationId, after, upTo: seq });
        if (log.length === missed) {
          const events = log.map(({ event, message }) => {
            const entry = toLogEntry(event, message, pointers);
            return forAgents ? entry.forAgents : entry.forVisitors;
          });
          return { conversation, seq, recovered: true, events, snapshot: null };
        }
      }
      const page = await reads.latest({
        conversationId,
        publicOnly: !forAgents,
        upTo: seq,
        limit: position.limit ?? PAGE,
      });
      const messages = page.rows.map((message) => toMessage(message, pointers));
      const snapshot = { messages, hasMore: page.hasMore };
      return { conversation, seq, recovered: false, events: [], snapshot };
    },

    async catchUp(principal, conversationId, { after, limit }) {
      const forAgents = principal.kind === "agent";
      const query = { after, limit: limit ?? maxReplayEvents, epoch, forAgents };
      // A client that polls has mostly missed nothing, which needs no transaction.
      const row = await access.load(principal, conversationId);
      const unchanged = await unchangedCatchUp(reads.receipts, row, query);
      if (unchanged !== undefined) return unchanged;
      return await db.transaction().setIsolationLevel("repeatable read").execute(async (trx) => {
        const current = await access.load(principal, conversationId, trx);
        const found = await readCatchUp(trx, current, query);
        if (limit !== undefined || !found.hasMore) return found;
        return { events: [], position: found.end, end: found.end, hasMore: false, reset: true };
      });
    },
  };
}
