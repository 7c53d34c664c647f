/** What happened as the events of the topic, the same for sockets and HTTP. */
import type { Message, Role } from "./model.ts";
import {
  actorTypeOf,
  type ConversationEvent,
  formatPlace,
  type Happening,
  type Place,
  TOPIC,
} from "./topics.ts";

/** Just behind this event: the place from which a reader who knows it goes on. */
export function placeOf(epoch: string, happening: Happening): Place {
  if (happening.type !== "receipt") return { epoch, seq: happening.data.seq };
  const { at, number } = happening.data.receipt;
  return { epoch, seq: at, number };
}

/** null for what this reader may not see. */
export function toConversationEvent(epoch: string, happening: Happening): ConversationEvent | null {
  const { conversationId } = happening.data;
  const place = placeOf(epoch, happening);
  const common = {
    type: TOPIC,
    id: formatPlace(conversationId, place),
    conversationID: conversationId,
    seq: place.seq,
    messageID: null,
    message: null,
    isPrivate: false,
    conversation: null,
    createdAt: happening.timestamp,
    updatedAt: happening.timestamp,
  } as const;
  switch (happening.type) {
    case "message": {
      const message = happening.data;
      return {
        ...common,
        event: "message",
        ...about(message),
        ...actor(message.sender),
        createdAt: message.createdAt,
      };
    }
    case "message_updated": {
      const { message } = happening.data;
      return { ...common, event: "message_updated", ...about(message), ...actor(message.sender) };
    }
    case "message_deleted": {
      const { messageId, actor: who = SYSTEM } = happening.data;
      return { ...common, event: "message_deleted", messageID: messageId, ...actor(who) };
    }
    case "conversation_changed": {
      const { status, assignee, labels, actor: who, message } = happening.data;
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
      const { receipt, userId, role } = happening.data;
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
      body: { type: message.type, text: message.content },
    },
    isPrivate: message.isPrivate,
    updatedAt: message.deletedAt ?? message.editedAt ?? message.createdAt,
  };
}
