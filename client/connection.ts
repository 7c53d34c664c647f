import type { Acks, ServerMessage, Welcome } from "../protocol/native.ts";
import { ParleyClientError } from "./errors.ts";
import { createRateBucket } from "./rate_bucket.ts";
import { afterClose, createReconnecting, type Outcome, type Phase } from "./reconnecting.ts";
import { socketUrl, SUBPROTOCOL } from "./socket.ts";
import type { ConnectionState, Credentials, Settings } from "./types.ts";
import { hasNetwork } from "./network_events.ts";

export interface ConnectionHandlers {
  state(state: ConnectionState): void;
  /** Before the state becomes `connected`. */
  authenticated(identity: Acks["auth"]): void;
  /** Every other message of the server. */
  message(message: ServerMessage): void;
  /** An error that answers no command. */
  error(error: ParleyClientError): void;
  /** The connection is lost, and with it everything under way; see `Parts`. */
  lost(outcome: Outcome, error: ParleyClientError): () => unknown;
}

export type Connection = ReturnType<typeof createConnection>;

/** While it waits for the next attempt the state is `reconnecting`, too. */
function stateOf(phase: Phase): ConnectionState {
  if (phase !== "waiting" && phase !== "reconnecting") return phase;
  return hasNetwork() ? "reconnecting" : "offline";
}

/** A reconnecting connection at `/realtime`, see `ConnectionState`. */
export function createConnection(options: Settings, handlers: ConnectionHandlers) {
  let welcome: Welcome | null = null;
  let credentials: Credentials;
  const buckets = {
    commands: createRateBucket(),
    typing: createRateBucket(),
    edit: createRateBucket(),
    cursor: createRateBucket(),
  };
  const bucket = (type: string) => buckets[type as keyof typeof buckets] ?? buckets.commands;

  const core = createReconnecting<ConnectionState, Credentials, ServerMessage>({
    ...options,
    ...handlers,
    stateOf,
    open: () => new (options.WebSocket ?? WebSocket)(socketUrl(options.url), [SUBPROTOCOL]),
    // The server sends its `welcome` first.
    opened: (given) => credentials = given,
    authenticate: (given) => transmit("auth", given, "auth"),
    split: (frame) => frame.split("\n"),
    message: receive,
    ping: () => transmit("ping"),
    afterClose,
  });

  function receive(message: ServerMessage) {
    const { id } = message as { id?: unknown };
    if (message.type === "welcome") {
      const { limits } = welcome = message.data;
      buckets.commands.fill(limits.messagesPerMinute);
      buckets.typing.fill(limits.typingPerMinute);
      buckets.edit.fill(limits.editsPerMinute);
      buckets.cursor.fill(limits.cursorsPerMinute);
      transmit("auth", credentials, "auth");
    } else if (message.type === "ack" && id === "auth") {
      handlers.authenticated(message.data as Acks["auth"]);
      return core.authenticated(welcome!.heartbeatMs);
    } else if (message.type === "error" && (id === undefined || id === "auth")) {
      const error = new ParleyClientError(message.data.code, message.error, message.data);
      core.refused(error);
      if (id === undefined) handlers.error(error);
      // The server will be able to authenticate later. For other errors the close that follows says
      // whether to reconnect; without one the timeout ends the attempt.
      else if (error.code === "unavailable") core.authenticateAgain(error.retryAfter);
      return;
    } else if (message.type === "reconnect") {
      core.closesIn(message.data.retryAfter);
    }
    handlers.message(message);
    // The server measures how long the client needed for everything before it.
    if (message.type === "heartbeat" && message.data.echo) {
      transmit("ping", { echo: message.data.echo });
    }
  }

  function transmit(type: string, data?: unknown, id?: number | string) {
    const message = { type, id, timestamp: new Date().toISOString(), data };
    const text = JSON.stringify(message);
    const limit = welcome!.limits.messageBytes;
    // Checked here because the server would close the connection, and the outbox would send it
    // again.
    if (text.length * 3 > limit && new TextEncoder().encode(text).length > limit) {
      throw new ParleyClientError(
        "too_large",
        `Cannot send "${type}": it is larger than ${limit} bytes`,
        { limit: "messageBytes" },
      );
    }
    bucket(type).take();
    core.send(message, text);
  }

  return Object.assign(core, {
    welcome: () => welcome,
    transmit,
    waitMs: (type: string) => bucket(type).waitMs(),
  });
}
