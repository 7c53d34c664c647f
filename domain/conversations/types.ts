/** What people do with conversations: the interface that HTTP and every socket protocol call. */
import type { BulkAnswer } from "../../protocol/conversation_changes.ts";
import type { Conversation, ConversationStatus, Message, Priority } from "../../protocol/model.ts";
import type { LoggedEvent } from "../../protocol/native.ts";
import type { ReadConversationsBody } from "../../protocol/notifications.ts";
import type { ConversationFilter, ConversationList } from "../../protocol/rest.ts";
import type { StreamPosition } from "../../protocol/topics.ts";
import type { Caller, Principal } from "../principal.ts";
import type { ReadMany } from "./read_many.ts";
import type { CatchUp } from "./catch_up.ts";
import type { LabelChange } from "./unit_of_work.ts";

export interface PostMessage {
  /** Default for visitors: their own conversation, which is opened when there is none. */
  conversationId?: string | undefined;
  /** May be empty where there are files. */
  content: string;
  clientMessageId: string;
  isPrivate?: boolean | undefined;
  /** Files that the caller has uploaded and not sent yet, in the order in which they are shown. */
  fileIds?: string[] | undefined;
  /** A message of the same conversation. */
  replyToId?: string | undefined;
  /** Of a program: the agent as whom it is sent, or the name of a bot. Default: the key's name. */
  sender?: { userId: string } | { userName: string } | undefined;
}

export interface HistoryQuery {
  /** Messages before a seq or a time (ISO 8601), or after a seq. At most one of the three. */
  before?: number | undefined;
  beforeTime?: string | undefined;
  after?: number | undefined;
  /** Without notes and activity lines, which visitors never get. */
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

export interface ConversationChanges {
  status?: ConversationStatus | undefined;
  /** ISO 8601, with the status "snoozed"; null: until the next reply. */
  snoozedUntil?: string | null | undefined;
  assigneeId?: string | null | undefined;
  /** A team's id; null: none. */
  teamId?: string | null | undefined;
  priority?: Priority | undefined;
  labels?: LabelChange | undefined;
}

export interface Conversations {
  readonly epoch: string;
  list(
    principal: Caller,
    query: { [K in keyof ConversationFilter]?: ConversationFilter[K] | undefined } & {
      cursor?: string | undefined;
      limit?: number | undefined;
    },
  ): Promise<ConversationList>;
  get(principal: Caller, id: string): Promise<Conversation>;
  /** The visitor's own conversation, or for an agent the contact's; opened where there is none. */
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
  /** Adds or removes a reaction of the principal. */
  react(
    principal: Principal,
    conversationId: string,
    id: string,
    reaction: { emoji: string; isAdded: boolean },
  ): Promise<Message>;
  update(
    principal: Caller,
    id: string,
    changes: ConversationChanges,
  ): Promise<Conversation>;
  /** The same change of each; one that is refused does not affect the others. */
  updateMany(
    caller: Caller,
    ids: readonly string[],
    changes: ConversationChanges,
  ): Promise<BulkAnswer>;
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
  /** The state or the missed events of a conversation, from which a client follows it. */
  join(principal: Principal, conversationId: string, position: JoinPosition): Promise<Joined>;
  /** Entries of logs, by "conversationId seq", without those that the principal may not see. */
  entries(
    principal: Principal,
    positions: { conversationId: string; seq: number }[],
  ): Promise<Map<string, LoggedEvent>>;
  /**
   * What happened after a position, receipts included, in order. Without `after` only the current
   * end; without `limit` everything, or `reset` where that is more than a replay may have.
   */
  catchUp(
    principal: Principal,
    conversationId: string,
    query: { after?: StreamPosition | undefined; limit?: number | undefined },
  ): Promise<CatchUp>;
  /** Writes a visitor's rating into the history, as far as it is news. `before`: the one before. */
  rated(
    principal: Principal,
    conversationId: string,
    rated: {
      rating: number;
      comment: string;
      before: { rating: number; comment: string } | null;
    },
  ): Promise<void>;
  totalUnread(principal: Principal): Promise<number>;
  /** @throws {ParleyError} `not_found` */
  mustExist(conversationId: string): Promise<void>;
  /** Marks these conversations, or all, as read by an agent; what arrives meanwhile stays unread. */
  readMany(principal: Principal, which: ReadConversationsBody): Promise<ReadMany>;
  /** Marks conversations as unread for an agent, until they read them. @returns how many exist */
  markUnread(principal: Principal, ids: readonly string[]): Promise<{ unread: number }>;
  /** Takes one from the conversation's rate of broadcasts. @throws {ParleyError} `rate_limited` */
  takeBroadcast(conversationId: string): void;
}
