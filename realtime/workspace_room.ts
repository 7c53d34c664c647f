/** The workspace's chat as a room of the hub, with the same commands as a conversation. */
import type { WorkspaceChat } from "../domain/workspace/chat.ts";
import { WORKSPACE_CHAT } from "../domain/workspace/chat.ts";
import { ParleyError } from "../protocol/errors.ts";
import { type JoinResult, MAX_MEMBERS } from "../protocol/native.ts";
import type { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { logMessage } from "./log.ts";
import type { PresenceTracker } from "./presence.ts";
import { requirePrincipal } from "./require_principal.ts";
import { ROOMS } from "./rooms.ts";
import { seqOf } from "./sequencer.ts";

/** The commands of a chat: of a conversation, or of the workspace. */
export interface ChatRoom extends Pick<Commands, "message" | "history"> {
  join(
    connection: Connection,
    data: Parameters<Commands["join"]>[1],
    accept: (
      joined: Pick<
        JoinResult,
        "epoch" | "seq" | "recovered" | "events" | "members" | "memberCount"
      >,
    ) => void,
  ): Promise<unknown> | unknown;
}

export function createWorkspaceRoom(options: {
  hub: Hub;
  presence: PresenceTracker;
  chat: WorkspaceChat;
  epoch: string;
}): ChatRoom {
  const { hub, presence, chat, epoch } = options;
  return {
    async join(
      connection,
      { conversationId: _, members: _all, limit: _most, ...position },
      accept,
    ) {
      const principal = requirePrincipal(connection);
      await hub.joinAfter(
        connection,
        ROOMS.conversation(WORKSPACE_CHAT),
        () => chat.join(principal, position),
        (state) => {
          // The peer may have disconnected in the meantime.
          if (connection.isOver) return;
          presence.join(connection, WORKSPACE_CHAT, "list");
          const members = presence.members(WORKSPACE_CHAT, { limit: MAX_MEMBERS });
          accept({ epoch, ...state, ...members });
        },
        (broadcast, state) => (seqOf(broadcast) ?? Infinity) > state.seq,
        (state) => state.seq,
      );
    },

    async message(connection, { content, clientMessageId, fileIds }) {
      if (fileIds !== undefined) {
        throw new ParleyError("invalid", "Cannot send: the chat of the workspace has no files", {
          fields: [{ path: "fileIds", message: "must be absent here" }],
        });
      }
      const posted = await chat.post(requirePrincipal(connection), { content, clientMessageId });
      logMessage(connection, WORKSPACE_CHAT, posted.message.seq);
      return posted;
    },

    history: (connection, { conversationId: _, ...query }) =>
      chat.history(requirePrincipal(connection), query),
  };
}
