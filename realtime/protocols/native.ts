/** `parley.v1`, as in docs/protocols/native.md. */
import { invalid, ParleyError, toParleyError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/json.ts";
import { idIn, peek } from "../../protocol/peek.ts";
import {
  type CommandId,
  COMMANDS,
  type CommandType,
  Envelope,
  type ErrorData,
  MAX_CONTENT,
  MAX_FILES,
  SUBPROTOCOL,
} from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import type { Commands } from "../commands.ts";
import type { Connection } from "../connection.ts";
import { rateOf } from "../connection_rates.ts";
import type { Protocol } from "../protocol.ts";

/**
 * Commands that only write. The domain's writer keeps their order, so they need not wait for
 * commits.
 */
const STORED: ReadonlySet<CommandType> = new Set([
  "message",
  "edit_message",
  "delete_message",
  "react",
  "read",
  "delivered",
  "edit",
]);

/** "content" is text that people type. */
const PARSING = { text: ["data.content"], root: "data" };

/** Commands of a refused frame that get an error each. */
const MAX_REFUSED = 100;

export interface NativeOptions {
  commands: Commands;
  node: string;
  heartbeatMs: number;
  authTimeoutMs: number;
  onUnexpected: (error: unknown, connection: Connection) => void;
  now?: () => Date;
}

export function createNativeProtocol(options: NativeOptions): Protocol {
  const { commands, now = () => new Date() } = options;
  const iso = () => now().toISOString();

  function encode(event: HubEvent): string | null {
    // `message_status` has the same in one event.
    if (event.type === "message_statuses") return null;
    return JSON.stringify(event);
  }

  function encodeAck(id: CommandId, data: unknown): string {
    return JSON.stringify({ type: "ack", id, timestamp: iso(), data });
  }

  function encodeError(error: ParleyError, id?: CommandId): string {
    const data: ErrorData = {
      code: error.code,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      ...(error.limit === undefined ? {} : { limit: error.limit }),
      ...(error.fields === undefined ? {} : { fields: error.fields }),
    };
    return JSON.stringify({
      type: "error",
      ...(id === undefined ? {} : { id }),
      timestamp: iso(),
      error: error.message,
      data,
    });
  }

  function answerError(connection: Connection, thrown: unknown, id: CommandId | undefined): void {
    const error = toParleyError(thrown);
    if (error.code === "internal") options.onUnexpected(thrown, connection);
    connection.errorSent(error);
    connection.send(encodeError(error, id));
    // A connection that is authenticated stays open.
    if (error.close !== undefined && connection.principal === null) connection.close(error.close);
  }

  async function handleLine(connection: Connection, line: string): Promise<void> {
    let id: CommandId | undefined;
    try {
      const value = readLine(connection, line, (peeked) => id = peeked);
      const envelope = Envelope.safeParse(value);
      if (!envelope.success) {
        id = idIn(value);
        connection.takeCommand("message");
        throw envelopeError(envelope.error);
      }
      id = envelope.data.id;
      await handle(connection, envelope.data.type, envelope.data.data, id, line.length);
    } catch (error) {
      answerError(connection, error, id);
    }
  }

  /** A line that cannot be read counts as a command for the rate. */
  function readLine(
    connection: Connection,
    line: string,
    refused: (id: CommandId | undefined) => void,
  ): unknown {
    try {
      return parseJson(line, PARSING);
    } catch (error) {
      refused(idIn(peek(line)));
      connection.takeCommand("message");
      throw error;
    }
  }

  async function handle(
    connection: Connection,
    type: string,
    data: unknown,
    id: CommandId | undefined,
    bytes: number,
  ): Promise<void> {
    if (!Object.hasOwn(COMMANDS, type)) {
      connection.takeCommand("message");
      throw new ParleyError("unknown_type", `Cannot handle the message: unknown type "${type}"`);
    }
    const command = type as CommandType;
    connection.takeCommand(rateOf(command));
    if (connection.principal === null && command !== "auth" && command !== "ping") {
      throw new ParleyError("unauthenticated", `Cannot handle "${type}": authenticate first`);
    }
    const parsed = COMMANDS[command].safeParse(data ?? {});
    if (!parsed.success) throw invalid(`"${type}"`, parsed.error);
    // A message without a conversation may open one first, so it is not written in the background.
    const opens = command === "message" && connection.ownConversation === null &&
      (parsed.data as { conversationId?: string }).conversationId === undefined;
    const isBackground = STORED.has(command) && !opens;
    // A ping reads nothing, so it does not wait for writes.
    if (!isBackground && command !== "ping") await connection.writesDone();
    let answered = false;
    const accept = (result: unknown) => {
      answered = true;
      if (id !== undefined) connection.send(encodeAck(id, result));
    };
    const handler = commands[command] as (
      connection: Connection,
      data: unknown,
      accept: (result: unknown) => void,
    ) => unknown;
    if (isBackground) {
      const stored = Promise.resolve(handler(connection, parsed.data, accept));
      const work = stored.then(accept, (error) => answerError(connection, error, id));
      await connection.inBackground(
        work.catch((error) => options.onUnexpected(error, connection)),
        bytes,
      );
      return;
    }
    const result = await handler(connection, parsed.data, accept);
    if (command === "ping") {
      connection.sendEvent({ type: "pong", timestamp: iso(), data: {} });
    }
    if (!answered) accept(result);
  }

  return {
    name: SUBPROTOCOL,
    batching: true,
    follows: "asked",
    authFrame: (data) => JSON.stringify({ type: "auth", id: "auth", data }),
    encode,
    encodeError: (error) => encodeError(error),
    encodeRefusals(error, frame) {
      const ids = [];
      for (const line of frame.split("\n", MAX_REFUSED)) {
        const id = idIn(peek(line));
        if (id !== undefined) ids.push(id);
      }
      return ids.map((id) => encodeError(error, id));
    },

    onOpen(connection) {
      const { limits } = connection;
      connection.sendEvent({
        type: "welcome",
        timestamp: iso(),
        data: {
          node: options.node,
          connectionId: connection.id,
          protocol: SUBPROTOCOL,
          heartbeatMs: options.heartbeatMs,
          authTimeoutMs: options.authTimeoutMs,
          limits: {
            messageBytes: limits.messageBytes,
            messagesPerMinute: limits.messagesPerMinute,
            typingPerMinute: limits.typingPerMinute,
            editsPerMinute: limits.editsPerMinute,
            cursorsPerMinute: limits.cursorsPerMinute,
            subscriptions: limits.subscriptions,
            contentLength: MAX_CONTENT,
            fileBytes: limits.fileBytes,
            filesPerMessage: MAX_FILES,
          },
          serverTime: iso(),
        },
      });
    },

    async onFrame(connection, frame) {
      for (const line of frame.split("\n")) {
        if (connection.isOver) return;
        if (line.trim() !== "") await handleLine(connection, line);
      }
    },
  };
}

function envelopeError(error: Parameters<typeof invalid>[1]): ParleyError {
  const { message, fields } = invalid("the message", error);
  return new ParleyError("bad_frame", message, fields === undefined ? {} : { fields });
}
