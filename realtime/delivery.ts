import type { EventBus } from "../domain/events.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import type { TypingTracker } from "./typing.ts";

/** How long unread totals are collected before they are counted, per agent. */
const TOTAL_DELAY_MS = 250;

/** A visitor's connection follows their own conversation without asking. */
export function followOwn(
  hub: Hub,
  presence: PresenceTracker,
  connection: Connection,
  conversationId: string,
): void {
  presence.join(connection, conversationId, "none");
  hub.join(connection, ROOMS.conversation(conversationId));
}

export interface DeliveryOptions {
  bus: EventBus;
  hub: Hub;
  wheel: TimerWheel;
  typing: TypingTracker;
  presence: PresenceTracker;
  /** Unread messages of a user over all conversations. */
  totalUnread: (userId: string) => Promise<number>;
  onError: (error: unknown) => void;
}

/** Turns what the domain says into broadcasts. */
export function deliverDomainEvents(options: DeliveryOptions): void {
  const { bus, hub, wheel, typing, presence, totalUnread, onError } = options;
  const totals = new Map<string, { conversationId: string; unread: number; readSeq: number }[]>();

  async function sendUnread(userId: string): Promise<void> {
    const waiting = totals.get(userId) ?? [];
    totals.delete(userId);
    const total = await totalUnread(userId);
    const timestamp = new Date().toISOString();
    for (const entry of waiting) {
      hub.publish({
        room: ROOMS.user(userId),
        forAgents: { type: "unread", timestamp, data: { ...entry, totalUnread: total } },
        forVisitors: null,
      });
    }
  }

  bus.on("conversation.logged", ({ conversationId, entries }) => {
    const room = ROOMS.conversation(conversationId);
    for (const { forAgents, forVisitors } of entries) {
      hub.publish({ room, forAgents, forVisitors });
      if (forAgents.type === "message") {
        hub.publish({ room: ROOMS.messages, forAgents, forVisitors: null });
        // The message says that typing is over; it is announced so that every client agrees.
        typing.set(conversationId, forAgents.data.sender, false);
      }
    }
  });

  bus.on("conversation.opened", ({ conversationId, contactId }) => {
    for (const connection of hub.members(ROOMS.user(contactId))) {
      if (connection.protocol.follows === "everything") {
        followOwn(hub, presence, connection, conversationId);
      }
    }
    hub.publish({
      room: ROOMS.user(contactId),
      forAgents: null,
      forVisitors: {
        type: "conversation_opened",
        timestamp: new Date().toISOString(),
        data: { conversationId },
      },
    });
  });

  bus.on("conversation.updated", ({ conversation }) => {
    hub.publish({
      room: ROOMS.agents,
      forAgents: {
        type: "conversation",
        timestamp: new Date().toISOString(),
        data: { conversation },
      },
      forVisitors: null,
    });
  });

  bus.on("conversation.pointers", (event) => {
    const { conversationId, userId, role, pointers, readSeq, unread, implied } = event;
    if (!implied) {
      const status = {
        type: "message_status",
        timestamp: new Date().toISOString(),
        data: { conversationId, userId, role, pointers },
      } as const;
      const room = ROOMS.conversation(conversationId);
      hub.publish({ room, forAgents: status, forVisitors: status });
    }
    if (role !== "agent" || hub.members(ROOMS.user(userId)).size === 0) return;
    const waiting = totals.get(userId);
    const entry = { conversationId, unread, readSeq };
    if (waiting !== undefined) {
      const same = waiting.findIndex((known) => known.conversationId === conversationId);
      if (same >= 0) waiting.splice(same, 1);
      waiting.push(entry);
      return;
    }
    totals.set(userId, [entry]);
    wheel.after(TOTAL_DELAY_MS, () => void sendUnread(userId).catch(onError));
  });

  bus.on("contact.updated", ({ contactId, name }) => presence.rename(contactId, name));
  bus.on("user.updated", ({ user }) => presence.rename(user.id, user.name));
}
