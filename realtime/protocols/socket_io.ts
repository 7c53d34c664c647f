/**
 * The chat vocabulary on Socket.IO at `/socket.io/`, as in docs/protocols/socket-io.md: events of
 * clients become commands, and events of the hub become packets. Namespaces, acknowledgements and
 * transports are Socket.IO's; realtime/socket_io.ts connects the two.
 */
import { CLOSE } from "../../protocol/close_codes.ts";
import { closingFor, isTemporary, ParleyError, toParleyError } from "../../protocol/errors.ts";
import { peek } from "../../protocol/peek.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";
import { authenticateAgain, authenticateFirst, type Given } from "./socket_io_auth.ts";
import { ackText, errorData, errorText, eventText } from "./socket_io_events.ts";
import { joinConversation } from "./socket_io_join.ts";
import { type Answer, encodeEvent, type SocketIoOptions } from "./socket_io_peer.ts";
import { markerOf } from "./socket_io_positions.ts";
import { type ClientEvent, isClientEvent, readArguments } from "./socket_io_schemas.ts";

/**
 * The frame that the server builds of a packet: an event of the client, with the number of the
 * acknowledgement that it requests, or the credentials of the connection's handshake.
 */
export type SocketIoFrame =
  | { ack: number | null; event: unknown; args: unknown[]; refused?: Refusal }
  | { auth: Given | null };

/** Why the arguments of an event are refused: the parts of a ParleyError. */
export type Refusal = Pick<ParleyError, "code" | "message" | "fields">;

/** How frames with credentials start. The server builds them, so their form is known. */
const WITH_CREDENTIALS = /^\{(?:"auth":|"ack":(?:null|\d+),"event":"authenticate")/;

type Typing = "typing_start" | "typing_stop";

export function createSocketIoProtocol(options: SocketIoOptions): Protocol {
  const { commands, peerOf, epoch, now = () => new Date() } = options;
  const iso = () => now().toISOString();

  function answerError(connection: Connection, thrown: unknown, ack: number | null): void {
    const error = toParleyError(thrown);
    if (error.code === "internal") options.onUnexpected(thrown, connection);
    connection.errorSent(error);
    const text = ack === null
      ? errorText(error, iso())
      : ackText(ack, { success: false, ...errorData(error, iso()) });
    connection.send(text);
  }

  async function authenticate(
    connection: Connection,
    given: Given | null,
    ack: number | null,
  ): Promise<void> {
    const isNew = connection.principal === null;
    try {
      const answer = isNew
        ? await authenticateFirst(options, connection, given)
        : await authenticateAgain(options, connection, given ?? {});
      if (ack !== null) connection.send(ackText(ack, { success: true, ...answer }));
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (error.code === "internal") options.onUnexpected(thrown, connection);
      if (ack === null) connection.errorSent(error);
      connection.send(errorText(error, iso(), true));
      if (ack !== null) answerError(connection, error, ack);
      if (isNew) {
        connection.close(isTemporary(error.code) ? closingFor(error.code) : CLOSE.unauthorized);
      }
    }
  }

  /** Whether it changes what others see: a keystroke while typing is announced does not. */
  function changesTyping(connection: Connection, name: Typing, args: unknown[]): boolean {
    const { typing, keystrokes } = peerOf(connection);
    const at = now().getTime();
    if (keystrokes.take(at) > 0) return true;
    const { conversationId } = readArguments(name, args);
    const isOn = (typing.get(conversationId) ?? 0) > at;
    return isOn !== (name === "typing_start");
  }

  function setTyping(connection: Connection, name: Typing, args: unknown[]): Answer {
    const { conversationId } = readArguments(name, args);
    const isTyping = name === "typing_start";
    commands.typing(connection, { conversationId, isTyping }, () => {});
    const { typing } = peerOf(connection);
    if (typing.size >= connection.limits.subscriptions) typing.clear();
    // Announced again a little before it would end.
    if (isTyping) typing.set(conversationId, now().getTime() + options.typingMs * 0.75);
    else typing.delete(conversationId);
    return {};
  }

  async function sendMessage(connection: Connection, args: unknown[]): Promise<Answer> {
    const { clientMessageId = crypto.randomUUID(), ...data } = readArguments("send_message", args);
    const { message, duplicate } = await commands.message(
      connection,
      { ...data, clientMessageId },
      () => {},
    );
    const { id: messageId, conversationId, seq, createdAt: timestamp } = message;
    // The next keystroke announces typing again.
    peerOf(connection).typing.delete(conversationId);
    return { messageId, conversationId, seq, clientMessageId, timestamp, duplicate };
  }

  function run(
    connection: Connection,
    name: Exclude<ClientEvent, "authenticate" | "join_conversation">,
    args: unknown[],
  ): Promise<Answer> | Answer {
    const none = () => {};
    switch (name) {
      case "leave_conversation": {
        const data = readArguments(name, args);
        commands.leave(connection, data, none);
        const peer = peerOf(connection);
        peer.state.following.delete(data.conversationId);
        peer.state.pendingRejoins.delete(data.conversationId);
        peer.caughtUp.delete(data.conversationId);
        connection.send(eventText("left_conversation", data, markerOf(peer.nextMarker++)));
        return data;
      }
      case "send_message":
        return sendMessage(connection, args);
      case "typing_start":
      case "typing_stop":
        return setTyping(connection, name, args);
      case "message_read":
        return commands.read(connection, readArguments(name, args), none);
      case "message_delivered":
        return commands.delivered(connection, readArguments(name, args), none);
      case "set_presence":
        return commands.presence(connection, readArguments(name, args), none);
    }
  }

  async function handle(
    connection: Connection,
    { event: name, args, ack, refused }: Extract<SocketIoFrame, { event: unknown }>,
    bytes: number,
  ): Promise<void> {
    const accept = (answer: Answer) => {
      if (ack !== null) connection.send(ackText(ack, { success: true, ...answer }));
    };
    const isTyping = name === "typing_start" || name === "typing_stop";
    const isAllowed = refused === undefined && connection.principal !== null;
    if (isTyping && isAllowed && !changesTyping(connection, name, args)) return accept({});
    connection.takeCommand(isTyping ? "typing" : "message");
    if (refused !== undefined) {
      const { code, message, fields } = refused;
      throw new ParleyError(code, message, fields === undefined ? {} : { fields });
    }
    if (!isClientEvent(name)) {
      throw new ParleyError("unknown_type", `Cannot handle the event: unknown name "${name}"`);
    }
    if (name === "authenticate") {
      await connection.writesDone();
      const [given] = args;
      return await authenticate(connection, given instanceof Object ? given as Given : {}, ack);
    }
    if (connection.principal === null) {
      throw new ParleyError("unauthenticated", `Cannot handle "${name}": authenticate first`);
    }
    if (name === "join_conversation") {
      const data = readArguments(name, args);
      await connection.writesDone();
      return await joinConversation(options, connection, data, accept, ack !== null);
    }
    // The domain's writer keeps the order of writes, so the next one does not wait for the commit.
    // A message without a conversation may open one first, so it is not written in the background.
    const isStored = name === "message_read" || name === "message_delivered" ||
      (name === "send_message" &&
        (args[0] as { conversationId?: unknown } | null)?.conversationId !== undefined);
    if (!isStored) {
      await connection.writesDone();
      return accept(await run(connection, name, args));
    }
    const work = Promise.resolve(run(connection, name, args)).then(
      accept,
      (error) => answerError(connection, error, ack),
    );
    await connection.inBackground(
      work.catch((error) => options.onUnexpected(error, connection)),
      bytes,
    );
  }

  return {
    name: "socket.io",
    batching: false,
    follows: "itself",
    authFrame: (auth) => JSON.stringify({ auth }),
    onOpen() {},
    encode: (event, room, audience) => encodeEvent(epoch, event, room, audience),
    encodeError: (error) => errorText(error, iso()),
    encodeRefusals(error, frame) {
      // The server builds the text, with the acknowledgement at its start.
      const { ack } = peek(frame, MAX_HEAD);
      if (typeof ack !== "number") return [];
      return [ackText(ack, { success: false, ...errorData(error, iso()) })];
    },

    // A client sends what it emitted while offline before its "connect" handlers run.
    mayWait: (text) => !WITH_CREDENTIALS.test(text),

    async onFrame(connection, text) {
      // The server builds the text; its content is the client's.
      const frame = JSON.parse(text) as SocketIoFrame;
      if ("auth" in frame) return await authenticate(connection, frame.auth, null);
      try {
        await handle(connection, frame, text.length);
      } catch (error) {
        answerError(connection, error, frame.ack);
      }
    },
  };
}

/** Characters at the start of a frame that contain its acknowledgement. */
const MAX_HEAD = 64;
