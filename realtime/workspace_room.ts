/** The workspace's chat as a room of the hub, by the same commands as a conversation. */
import type { WorkspaceChat } from "../domain/workspace/chat.ts";
import { WORKSPACE_CHAT } from "../domain/workspace/chat.ts";
import type { Principal } from "../domain/principal.ts";
import { ParleyError } from "../protocol/errors.ts";
import { type JoinResult, MAX_MEMBERS } from "../protocol/native.ts";
import type { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { logMessage } from "./log.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import { seqOf } from "./sequencer.ts";

/** What can be done in a room, whether it is a conversation's or the workspace's. */
export interface Room extends Pick<Commands, "message" | "history"> {
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
}): Room {
  const { hub, presence, chat, epoch } = options;
  return {
    async join(
      connection,
      { conversationId: _, members: _all, limit: _most, ...position },
      accept,
    ) {
      const principal = authenticated(connection);
      await hub.joinAfter(
        connection,
        ROOMS.conversation(WORKSPACE_CHAT),
        () => chat.join(principal, position),
        (state) => {
          // The peer may have gone meanwhile.
          if (connection.isOver) return;
          presence.join(connection, WORKSPACE_CHAT, "list");
          const inside = presence.members(WORKSPACE_CHAT, { limit: MAX_MEMBERS });
          accept({ epoch, ...state, ...inside });
        },
        (broadcast, state) => (seqOf(broadcast) ?? Infinity) > state.seq,
        (state) => state.seq,
      );
    },

    async message(connection, { content, clientMessageId }) {
      const posted = await chat.post(authenticated(connection), { content, clientMessageId });
      logMessage(connection, WORKSPACE_CHAT, posted.message.seq);
      return posted;
    },

    history: (connection, { conversationId: _, ...query }) =>
      chat.history(authenticated(connection), query),
  };
}

function authenticated({ principal }: Connection): Principal {
  if (principal !== null) return principal;
  throw new ParleyError("unauthenticated", "Cannot do that: authenticate first");
}
