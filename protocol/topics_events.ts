/** Events of a conversation's stream as events of the topic, the same for sockets and HTTP. */
import type { Message, Role } from "./model.ts";
import {
  actorTypeOf,
  type ConversationEvent,
  formatPosition,
  type StreamEvent,
  type StreamPosition,
  TOPIC,
} from "./topics.ts";

/** The position directly after this event, from which a reader continues. */
export function positionAfter(epoch: string, event: StreamEvent): StreamPosition {
  if (event.type !== "receipt") return { epoch, seq: event.data.seq };
  const { at, number } = event.data.receipt;
  return { epoch, seq: at, number };
}

/** null: this reader may not see it. */
export function toConversationEvent(epoch: string, event: StreamEvent): ConversationEvent | null {
  const { conversationId } = event.data;
  const position = positionAfter(epoch, event);
  const common = {
    type: TOPIC,
    id: formatPosition(conversationId, position),
    conversationID: conversationId,
    seq: position.seq,
    messageID: null,
    message: null,
    isPrivate: false,
    conversation: null,
    createdAt: event.timestamp,
    updatedAt: event.timestamp,
  } as const;
  switch (event.type) {
    case "message": {
      const message = event.data;
      return {
        ...common,
        event: "message",
        ...about(message),
        ...actor(message.sender),
        createdAt: message.createdAt,
      };
    }
    case "message_updated": {
      const { message } = event.data;
      return { ...common, event: "message_updated", ...about(message), ...actor(message.sender) };
    }
    case "message_deleted": {
      const { messageId, actor: who = SYSTEM } = event.data;
      return { ...common, event: "message_deleted", messageID: messageId, ...actor(who) };
    }
    case "conversation_changed": {
      const { status, assignee, labels, actor: who, message } = event.data;
      return {
        ...common,
        event: "conversation_changed",
        ...(message === undefined ? {} : about(message)),
        isPrivate: false,
        conversation: {
          ...(status === undefined ? {} : { status }),
          ...(assignee === undefined ? {} : { assigneeID: assignee?.userId ?? null }),
          ...(labels === undefined ? {} : { labels }),
        },
        ...actor(who),
      };
    }
    case "receipt": {
      const { receipt, userId, role } = event.data;
      return { ...common, event: receipt.event, upTo: receipt.seq, ...actor({ userId, role }) };
    }
    case "hidden":
      return null;
  }
}

const SYSTEM = { userId: "system", role: "system" } as const;

function actor({ userId, role }: { userId: string; role: Role }) {
  return { actorID: userId, actorType: actorTypeOf(role) };
}

function about(message: Message) {
  return {
    messageID: message.id,
    message: {
      status: message.status,
      body: {
        type: message.type,
        text: message.content,
        ...(message.files === undefined ? {} : { files: message.files }),
      },
    },
    isPrivate: message.isPrivate,
    updatedAt: message.deletedAt ?? message.editedAt ?? message.createdAt,
  };
}
