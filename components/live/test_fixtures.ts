/** Makers of domain objects for unit tests. */
import type { Conversation, Message } from "../../protocol/model.ts";

export function makeConversation(change: Partial<Conversation> = {}): Conversation {
  const createdAt = "2026-11-20T08:00:00.000Z";
  return {
    id: "01990000-0000-7000-8000-000000000001",
    status: "open",
    platform: "web",
    contact: {
      id: "01990000-0000-7000-8000-0000000000c1",
      name: "Visitor 4f2a",
      email: null,
      createdAt,
      lastSeenAt: null,
    },
    assignee: null,
    lastMessage: null,
    epoch: "e1",
    lastSeq: 1,
    inboundCount: 1,
    pointers: { agentDeliveredSeq: 0, agentReadSeq: 0, contactDeliveredSeq: 0, contactReadSeq: 0 },
    waitingSince: createdAt,
    lastActivityAt: createdAt,
    createdAt,
    resolvedAt: null,
    ...change,
  };
}

export function makeMessage(change: Partial<Message> = {}): Message {
  const seq = change.seq ?? 1;
  return {
    id: `01990000-0000-7000-8000-${String(seq).padStart(12, "0")}`,
    conversationId: "01990000-0000-7000-8000-000000000001",
    seq,
    clientMessageId: null,
    type: "text",
    content: `message ${seq}`,
    isPrivate: false,
    sender: { userId: "contact", userName: "Visitor 4f2a", role: "visitor" },
    platform: "web",
    status: "sent",
    createdAt: "2026-11-20T08:00:00.000Z",
    editedAt: null,
    deletedAt: null,
    ...change,
  };
}
