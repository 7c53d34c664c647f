/**
 * Scoped chat at `/api/chat/ws`: the conversation of one context, or the workspace's chat, as in
 * docs/protocols/scoped.md.
 */
import { z } from "zod";
import { WORKSPACE_CHAT } from "../../domain/workspace/chat.ts";
import type { Message } from "../../protocol/model.ts";
import { Timestamp } from "../../protocol/model.ts";
import { COMMANDS, HAS_CONTENT, MAX_HISTORY } from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";
import type { Scope } from "../scopes.ts";
import type { ChatRoom } from "../workspace_room.ts";
import { type AuthRequest, command, createScopedProtocol, type ScopedOptions } from "./scoped.ts";

export interface ScopedChatOptions extends ScopedOptions {
  commands: Commands;
  /** For agents who name no context. */
  workspace: ChatRoom;
  /** The epoch of this server's logs; the default for clients that send none. */
  epoch: string;
}

const { content, clientMessageId, fileIds } = COMMANDS.message.shape;

const SendMessage = z.object({
  content,
  messageType: z.literal("text", 'must be "text"').optional(),
  clientMessageId: clientMessageId.optional(),
  /** Files that were uploaded over HTTP. The protocol's document does not have them. */
  fileIds,
}).refine(...HAS_CONTENT);
const Typing = z.object({ isTyping: z.boolean() });
const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const History = z.object({
  limit: z.number().int().min(1).optional(),
  before: z.union([Seq, Timestamp], "must be a seq or an ISO 8601 time").optional(),
  after: Seq.optional(),
}).refine(
  ({ before, after }) => before === undefined || after === undefined,
  "at most one of before and after can be given",
);

export function createScopedChatProtocol(options: ScopedChatOptions): Protocol {
  const { commands, workspace, epoch } = options;
  const nothing = () => {};
  const roomOf = (scope: Scope): ChatRoom => scope.conversationId === null ? workspace : commands;
  const idOf = (scope: Scope): string => scope.conversationId ?? WORKSPACE_CHAT;

  /** Joins from the client's position: missed events follow the answer, and then new ones. */
  async function onAuthenticated(
    connection: Connection,
    scope: Scope,
    { lastSeq, epoch: known = epoch, inAddress }: AuthRequest,
    reply: (type: string, data: unknown) => void,
  ): Promise<void> {
    const position = lastSeq === undefined ? { limit: 1 } : { seq: lastSeq, epoch: known };
    const request = { conversationId: idOf(scope), ...position };
    await roomOf(scope).join(connection, request, (joined) => {
      const { userId, userName, kind, expiresAt } = connection.principal!;
      // A client with its token in the URL and without a position expects no answer: its first
      // frame is the first event, as in this protocol's document.
      if (!inAddress || lastSeq !== undefined) {
        reply("authenticated", {
          userId,
          username: userName,
          role: kind,
          contextId: scope.contextId,
          conversationId: scope.conversationId,
          epoch: joined.epoch,
          seq: joined.seq,
          ...(lastSeq === undefined ? {} : { recovered: joined.recovered }),
          members: joined.members.map(toPerson),
          memberCount: joined.memberCount,
          expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        });
      }
      for (const event of joined.events) connection.sendEvent(event);
    });
  }

  return createScopedProtocol({
    name: "scoped-chat",
    needs: "conversation",
    onAuthenticated,
    encode,
    commands: {
      message: command(SendMessage, async (connection, scope, data, reply) => {
        const { message, duplicate } = await roomOf(scope).message(connection, {
          conversationId: idOf(scope),
          content: data.content,
          fileIds: data.fileIds,
          clientMessageId: data.clientMessageId ?? crypto.randomUUID(),
        }, nothing);
        reply.ack({ ...toWire(message), duplicate });
      }),
      typing: command(Typing, async (connection, scope, { isTyping }, reply) => {
        const conversationId = idOf(scope);
        reply.ack(await commands.typing(connection, { conversationId, isTyping }, nothing));
      }),
      history: command(History, async (connection, scope, { limit = 50, before, after }, reply) => {
        const { messages, hasMore } = await roomOf(scope).history(connection, {
          conversationId: idOf(scope),
          publicOnly: true,
          limit: Math.min(limit, MAX_HISTORY),
          ...(typeof before === "string" ? { beforeTime: before } : { before }),
          after,
        }, nothing);
        reply("history", { messages: messages.map(toWire), hasMore });
      }),
    },
  }, options);
}

function encode(event: HubEvent): { type: string; data: unknown } | null {
  switch (event.type) {
    case "message":
      return isPublic(event.data) ? { type: "message", data: toWire(event.data) } : null;
    case "message_updated":
      return isPublic(event.data.message)
        ? { type: "message_updated", data: toWire(event.data.message) }
        : null;
    case "message_deleted": {
      const { messageId, conversationId, deletedAt } = event.data;
      return { type: "message_deleted", data: { id: messageId, conversationId, deletedAt } };
    }
    case "typing":
      if (event.data.isPrivate) return null;
      return {
        type: "typing",
        data: { ...toPerson(event.data), isTyping: event.data.isTyping },
      };
    case "user_joined":
    case "user_left":
      return { type: event.type, data: toPerson(event.data) };
    default:
      return null;
  }
}

/** This protocol has no notes and no activity lines. */
function isPublic(message: Message): boolean {
  return !message.isPrivate && message.type === "text";
}

function toPerson({ userId, userName, role }: { userId: string; userName: string; role: string }) {
  return { userId, username: userName, role };
}

function toWire(message: Message) {
  const { sender } = message;
  return {
    id: message.id,
    content: message.content,
    author: { id: sender.userId, name: sender.userName, role: sender.role },
    timestamp: message.createdAt,
    messageType: message.type,
    ...(message.files === undefined ? {} : { files: message.files }),
    seq: message.seq,
    // The workspace's chat is not a conversation.
    conversationId: message.conversationId === WORKSPACE_CHAT ? null : message.conversationId,
    clientMessageId: message.clientMessageId,
    editedAt: message.editedAt,
    deletedAt: message.deletedAt,
  };
}
