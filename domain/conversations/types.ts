/** What people do with conversations: the interface that HTTP and every socket protocol call. */
import type { Conversation, ConversationStatus, Message } from "../../protocol/model.ts";
import type { LoggedEvent } from "../../protocol/native.ts";
import type { ReadConversationsBody } from "../../protocol/notifications.ts";
import type { ConversationList, ConversationView } from "../../protocol/rest.ts";
import type { Place } from "../../protocol/topics.ts";
import type { Caller, Principal } from "../principal.ts";
import type { ReadMany } from "./read_many.ts";
import type { Since } from "./since.ts";
import type { LabelChange } from "./unit_of_work.ts";

export interface PostMessage {
  /** Visitors may leave it out: their own conversation, opened when there is none. */
  conversationId?: string | undefined;
  content: string;
  clientMessageId: string;
  isPrivate?: boolean | undefined;
  /** Of a program: as which agent it is sent, or under which name as a bot. Default: the key's name. */
  sender?: { userId: string } | { userName: string } | undefined;
}

export interface HistoryQuery {
  /** A seq, or a time in ISO 8601: messages before it. At most one of the three. */
  before?: number | undefined;
  beforeTime?: string | undefined;
  after?: number | undefined;
  /** Leaves out notes and activity lines, which visitors never get. */
  publicOnly?: boolean | undefined;
  limit?: number | undefined;
}

export interface JoinPosition {
  epoch?: string | undefined;
  seq?: number | undefined;
  /** Messages in a snapshot. */
  limit?: number | undefined;
}

export interface Joined {
  conversation: Conversation;
  seq: number;
  recovered: boolean;
  events: LoggedEvent[];
  snapshot: { messages: Message[]; hasMore: boolean } | null;
}

export interface Conversations {
  readonly epoch: string;
  list(
    principal: Caller,
    query: {
      view?: ConversationView | undefined;
      status?: ConversationStatus | undefined;
      /** A label's id. */
      label?: string | undefined;
      cursor?: string | undefined;
      limit?: number | undefined;
    },
  ): Promise<ConversationList>;
  get(principal: Caller, id: string): Promise<Conversation>;
  /** The visitor's own conversation, or the contact's for an agent; opened where there is none. */
  open(principal: Caller, contactId?: string): Promise<Conversation>;
  post(
    principal: Caller,
    message: PostMessage,
  ): Promise<{ message: Message; duplicate: boolean }>;
  edit(principal: Principal, conversationId: string, id: string, content: string): Promise<Message>;
  remove(
    principal: Principal,
    conversationId: string,
    id: string,
  ): Promise<{ messageId: string; seq: number }>;
  update(
    principal: Caller,
    id: string,
    changes: {
      status?: ConversationStatus | undefined;
      assigneeId?: string | null | undefined;
      labels?: LabelChange | undefined;
    },
  ): Promise<Conversation>;
  read(
    principal: Principal,
    conversationId: string,
    seq: number,
  ): Promise<{ readSeq: number; unread: number }>;
  delivered(
    principal: Principal,
    conversationId: string,
    seq: number,
  ): Promise<{ deliveredSeq: number }>;
  history(
    principal: Caller,
    conversationId: string,
    query: HistoryQuery,
  ): Promise<{ messages: Message[]; hasMore: boolean }>;
  /** What a client needs to follow a conversation from here on. */
  join(principal: Principal, conversationId: string, position: JoinPosition): Promise<Joined>;
  /** These entries of logs, by "conversationId seq"; one that the principal may not see is left out. */
  entries(
    principal: Principal,
    places: { conversationId: string; seq: number }[],
  ): Promise<Map<string, LoggedEvent>>;
  /**
   * What happened after a place, receipts included, in order. Without `after` nothing, and where it
   * stands now; without `limit` all of it, or `reset` where that is more than a replay may be.
   */
  since(
    principal: Principal,
    conversationId: string,
    query: { after?: Place | undefined; limit?: number | undefined },
  ): Promise<Since>;
  totalUnread(principal: Principal): Promise<number>;
  /** @throws {ParleyError} `not_found` */
  mustExist(conversationId: string): Promise<void>;
  /** Reads these conversations, or all, as an agent; what comes in meanwhile stays unread. */
  readMany(principal: Principal, which: ReadConversationsBody): Promise<ReadMany>;
  /** Takes one of the conversation's broadcasts; throws `rate_limited` when there is none left. */
  takeBroadcast(conversationId: string): void;
}
