import { ParleyError } from "../protocol/errors.ts";
import type { StreamEvent, StreamPosition } from "../protocol/topics.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { CatchUp } from "../domain/conversations/catch_up.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";

/**
 * Follows a conversation from a position on: `send.answer`, then `send.event` for each event that
 * was missed, and then new events; each event once.
 *
 * @throws {ParleyError} `not_found`, `too_many_subscriptions`.
 */
export type Follow = (
  connection: Connection,
  conversationId: string,
  after: StreamPosition | undefined,
  send: { answer(missed: CatchUp): void; event(event: StreamEvent): void },
) => Promise<void>;

/** Milliseconds between two checks whether a peer has read enough for the next event. */
const REPLAY_MS = 5;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface FollowOptions {
  hub: Hub;
  conversations: Conversations;
  presence: PresenceTracker;
}

/** `join` for protocols in which receipts are events. */
export function createFollow({ hub, conversations, presence }: FollowOptions): Follow {
  return async (connection, conversationId, after, send) => {
    const { principal, limits, conversations: followed } = connection;
    if (principal === null) {
      throw new ParleyError("unauthenticated", "Cannot subscribe: authenticate first");
    }
    if (!followed.has(conversationId) && followed.size >= limits.subscriptions) {
      throw new ParleyError(
        "too_many_subscriptions",
        `Cannot subscribe: this connection follows ${limits.subscriptions} conversations already`,
        { limit: "MAX_SUBSCRIPTIONS" },
      );
    }
    try {
      await hub.joinAfter(
        connection,
        ROOMS.conversation(conversationId),
        async () => {
          const missed = await conversations.catchUp(principal, conversationId, { after });
          // The peer may have disconnected in the meantime.
          if (connection.isOver) return missed;
          presence.join(connection, conversationId, "none");
          send.answer(missed);
          for (const event of missed.events) {
            send.event(event);
            await waitForReader(connection);
          }
          return missed;
        },
        () => {},
        ({ forAgents }, { end }) => forAgents === null || isAfter(forAgents, end),
        ({ end }) => end.seq,
      );
    } catch (error) {
      presence.leave(connection, conversationId);
      throw error;
    }
  };
}

/** A peer that missed much must not count as a slow reader. */
async function waitForReader(connection: Connection): Promise<void> {
  const { writer, limits } = connection;
  while (!connection.isOver && writer.waitingBytes > limits.queueBytes / 4) await pause(REPLAY_MS);
}

/** Whether an event is not among those that were read already. */
function isAfter(event: HubEvent, end: Required<StreamPosition>): boolean {
  if (event.type === "message_status") {
    return event.data.receipt !== undefined && event.data.receipt.number > end.number;
  }
  const { seq } = event.data as { seq?: number };
  return seq === undefined || seq > end.seq;
}
