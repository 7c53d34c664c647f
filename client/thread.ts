import type { Conversation, Message, Pointers } from "../protocol/model.ts";
import type { DurableEvents, DurableType } from "../protocol/native.ts";

/** The known part of one conversation: a window of its newest messages. */
export interface Thread {
  /** By `seq`, complete from the first one on. */
  messages: Message[];
  hasOlder: boolean;
  conversation: Conversation | null;
}

export const NO_POINTERS: Pointers = {
  agentDeliveredSeq: 0,
  agentReadSeq: 0,
  contactDeliveredSeq: 0,
  contactReadSeq: 0,
};

export const EMPTY_THREAD: Thread = { messages: [], hasOlder: false, conversation: null };

/** A new list with the message in its place. A message that is already in the list is replaced. */
export function withMessage(messages: Message[], message: Message): Message[] {
  const known = messages.findIndex((one) => one.id === message.id);
  if (known !== -1) return messages.with(known, message);
  const before = messages.findLastIndex((one) => one.seq < message.seq);
  return messages.toSpliced(before + 1, 0, message);
}

/** A new list with one message changed. A message that is not in the list is too old to show. */
function updated(messages: Message[], id: string, change: (old: Message) => Message): Message[] {
  return messages.map((one) => one.id === id ? change(one) : one);
}

/** The same where replies quote a message that has changed. */
function requoted(messages: Message[], { id, content }: Pick<Message, "id" | "content">) {
  const preview = content.slice(0, 200);
  return messages.map((one) =>
    one.replyToId === id && one.quote ? { ...one, quote: { ...one.quote, preview } } : one
  );
}

/** Applies one durable event: the next one in the log. */
export function applyDurable<T extends DurableType>(
  thread: Thread,
  type: T,
  event: DurableEvents[T],
): Thread {
  let { messages, conversation } = thread;
  switch (type as DurableType) {
    case "message":
      messages = withMessage(messages, event as DurableEvents["message"]);
      break;
    case "message_updated": {
      const { message } = event as DurableEvents["message_updated"];
      messages = requoted(updated(messages, message.id, () => message), message);
      break;
    }
    case "message_deleted": {
      const { messageId, deletedAt } = event as DurableEvents["message_deleted"];
      const gone = { content: "", formatted: undefined, files: undefined, deletedAt };
      messages = updated(messages, messageId, (old) => ({ ...old, ...gone }));
      messages = requoted(messages, { id: messageId, content: "" });
      break;
    }
    case "conversation_changed": {
      const { status, assignee, labels, message, createdAt } =
        event as DurableEvents["conversation_changed"];
      if (message) messages = withMessage(messages, message);
      if (conversation) {
        conversation = { ...conversation };
        if (status) {
          conversation.status = status;
          conversation.resolvedAt = status === "resolved" ? createdAt : null;
        }
        if (assignee !== undefined) conversation.assignee = assignee;
        if (labels) conversation.labels = labels;
      }
    }
  }
  if (conversation) conversation = { ...conversation, lastSeq: event.seq };
  return { ...thread, messages, conversation };
}

/** Pointers only move forwards, whatever order their events arrive in. */
export function furthest(known: Pointers, moved: Partial<Pointers>): Pointers {
  const next = { ...known };
  for (const name of Object.keys(known) as (keyof Pointers)[]) {
    next[name] = Math.max(known[name], moved[name] ?? 0);
  }
  return next;
}

/** How far a message got, as its author sees it: whether the other side received or read it. */
export function deliveryStatus(
  message: Pick<Message, "seq" | "sender" | "isPrivate">,
  pointers: Pointers,
): "sent" | "delivered" | "read" {
  const byVisitor = message.sender.role === "visitor";
  if (message.isPrivate) return "sent";
  if (message.seq <= (byVisitor ? pointers.agentReadSeq : pointers.contactReadSeq)) return "read";
  const delivered = byVisitor ? pointers.agentDeliveredSeq : pointers.contactDeliveredSeq;
  return message.seq <= delivered ? "delivered" : "sent";
}
