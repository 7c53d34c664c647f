/**
 * Topics at `/api/v1/ws`: subscriptions to the events of conversations, one message in each frame,
 * as in docs/protocols/topics.md. Clients without a WebSocket read the same events, with the same
 * ids, over HTTP.
 */
import { CLOSE } from "../../protocol/close_codes.ts";
import { readCredentials } from "../../protocol/credentials.ts";
import { closingFor, isTemporary, ParleyError, toParleyError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { peek } from "../../protocol/peek.ts";
import {
  actorTypeOf,
  type ConversationEvent,
  formatPosition,
  MESSAGES_ONLY,
  parsePosition,
  parseSubscription,
  type StreamEvent,
  TOPIC,
  TopicsFrame,
  type Wanted,
} from "../../protocol/topics.ts";
import { toConversationEvent } from "../../protocol/topics_events.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import type { Follow } from "../follow.ts";
import type { Protocol } from "../protocol.ts";
import { memoizeLast } from "../memoize_last.ts";

export interface TopicsOptions {
  commands: Commands;
  follow: Follow;
  /** The epoch of the logs; the ids of events have it. */
  epoch: string;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

type Frame = Record<string, unknown>;

/** Characters of the longest value of a frame that its error repeats. */
const MAX_ECHO = 100;

export function createTopicsProtocol(options: TopicsOptions): Protocol {
  const { commands, follow, epoch, now = () => new Date() } = options;
  const encode = (message: Frame) => JSON.stringify(message);

  function encodeError(error: ParleyError, frame: Frame = {}): string {
    const { code, message, retryAfter, limit, fields } = error;
    const { topic, resourceID } = frame;
    return encode({
      type: "error",
      code,
      message,
      ...(echoes(topic) ? { topic } : {}),
      ...(echoes(resourceID) ? { resourceID } : {}),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(limit === undefined ? {} : { limit }),
      ...(fields === undefined ? {} : { fields }),
    });
  }

  const eventOf = memoizeLast(readEvent);
  /** The events that a connection has chosen, by conversation. */
  const filters = new WeakMap<Connection, Map<string, Wanted>>();

  /** @param wanted undefined: only messages */
  function setFilter(
    connection: Connection,
    conversationId: string,
    wanted: Wanted | undefined,
  ): void {
    let own = filters.get(connection);
    if (own === undefined) {
      filters.set(connection, own = new Map());
      connection.personal = (text) => applyFilter(own!, text);
    }
    if (wanted === undefined) own.delete(conversationId);
    else own.set(conversationId, wanted);
  }

  /** A text for all members of a conversation, as this connection receives it. */
  function applyFilter(own: ReadonlyMap<string, Wanted>, text: string): string | null {
    const event = eventOf(text);
    if (event === null) return text;
    const wanted = own.get(event.conversationID) ?? MESSAGES_ONLY;
    if (wanted.has(event.event)) return text;
    // A receipt does not move the position in the log.
    if (event.event === "read" || event.event === "delivered") return null;
    const { conversationID: resourceID, id: position } = event;
    return encode({ type: "position", topic: TOPIC, resourceID, position });
  }

  function sendError(connection: Connection, thrown: unknown, frame: Frame): ParleyError {
    const error = toParleyError(thrown);
    if (error.code === "internal") options.onUnexpected(thrown, connection);
    connection.errorSent(error);
    connection.send(encodeError(error, frame));
    return error;
  }

  /** The first authentication, or later a new token. */
  async function authenticate(connection: Connection, { token, sessionId }: Frame): Promise<void> {
    const credentials = readCredentials({ token, sessionId });
    const { principal } = connection;
    const { expiresAt } = principal === null || credentials.token === undefined
      ? await commands.auth(connection, credentials, () => {})
      : await commands.refresh(connection, credentials, () => {});
    const { userId, kind } = connection.principal!;
    connection.send(
      encode({
        type: "authenticated",
        actorID: userId,
        actorType: actorTypeOf(kind),
        expiresAt,
        timestamp: now().toISOString(),
      }),
    );
  }

  /** Closes a connection whose first authentication failed. */
  function refuse(connection: Connection, thrown: unknown, frame: Frame): void {
    const { code, close } = sendError(connection, thrown, frame);
    if (connection.principal !== null || code === "invalid") return;
    if (code === "token_expired") connection.close(CLOSE.expired);
    else if (isTemporary(code)) connection.close(closingFor(code));
    else connection.close(close ?? CLOSE.unauthorized);
  }

  async function subscribe(connection: Connection, frame: Frame): Promise<void> {
    const { action, conversationId, after, wanted } = parseSubscription(frame);
    const answer = { type: "subscription", topic: TOPIC, resourceID: conversationId } as const;
    if (action === "unsubscribe") {
      await commands.leave(connection, { conversationId }, () => {});
      setFilter(connection, conversationId, undefined);
      connection.send(encode({ ...answer, action: "unsubscribed" }));
      return;
    }
    const isJoined = connection.conversations.has(conversationId);
    const updateFilter = () => {
      if (wanted !== undefined || !isJoined) setFilter(connection, conversationId, wanted);
    };
    if (after === undefined && isJoined) {
      // It continues. Its position is the last event sent, which only the client knows.
      updateFilter();
      connection.send(encode({ ...answer, action: "subscribed" }));
      return;
    }
    const start = after === undefined ? undefined : parsePosition(after, conversationId, epoch);
    await follow(connection, conversationId, start, {
      answer({ end, reset }) {
        updateFilter();
        const position = formatPosition(conversationId, end);
        const extra = reset ? { reset } : {};
        connection.send(encode({ ...answer, action: "subscribed", position, ...extra }));
      },
      event: (event) => connection.send(encodeStreamEvent(event)),
    });
  }

  async function handle(connection: Connection, frame: Frame): Promise<void> {
    connection.takeCommand("message");
    const type = String(frame.type);
    if (type === "ping") {
      connection.send(encode({ type: "pong", timestamp: now().toISOString() }));
      return;
    }
    if (connection.principal === null) {
      throw new ParleyError("unauthenticated", `Cannot handle "${type}": authenticate first`);
    }
    if (type === "subscription") return await subscribe(connection, frame);
    throw new ParleyError("unknown_type", `Cannot handle the message: unknown type "${type}"`);
  }

  function read(connection: Connection, text: string): Frame {
    try {
      const value = parseJson(text);
      const frame = TopicsFrame.safeParse(value);
      if (frame.success) return frame.data;
    } catch (error) {
      connection.takeCommand("message");
      throw error;
    }
    connection.takeCommand("message");
    throw new ParleyError("bad_frame", 'Cannot read the message: an object with "type" is needed');
  }

  /** An event that the reader may not see still moves their position. */
  function encodeStreamEvent(event: StreamEvent): string {
    const encoded = toConversationEvent(epoch, event);
    if (encoded !== null) return encode(encoded);
    const { conversationId, seq } = event.data as { conversationId: string; seq: number };
    return encode({
      type: "position",
      topic: TOPIC,
      resourceID: conversationId,
      position: formatPosition(conversationId, { epoch, seq }),
    });
  }

  return {
    name: "topics",
    batching: false,
    follows: "asked",
    authFrame: ({ token, sessionId }) => encode({ type: "auth", token, sessionId }),
    encodeError: (error) => encodeError(error),
    encodeRefusals(error, text) {
      const frame = peek(text);
      return echoes(frame.topic) || echoes(frame.resourceID) ? [encodeError(error, frame)] : [];
    },
    onOpen() {},

    async onFrame(connection, text) {
      let frame: Frame = {};
      try {
        frame = read(connection, text);
        if (frame.type !== "auth") return await handle(connection, frame);
        connection.takeCommand("message");
      } catch (thrown) {
        sendError(connection, thrown, frame.type === undefined ? peek(text) : frame);
        return;
      }
      try {
        await authenticate(connection, frame);
      } catch (thrown) {
        refuse(connection, thrown, {});
      }
    },

    encode(event: HubEvent) {
      switch (event.type) {
        case "message":
        case "message_updated":
        case "message_deleted":
        case "conversation_changed":
        case "hidden":
          return encodeStreamEvent(event);
        case "message_status": {
          const { conversationId, userId, role, receipt } = event.data;
          if (receipt === undefined) return null;
          const timestamp = receipt.createdAt;
          const data = { conversationId, userId, role, receipt };
          return encodeStreamEvent({ type: "receipt", timestamp, data });
        }
        case "heartbeat": {
          const { serverTime, positions } = event.data;
          const logPositions = Object.entries(positions)
            .map(([id, seq]) => [id, formatPosition(id, { epoch, seq })]);
          return encode({
            type: "heartbeat",
            timestamp: serverTime,
            positions: Object.fromEntries(logPositions),
          });
        }
        case "reconnect":
          return encode({ type: "reconnect", retryAfter: event.data.retryAfter });
        default:
          return null;
      }
    },
  };
}

function echoes(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_ECHO;
}

const EVENT_START = `{"type":"${TOPIC}"`;

/** null: it is not an event of a conversation. */
function readEvent(text: string): ConversationEvent | null {
  return text.startsWith(EVENT_START) ? JSON.parse(text) : null;
}
