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
 * Follows a conversation from a position on: `send.answer`, then `send.event` for each event that was
 * missed, and then everything live, each event once.
 *
 * @throws {ParleyError} `not_found`, `too_many_subscriptions`.
 */
export type Follow = (
  connection: Connection,
  conversationId: string,
  after: StreamPosition | undefined,
  send: { answer(missed: CatchUp): void; event(happening: StreamEvent): void },
) => Promise<void>;

/** How often a peer is looked at that has much to read before what comes next. */
const REPLAY_MS = 5;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface FollowOptions {
  hub: Hub;
  conversations: Conversations;
  presence: PresenceTracker;
}

/** `join` for protocols that know receipts as events. */
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
          // The peer may have gone while it was read.
          if (connection.isOver) return missed;
          presence.join(connection, conversationId, "none");
          send.answer(missed);
          for (const happening of missed.events) {
            send.event(happening);
            await hasRead(connection);
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

/** A peer is not slow for having missed much. */
async function hasRead(connection: Connection): Promise<void> {
  const { writer, limits } = connection;
  while (!connection.isOver && writer.waitingBytes > limits.queueBytes / 4) await pause(REPLAY_MS);
}

/** What was read already must not come again as news. */
function isAfter(event: HubEvent, end: Required<StreamPosition>): boolean {
  if (event.type === "message_status") {
    return event.data.receipt !== undefined && event.data.receipt.number > end.number;
  }
  const { seq } = event.data as { seq?: number };
  return seq === undefined || seq > end.seq;
}
