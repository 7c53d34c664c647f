/**
 * Chat JSON at `/ws`: `{type, payload?, timestamp, clientId?}`, one message in each frame, as in
 * docs/protocols/chat-json.md. The protocol's own document broadcasts to every client; here a
 * message is delivered only to those who may see it: the conversation's visitor, and agents.
 */
import { z } from "zod";
import { readCredentials } from "../../protocol/credentials.ts";
import {
  closingFor,
  fieldErrors,
  isTemporary,
  ParleyError,
  toParleyError,
} from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { peek } from "../../protocol/peek.ts";
import type { Message, Role } from "../../protocol/model.ts";
import { ContentOrFiles, FileIds, HAS_CONTENT } from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";

export interface ChatJsonOptions {
  commands: Commands;
  /**
   * Delivers all changes of tables that the connection may see; `accept` is called before the
   * first.
   */
  followTables: (connection: Connection, accept: () => void) => Promise<void>;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

/** Every other frame is an "Invalid message format". */
const Frame = z.object({
  type: z.string().min(1).max(64),
  payload: z.record(z.string(), z.unknown()).optional(),
  sentAt: z.union([z.string().max(64), z.number()]).optional(),
  clientId: z.string().min(1).max(100).optional(),
  token: z.unknown().optional(),
  sessionId: z.unknown().optional(),
});
type Frame = z.infer<typeof Frame>;

const Chat = z.object({
  content: ContentOrFiles,
  /** Files that were uploaded over HTTP. The protocol's document does not have them. */
  fileIds: FileIds.optional(),
  conversationId: z.uuid().optional(),
  /** Makes a retry harmless. Optional, because the protocol's document does not have it. */
  id: z.string().regex(/^[\x21-\x7d]{1,40}$/, "must be 1 to 40 visible ASCII characters")
    .optional(),
}).refine(...HAS_CONTENT);

/** The roles as this protocol names them. They come from the principal, not from the client. */
const SENDER: Record<Role, string> = {
  visitor: "user",
  agent: "agent",
  bot: "bot",
  system: "system",
};

/** A frame with a chat, as JSON.stringify writes it, wherever the type is. */
const CHAT_FRAME = /^\s*\{.*"type"\s*:\s*"chat"/s;

/** Characters of the longest chat id that an error repeats. */
const MAX_ID = 100;

/** Between the sender's clientId and the message's id in the stored clientMessageId. */
const SEPARATOR = "~";

export function createChatJsonProtocol(options: ChatJsonOptions): Protocol {
  const { commands, now = () => new Date() } = options;
  const encode = (message: Record<string, unknown>, timestamp = now().toISOString()) =>
    JSON.stringify({ ...message, timestamp });

  function encodeError(error: ParleyError, id?: string): string {
    const { message, code, retryAfter, limit } = error;
    return encode({ type: "error", payload: { message, code, retryAfter, limit, id } });
  }

  async function authenticate(connection: Connection, frame: Frame): Promise<void> {
    const given = {
      token: frame.payload?.["token"] ?? frame.token,
      sessionId: frame.payload?.["sessionId"] ?? frame.sessionId,
    };
    const isNew = connection.principal === null;
    try {
      const credentials = readCredentials(given);
      const { userId } = await commands.auth(connection, credentials, () => {});
      const { principal } = connection;
      useOwnSessionId(connection, credentials.sessionId);
      const admin = principal?.kind === "agent" && principal.role === "admin";
      const permissions = ["read", "write", ...(admin ? ["admin"] : [])];
      await options.followTables(connection, () => {
        connection.send(encode({
          type: "auth_response",
          payload: { success: true, userId, permissions },
        }));
      });
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (error.code === "internal") options.onUnexpected(thrown, connection);
      connection.errorSent(error);
      const { message, code, retryAfter } = error;
      connection.send(encode({
        type: "auth_response",
        payload: { success: false, message, error: message, code, retryAfter },
      }));
      // A client with credentials in the URL cannot send them again; one that is authenticated
      // would miss the changes that it should receive.
      if (isTemporary(code) && isNew) connection.close(closingFor(code));
    }
  }

  async function chat(connection: Connection, frame: Frame): Promise<void> {
    const parsed = Chat.safeParse(frame.payload ?? {});
    if (!parsed.success) {
      const { path, message } = fieldErrors(parsed.error)[0]!;
      throw new ParleyError("invalid", `Cannot send: "payload.${path}" ${message}`);
    }
    const { content, conversationId, fileIds, id } = parsed.data;
    const own = id ?? crypto.randomUUID().slice(0, 18);
    const { message, duplicate } = await commands.message(connection, {
      content,
      fileIds,
      clientMessageId: `${clientIdForLog(frame.clientId, own)}${SEPARATOR}${own}`,
      ...(conversationId === undefined ? {} : { conversationId }),
    }, () => {});
    if (!duplicate) return;
    // It was broadcast when it was stored, and the sender of a duplicate may not have received it.
    const [clientId = "unknown"] = split(message.clientMessageId);
    const { id: messageId, seq } = message;
    connection.send(encode({
      type: "ack",
      payload: { id: own, messageId, conversationId: message.conversationId, seq, duplicate },
      clientId,
    }));
  }

  async function handle(connection: Connection, frame: Frame): Promise<void> {
    connection.takeCommand("message");
    if (frame.type === "ping") {
      connection.send(encode({ type: "pong", sentAt: frame.sentAt }));
      return;
    }
    if (frame.type === "auth") return await authenticate(connection, frame);
    if (connection.principal === null) {
      throw new ParleyError("unauthenticated", `Cannot handle "${frame.type}": authenticate first`);
    }
    if (frame.type === "chat") return await chat(connection, frame);
    throw new ParleyError(
      "unknown_type",
      `Cannot handle the message: unknown type "${frame.type}"`,
    );
  }

  return {
    name: "chat-json",
    batching: false,
    follows: "everything",
    authFrame: (payload) => JSON.stringify({ type: "auth", payload }),
    encodeError: (error) => encodeError(error),
    encodeRefusals(error, frame) {
      const id = chatIdOf(peek(frame));
      return id === undefined ? [] : [encodeError(error, id)];
    },

    onOpen(connection) {
      connection.send(
        encode({ type: "system", payload: { message: "Connected to WebSocket server" } }),
      );
    },

    // The document's client sends its queue in `onopen`, before its listeners can send credentials.
    mayWait: (text) => CHAT_FRAME.test(text),

    async onFrame(connection, text) {
      let frame: Frame | undefined;
      try {
        try {
          frame = Frame.parse(parseJson(text, { text: ["payload.content"] }));
        } catch (cause) {
          connection.takeCommand("message");
          throw new ParleyError("bad_frame", "Invalid message format", { cause });
        }
        await handle(connection, frame);
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (error.code === "internal") options.onUnexpected(thrown, connection);
        connection.errorSent(error);
        connection.send(encodeError(error, chatIdOf(frame ?? peek(text))));
      }
    },

    encode(event: HubEvent) {
      switch (event.type) {
        case "message":
          return encodeChat(event.data, event.timestamp);
        case "database_change": {
          const { table, event: what, eventType, data, old, id } = event.data;
          // Clients of this protocol read from new.id which row was deleted.
          const now = what === "DELETE" ? { id: data["id"] } : event.data.new;
          return encode(
            { type: "database_change", id, table, event: what, eventType, data, new: now, old },
            event.timestamp,
          );
        }
        case "subscription_ended": {
          const { table, code, reason } = event.data;
          return encode({ type: "system", payload: { message: reason, code, table } });
        }
        case "reconnect":
          return encode({
            type: "system",
            payload: { message: "Server is restarting", retryAfter: event.data.retryAfter },
          }, event.timestamp);
        default:
          return null;
      }
    },
  };

  function encodeChat(message: Message, timestamp: string): string | null {
    // This protocol has no notes and no activity lines.
    if (message.isPrivate || message.type !== "text") return null;
    const [clientId, own] = split(message.clientMessageId);
    return encode({
      type: "chat",
      payload: {
        content: message.content,
        sender: SENDER[message.sender.role],
        timestamp: message.createdAt,
        id: own ?? message.id,
        messageId: message.id,
        conversationId: message.conversationId,
        seq: message.seq,
        userId: message.sender.userId,
        userName: message.sender.userName,
        ...(message.files === undefined ? {} : { files: message.files }),
      },
      clientId: clientId ?? "unknown",
    }, timestamp);
  }
}

/** The id of the chat that an error is about, if the frame is a chat with an id. */
function chatIdOf(frame: { type?: unknown; payload?: unknown }): string | undefined {
  const id = frame.type === "chat" ? (frame.payload as { id?: unknown } | null)?.id : undefined;
  return typeof id === "string" && id.length <= MAX_ID ? id : undefined;
}

/** The clientId as it is stored: visible ASCII, short enough to leave room for the id. */
function clientIdForLog(clientId: string | undefined, own: string): string {
  const plain = (clientId ?? "unknown").replace(/[^\x21-\x7d]/g, "_");
  return plain.slice(0, 64 - SEPARATOR.length - own.length);
}

function split(clientMessageId: string | null): [string | null, string | null] {
  const at = clientMessageId?.indexOf(SEPARATOR) ?? -1;
  if (clientMessageId === null || at < 0) return [null, null];
  return [clientMessageId.slice(0, at), clientMessageId.slice(at + 1)];
}

/**
 * Clients of this protocol look for rows of their session by the session id that they were given,
 * which is a secret. In what a visitor receives, it replaces the id that the rows have.
 */
function useOwnSessionId(connection: Connection, secret: string | undefined): void {
  const { principal } = connection;
  if (secret === undefined || principal?.kind !== "visitor") return;
  const { sessionRow } = principal;
  if (sessionRow === undefined) return;
  connection.personal = (text) =>
    text.startsWith('{"type":"database_change"')
      ? text.replaceAll(`"session_id":"${sessionRow}"`, `"session_id":"${secret}"`)
      : text;
}
