/** What of a conversation's changes agents should notice, and what they need not notice any more. */
import type { Conversation, Message } from "../../protocol/model.ts";
import type { NotificationKind } from "../../protocol/notifications.ts";
import type { LogEntry } from "../events.ts";

export interface Cause {
  kind: NotificationKind;
  /** These agents, or all that are not disabled, or those whom `mentionIn` names. */
  to: readonly string[] | "everybody" | "mentioned";
  /** Who did it is not told of it. */
  actorId: string | null;
  /** Makes it happen once for each agent; null for messages, which are one until they are read. */
  cause: string | null;
  conversationId: string;
  /** Whoever has read up to here has seen it. */
  seq: number;
  title: string;
  /** What is shown as its text; the text itself stays in the message alone. */
  messageId: string | null;
  mentionIn?: string;
  /** How many messages it stands for. */
  count: number;
  contactName: string;
  /** ISO 8601. */
  at: string;
}

/** From `seq` back, nobody has to come to this conversation any more: somebody has. */
export interface Settled {
  conversationId: string;
  seq: number;
}

/** Kinds that ask for somebody, whoever it is: they are done when one has come. */
export const CALLS: readonly NotificationKind[] = ["new_conversation", "waiting"];

const TITLE = 200;

export function titled(text: string): string {
  return text.length <= TITLE ? text : text.slice(0, TITLE).toWellFormed();
}

/** @param conversation as it is after all of the entries */
export function causesOf(
  conversation: Conversation,
  entries: readonly LogEntry[],
): { causes: Cause[]; settled: Settled[] } {
  const causes: Cause[] = [];
  const settled: Settled[] = [];
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
      causes.push(mention(message, contactName));
      if (!message.isPrivate) settled.push({ conversationId, seq });
    }
    if (assignee !== null) {
      if (sender.role !== "agent" && sender.role !== "visitor") return;
      const title = titled(`${sender.userName} wrote`);
      causes.push({ ...common, kind: "message", to: [assignee.userId], cause: null, title });
    } else if (first || (reopened && sender.role === "visitor")) {
      const title = titled(`${sender.userName} ${first ? "started a conversation" : "is back"}`);
      const cause = `new ${conversationId} ${first ? "" : seq}`.trimEnd();
      causes.push({ ...common, kind: "new_conversation", to: "everybody", cause, title });
      reopened = false;
    }
  }

  for (const { seq, forAgents: event } of entries) {
    if (event.type === "message" && event.data.type === "text") written(event.data);
    if (event.type === "message_updated" && event.data.message.sender.role === "agent") {
      causes.push({ ...mention(event.data.message, contactName), seq, at: event.timestamp });
    }
    if (event.type !== "conversation_changed") continue;
    const { status, assignee: given, actor } = event.data;
    if (status === "open" && actor.role === "visitor") reopened = true;
    // Its assignee was switched off: what comes now is for whoever takes it.
    if (given === null && actor.role === "system") reopened = true;
    if (status === "resolved" || given) settled.push({ conversationId, seq });
    // Given away again in the same moment, it is no news to the first.
    if (given && given.userId === assignee?.userId) {
      causes.push({
        ...base,
        kind: "assigned",
        to: [given.userId],
        actorId: actor.userId,
        cause: `assigned ${conversationId} ${seq}`,
        seq,
        title: titled(`${actor.userName} assigned you the conversation with ${contactName}`),
        at: event.timestamp,
      });
    }
  }
  return { causes, settled };
}

function isInbound({ forAgents: event }: LogEntry): boolean {
  return event.type === "message" && event.data.type === "text" && !event.data.isPrivate &&
    event.data.sender.role === "visitor";
}

/** An edit mentions only those whom the message did not mention before: the cause is the same. */
function mention(message: Message, contactName: string): Cause {
  return {
    kind: "mention",
    to: "mentioned",
    actorId: message.sender.userId,
    cause: `mention ${message.id}`,
    conversationId: message.conversationId,
    seq: message.seq,
    title: titled(
      `${message.sender.userName} mentioned you in the conversation with ${contactName}`,
    ),
    messageId: message.id,
    mentionIn: message.content,
    count: 1,
    contactName,
    at: message.createdAt,
  };
}
