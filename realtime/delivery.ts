import type { EventBus, LogEntry } from "../domain/events.ts";
import { isBriefOutage } from "../protocol/errors.ts";
import type { UnreadCounts } from "../protocol/native.ts";
import { audienceOf } from "../domain/principal.ts";
import { WORKSPACE_CHAT } from "../domain/workspace/chat.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { ClusterEvents } from "./cluster_events.ts";
import type { Hub } from "./hub.ts";
import type { PresenceTracker } from "./presence.ts";
import { ROOMS } from "./rooms.ts";
import { seqOf } from "./sequencer.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import { totalsOf } from "./unread.ts";

/** How long changes of an agent's unread messages are collected before the totals are read. */
const TOTAL_DELAY_MS = 250;
/** Milliseconds before a retry while the database is away. */
const RETRY_MS = 500;

/** A visitor's connection follows their own conversation without a command. */
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
  clusterEvents: ClusterEvents;
  /** The log of a conversation after a position. */
  logAfter: (conversationId: string, seq: number) => Promise<LogEntry[]>;
  hub: Hub;
  wheel: TimerWheel;
  presence: PresenceTracker;
  /** Unread messages of each of these users, by platform. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, Record<string, number>>>;
  onError: (error: unknown) => void;
}

/** Publishes domain events as broadcasts. */
export function deliverDomainEvents(options: DeliveryOptions): void {
  const { bus, clusterEvents, hub, wheel, presence, unreadCounts, onError } = options;
  const totals = new Map<string, { conversationId: string; unread: number; readSeq: number }[]>();

  /** null: they are read later, together with the changes until then. */
  async function countsOf(userId: string): Promise<UnreadCounts | null> {
    try {
      return totalsOf((await unreadCounts([userId])).get(userId));
    } catch (error) {
      if (!isBriefOutage(error)) {
        totals.delete(userId);
        throw error;
      }
      wheel.after(RETRY_MS, () => void sendUnread(userId).catch(onError));
      return null;
    }
  }

  async function sendUnread(userId: string): Promise<void> {
    const counts = await countsOf(userId);
    if (counts === null) return;
    const waiting = totals.get(userId) ?? [];
    totals.delete(userId);
    const timestamp = new Date().toISOString();
    for (const entry of waiting) {
      hub.publish({
        room: ROOMS.user(userId),
        forAgents: { type: "unread", timestamp, data: { ...entry, ...counts } },
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
      }
    }
  });

  bus.on("workspace.logged", ({ entries }) => {
    const room = ROOMS.conversation(WORKSPACE_CHAT);
    for (const { forAgents } of entries) hub.publish({ room, forAgents, forVisitors: null });
  });

  clusterEvents.on("conversation.opened", ({ conversationId, contactId }, isLocal) => {
    for (const connection of hub.members(ROOMS.user(contactId))) {
      if (connection.protocol.follows === "asked") continue;
      if (isLocal) followOwn(hub, presence, connection, conversationId);
      else followFromStart(connection, conversationId).catch(onError);
    }
  });

  /** It was opened on another node, whose first messages may have been broadcast already. */
  async function followFromStart(connection: Connection, conversationId: string): Promise<void> {
    const room = ROOMS.conversation(conversationId);
    presence.join(connection, conversationId, "none");
    await hub.joinAfter(
      connection,
      room,
      () => options.logAfter(conversationId, 0),
      (log) => {
        const { principal } = connection;
        if (principal === null || connection.isOver) return;
        const agent = audienceOf(principal) === "agents";
        for (const { forAgents, forVisitors } of log) {
          connection.sendEvent(agent ? forAgents : forVisitors, room);
        }
      },
      (broadcast, log) => (seqOf(broadcast) ?? Infinity) > (log.at(-1)?.seq ?? 0),
      (log) => log.at(-1)?.seq ?? 0,
    );
  }

  bus.on("conversation.opened", ({ conversationId, contactId }) => {
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
    const { conversationId, userId, role, pointers, readSeq, unread, implied, receipts } = event;
    // One event for each receipt; one without if another person of the same side was as far before.
    const moves = implied ? [] : receipts.length > 0 ? receipts : [undefined];
    for (const receipt of moves) {
      const status = {
        type: "message_status",
        timestamp: new Date().toISOString(),
        data: {
          conversationId,
          userId,
          role,
          pointers,
          ...(receipt === undefined ? {} : { receipt, messageId: receipt.messageId }),
        },
      } as const;
      const room = ROOMS.conversation(conversationId);
      hub.publish({ room, forAgents: status, forVisitors: status });
      hub.publish({ room: ROOMS.messages, forAgents: status, forVisitors: null });
    }
    if (role !== "agent" || !presence.has(userId)) return;
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

  // For protocols with a status of each message.
  bus.on("messages.status", (data) => {
    const timestamp = new Date().toISOString();
    const event = { type: "message_statuses", timestamp, data } as const;
    const room = ROOMS.conversation(data.conversationId);
    hub.publish({ room, forAgents: null, forVisitors: event });
    hub.publish({ room: ROOMS.messages, forAgents: event, forVisitors: null });
  });

  /** To one agent, on every node. */
  function publishToAgent(userId: string, event: HubEvent): void {
    hub.publish({ room: ROOMS.user(userId), forAgents: event, forVisitors: null });
  }
  bus.on("notification.made", (data) => {
    const timestamp = new Date().toISOString();
    publishToAgent(data.notification.userId, { type: "notification", timestamp, data });
  });
  bus.on("notifications.read", ({ userId, ...data }) => {
    publishToAgent(userId, { type: "notifications_read", timestamp: data.readAt, data });
  });
  bus.on("notifications.preferences", ({ userId, ...data }) => {
    const timestamp = new Date().toISOString();
    publishToAgent(userId, { type: "notification_preferences", timestamp, data });
  });
  bus.on("scheduled.changed", (data) => {
    const timestamp = new Date().toISOString();
    const event = { type: "scheduled_changed", timestamp, data } as const;
    const room = ROOMS.conversation(data.conversationId);
    hub.publish({ room, forAgents: event, forVisitors: null });
  });
  bus.on("draft.saved", ({ userId, ...data }) => {
    const timestamp = new Date().toISOString();
    publishToAgent(userId, { type: "draft", timestamp, data });
  });

  bus.on("contact.updated", ({ contactId, name }) => presence.rename(contactId, name));
  bus.on("user.updated", ({ user }) => presence.rename(user.id, user.name));
}
