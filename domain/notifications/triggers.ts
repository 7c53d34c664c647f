/** Which changes of a conversation notify agents, and which end earlier notifications. */
import type { Conversation, Message } from "../../protocol/model.ts";
import type { NotificationKind } from "../../protocol/notifications.ts";
import { isolate } from "../../protocol/visible_text.ts";
import type { LogEntry } from "../events.ts";

export interface Trigger {
  kind: NotificationKind;
  /** These agents, or all active ones, or those who are mentioned in `mentionIn`. */
  to: readonly string[] | "everybody" | "mentioned";
  /** Who caused it, and is not notified. */
  actorId: string | null;
  /** At most one notification with this key for each agent; null: messages, which are collected. */
  dedupKey: string | null;
  conversationId: string;
  /** Agents who have read the conversation up to here have seen it. */
  seq: number;
  title: string;
  /** The message whose text is shown; the notification has no copy of the text. */
  messageId: string | null;
  mentionIn?: string;
  /** Number of messages. */
  count: number;
  contactName: string;
  /** ISO 8601. */
  at: string;
}

/** Up to `seq` the conversation needs nobody from the team: an agent has it, or it is resolved. */
export interface Handled {
  conversationId: string;
  seq: number;
}

/** Kinds that ask anybody of the team; when one agent has come, they are read for all. */
export const TEAM_KINDS: readonly NotificationKind[] = ["new_conversation", "waiting"];

const TITLE = 200;

export function truncateTitle(text: string): string {
  return text.length <= TITLE ? text : text.slice(0, TITLE).toWellFormed();
}

/** @param conversation as it is after all of the entries */
export function triggersOf(
  conversation: Conversation,
  entries: readonly LogEntry[],
): { triggers: Trigger[]; handled: Handled[] } {
  const triggers: Trigger[] = [];
  const handled: Handled[] = [];
  const { id: conversationId, assignee } = conversation;
  const contactName = conversation.contact.name;
  const base = { conversationId, contactName, count: 1, messageId: null };
  let inbound = conversation.inboundCount - entries.filter(isInbound).length;
  let reopened = false;

  function written(message: Message): void {
    const { id: messageId, seq, createdAt: at, sender } = message;
    const common = { ...base, actorId: sender.userId, messageId, seq, at };
    const first = sender.role === "visitor" && inbound++ === 0;
    if (sender.role === "agent") {
      triggers.push(mention(message, contactName));
      if (!message.isPrivate) handled.push({ conversationId, seq });
    }
    if (assignee !== null) {
      if (sender.role !== "agent" && sender.role !== "visitor") return;
      const title = truncateTitle(`${isolate(sender.userName)} wrote`);
      triggers.push({ ...common, kind: "message", to: [assignee.userId], dedupKey: null, title });
    } else if (first || (reopened && sender.role === "visitor")) {
      const title = truncateTitle(
        `${isolate(sender.userName)} ${first ? "started a conversation" : "is back"}`,
      );
      const dedupKey = `new ${conversationId} ${first ? "" : seq}`.trimEnd();
      triggers.push({ ...common, kind: "new_conversation", to: "everybody", dedupKey, title });
      reopened = false;
    }
  }

  for (const { seq, forAgents: event } of entries) {
    if (event.type === "message" && event.data.type === "text") written(event.data);
    const isEdit = event.type === "message_updated" && event.data.reaction === undefined;
    if (isEdit && event.data.message.sender.role === "agent") {
      triggers.push({ ...mention(event.data.message, contactName), seq, at: event.timestamp });
    }
    if (event.type !== "conversation_changed") continue;
    const { status, assignee: given, actor, snoozedBy } = event.data;
    const waker = assignee?.userId ?? snoozedBy;
    if (status === "open" && actor.role === "system" && waker !== undefined) {
      triggers.push({
        ...base,
        kind: "snooze_ended",
        to: [waker],
        actorId: null,
        dedupKey: `snooze_ended ${conversationId} ${seq}`,
        seq,
        title: truncateTitle(`The snooze of ${isolate(contactName)} has ended`),
        at: event.timestamp,
      });
    }
    if (status === "open" && actor.role === "visitor") reopened = true;
    // Its assignee was disabled: the whole team is notified of what comes now.
    if (given === null && actor.role === "system") reopened = true;
    if (status === "resolved" || given) handled.push({ conversationId, seq });
    // An assignee who was replaced in the same batch is not notified.
    if (given && given.userId === assignee?.userId) {
      triggers.push({
        ...base,
        kind: "assigned",
        to: [given.userId],
        actorId: actor.userId,
        dedupKey: `assigned ${conversationId} ${seq}`,
        seq,
        title: truncateTitle(
          `${isolate(actor.userName)} assigned you the conversation with ${isolate(contactName)}`,
        ),
        at: event.timestamp,
      });
    }
  }
  return { triggers, handled };
}

function isInbound({ forAgents: event }: LogEntry): boolean {
  return event.type === "message" && event.data.type === "text" && !event.data.isPrivate &&
    event.data.sender.role === "visitor";
}

/** An edit notifies only those whom the message did not mention before: the key is the same. */
function mention(message: Message, contactName: string): Trigger {
  return {
    kind: "mention",
    to: "mentioned",
    actorId: message.sender.userId,
    dedupKey: `mention ${message.id}`,
    conversationId: message.conversationId,
    seq: message.seq,
    title: truncateTitle(
      `${isolate(message.sender.userName)} mentioned you in the conversation with ${
        isolate(contactName)
      }`,
    ),
    messageId: message.id,
    mentionIn: message.content,
    count: 1,
    contactName,
    at: message.createdAt,
  };
}
