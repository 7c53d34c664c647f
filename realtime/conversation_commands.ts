/** Commands about conversations and their messages. */
import { ParleyError } from "../protocol/errors.ts";
import { type CommandData, type JoinResult, MAX_MEMBERS, type Member } from "../protocol/native.ts";
import { changesOf } from "../domain/conversations/change_body.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Principal } from "../domain/principal.ts";
import { type Commands, DONE } from "./command_types.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { logMessage } from "./log.ts";
import type { PresenceTracker } from "./presence.ts";
import { needUnblocked } from "../domain/principal.ts";
import { requirePrincipal } from "./require_principal.ts";
import { ROOMS } from "./rooms.ts";
import type { TypingTracker } from "./typing.ts";

export interface ConversationCommandsOptions {
  hub: Hub;
  conversations: Conversations;
  presence: PresenceTracker;
  typing: TypingTracker;
  metrics: Pick<Metrics, "ack" | "recoveries" | "refusals">;
}

type ConversationCommands = Pick<
  Commands,
  | "join"
  | "members"
  | "leave"
  | "message"
  | "edit_message"
  | "delete_message"
  | "update_conversation"
  | "update_conversations"
  | "mark_unread"
  | "read_conversations"
  | "react"
  | "history"
  | "typing"
  | "read"
  | "delivered"
>;

export function createConversationCommands(
  options: ConversationCommandsOptions,
): ConversationCommands {
  const { hub, conversations, presence, typing, metrics } = options;

  /** Counts a refusal because of the conversation's rate, and throws it again. */
  function countRefusal(error: unknown): never {
    if (error instanceof ParleyError && error.code === "rate_limited") {
      metrics.refusals.inc({ limit: error.limit ?? "unknown" });
    }
    throw error;
  }

  async function post(principal: Principal, connection: Connection, data: CommandData<"message">) {
    const own = connection.ownConversation;
    const conversationId = data.conversationId ?? own ?? undefined;
    try {
      return await conversations.post(principal, { ...data, conversationId });
    } catch (error) {
      const isDeleted = data.conversationId === undefined && own !== null &&
        error instanceof ParleyError && error.code === "not_found";
      if (!isDeleted) throw error;
      // The conversation was deleted, so the message opens a new one.
      if (connection.ownConversation === own) connection.ownConversation = null;
      return await conversations.post(principal, data);
    }
  }

  return {
    async join(connection, { conversationId, members = "list", ...position }, accept) {
      const principal = requirePrincipal(connection);
      const { subscriptions } = connection.limits;
      const { conversations: joined } = connection;
      if (!joined.has(conversationId) && joined.size >= subscriptions) {
        throw new ParleyError(
          "too_many_subscriptions",
          `Cannot join: this connection follows ${subscriptions} conversations already`,
          { limit: "MAX_SUBSCRIPTIONS" },
        );
      }
      let result: JoinResult | undefined;
      await hub.joinAfter(
        connection,
        ROOMS.conversation(conversationId),
        () => conversations.join(principal, conversationId, position),
        (state) => {
          // The peer may have disconnected in the meantime.
          if (connection.isOver) return;
          metrics.recoveries.inc({ outcome: outcomeOf(position, state) });
          presence.join(connection, conversationId, members);
          const present = presence.members(conversationId, { limit: MAX_MEMBERS });
          result = {
            conversationId,
            epoch: conversations.epoch,
            ...state,
            ...present,
            ...(members === "list" ? {} : { members: [], membersCursor: null }),
          };
          accept(result);
        },
        // What is in the snapshot is not sent again as an event.
        ({ forAgents }, state) => {
          const seq = (forAgents?.data as { seq?: number } | undefined)?.seq;
          return seq === undefined || seq > state.seq;
        },
        (state) => state.seq,
      ).catch((error) => {
        presence.leave(connection, conversationId);
        throw error;
      });
      return result!;
    },

    members(connection, { conversationId, cursor, limit = MAX_MEMBERS }) {
      requirePrincipal(connection);
      if (!connection.conversations.has(conversationId)) {
        throw new ParleyError("not_joined", "Cannot list members: join the conversation first");
      }
      return presence.members(conversationId, { cursor, limit });
    },

    leave(connection, { conversationId }) {
      requirePrincipal(connection);
      leaveConversation({ typing, presence }, connection, conversationId);
      hub.leave(connection, ROOMS.conversation(conversationId));
      return DONE;
    },

    async message(connection, data) {
      const start = performance.now();
      const principal = requirePrincipal(connection);
      const result = await post(principal, connection, data).catch(countRefusal);
      metrics.ack.observe((performance.now() - start) / 1000);
      logMessage(connection, result.message.conversationId, result.message.seq);
      if (principal.kind === "visitor") {
        connection.ownConversation = result.message.conversationId;
      }
      return result;
    },

    async edit_message(connection, { conversationId, messageId, content }) {
      const principal = requirePrincipal(connection);
      return {
        message: await conversations.edit(principal, conversationId, messageId, content),
      };
    },

    delete_message: (connection, { conversationId, messageId }) =>
      conversations.remove(requirePrincipal(connection), conversationId, messageId),

    async update_conversation(connection, { conversationId, ...body }) {
      const principal = requirePrincipal(connection);
      return {
        conversation: await conversations.update(principal, conversationId, changesOf(body)),
      };
    },

    update_conversations: (connection, { ids, change }) =>
      conversations.updateMany(requirePrincipal(connection), ids, changesOf(change)),

    mark_unread: (connection, { ids }) =>
      conversations.markUnread(requirePrincipal(connection), ids),

    read_conversations: (connection, which) =>
      conversations.readMany(requirePrincipal(connection), which),

    async react(connection, { conversationId, messageId, emoji, remove = false }) {
      const reaction = { emoji, isAdded: !remove };
      const principal = requirePrincipal(connection);
      const message = conversations.react(principal, conversationId, messageId, reaction);
      return { message: await message.catch(countRefusal) };
    },

    history: (connection, { conversationId, ...query }) =>
      conversations.history(requirePrincipal(connection), conversationId, query),

    typing(connection, { conversationId, isTyping, isPrivate }) {
      const principal = requirePrincipal(connection);
      needUnblocked(principal);
      if (isPrivate && principal.kind !== "agent") {
        throw new ParleyError("forbidden", "Cannot type a note: only agents write notes");
      }
      if (!connection.conversations.has(conversationId)) {
        throw new ParleyError("not_joined", "Cannot type: join the conversation first");
      }
      try {
        conversations.takeBroadcast(conversationId);
      } catch (error) {
        countRefusal(error);
      }
      typing.set(conversationId, memberOf(principal), isTyping, isPrivate);
      return DONE;
    },

    async read(connection, { conversationId, seq }) {
      const principal = requirePrincipal(connection);
      const { readSeq } = await conversations.read(principal, conversationId, seq);
      return { readSeq };
    },

    delivered: (connection, { conversationId, seq }) =>
      conversations.delivered(requirePrincipal(connection), conversationId, seq),
  };
}

/** Ends the member's typing at once, and their presence after the grace. */
export function leaveConversation(
  trackers: { typing: TypingTracker; presence: PresenceTracker },
  connection: Connection,
  conversationId: string,
): void {
  if (connection.principal === null) return;
  trackers.typing.set(conversationId, memberOf(connection.principal), false);
  trackers.presence.leave(connection, conversationId);
}

function outcomeOf({ seq }: { seq?: number | undefined }, { recovered }: { recovered: boolean }) {
  if (seq === undefined) return "fresh";
  return recovered ? "recovered" : "snapshot";
}

function memberOf({ userId, userName, kind }: Principal): Member {
  return { userId, userName, role: kind };
}
