/** Messages: posted, edited, deleted, reacted to, within the rate of their conversation. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import { uploaderOf } from "../files/queries.ts";
import { formatText } from "../formatting/format_text.ts";
import { needScope, needUnblocked } from "../principal.ts";
import type { QueueSettingsStore } from "../workspace/queue_settings.ts";
import { KeyedLimiter } from "../rate_limit.ts";
import { actorOf, senderOf } from "./actors.ts";
import { openWebConversation } from "./opening.ts";
import type { Conversations } from "./types.ts";
import { toMessage, toPointers } from "./view.ts";
import type { Writer } from "./writer.ts";

export interface PostingOptions {
  db: Db;
  bus: EventBus;
  writer: Writer;
  broadcastsPerMinute: number;
  queueSettings: Pick<QueueSettingsStore, "current">;
}

export function createPosting(
  { db, bus, writer, broadcastsPerMinute, queueSettings }: PostingOptions,
): Pick<Conversations, "post" | "edit" | "remove" | "react" | "takeBroadcast"> {
  const broadcasts = new KeyedLimiter(broadcastsPerMinute);

  function takeBroadcast(conversationId: string): void {
    const wait = broadcasts.take(conversationId);
    if (wait > 0) {
      throw new ParleyError("rate_limited", "Cannot send: this conversation is too busy", {
        retryAfter: wait,
        limit: "LIMIT_ROOM_BROADCASTS_PER_MINUTE",
      });
    }
  }

  return {
    async post(caller, input) {
      needScope(caller, "messages:write");
      needUnblocked(caller);
      const actor = await senderOf(db, caller, input.sender);
      let { conversationId } = input;
      if (conversationId === undefined) {
        if (caller.kind !== "visitor" || caller.contexts !== undefined) {
          throw new ParleyError("invalid", 'Cannot send: "conversationId" is missing', {
            fields: [{ path: "conversationId", message: "is needed here" }],
          });
        }
        conversationId = await openWebConversation(
          db,
          bus,
          caller.userId,
          (await queueSettings.current()).teamId,
        );
      }
      if (input.isPrivate === true && caller.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot send a private note: only agents may");
      }
      const isReply = caller.kind === "agent" && input.isPrivate !== true;
      const takes = isReply && (await queueSettings.current()).assignOnReply;
      const result = await writer.write({
        kind: "message",
        conversationId,
        // After the check of rights: who may not write here must not use up the rate of others.
        admit: once(() => takeBroadcast(conversationId)),
        actor,
        content: input.content,
        formatted: formatText(input.content),
        replyToId: input.replyToId,
        clientMessageId: input.clientMessageId,
        isPrivate: input.isPrivate ?? false,
        files: input.fileIds === undefined
          ? undefined
          : { ids: input.fileIds, uploader: uploaderOf(caller) },
        takes,
      });
      return {
        message: toMessage(result.message!, toPointers(result.row)),
        duplicate: result.duplicate,
      };
    },

    async edit(principal, conversationId, messageId, content) {
      const actor = actorOf(principal);
      const formatted = formatText(content);
      const { message, row } = await writer.write({
        kind: "edit",
        conversationId,
        actor,
        messageId,
        content,
        formatted,
        withinMinutes: (await queueSettings.current()).editMinutes,
      });
      return toMessage(message!, toPointers(row));
    },

    async remove(principal, conversationId, messageId) {
      const actor = actorOf(principal);
      const withinMinutes = (await queueSettings.current()).editMinutes;
      const withdrawal = {
        kind: "delete",
        conversationId,
        actor,
        messageId,
        withinMinutes,
      } as const;
      const { message } = await writer.write(withdrawal);
      return { messageId: message!.id, seq: message!.seq };
    },

    async react(principal, conversationId, messageId, reaction) {
      const { message, row } = await writer.write({
        kind: "react",
        conversationId,
        actor: actorOf(principal),
        messageId,
        ...reaction,
        admit: once(() => takeBroadcast(conversationId)),
      });
      return toMessage(message!, toPointers(row));
    },

    takeBroadcast,
  };
}

/** Takes it once, however often the batch is tried. */
function once(take: () => void): () => void {
  let taken = false;
  return () => {
    if (taken) return;
    take();
    taken = true;
  };
}
