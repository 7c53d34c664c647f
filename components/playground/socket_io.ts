/** Socket.IO at /socket.io/ by the official client, over one of its transports. */
import { io, type Socket } from "socket.io-client";
import { ConnectionLost, endOf, Refused } from "./answers.ts";
import type { Dialect, Position, Side } from "./dialect.ts";

type Transport = "websocket" | "polling";

interface MessageData {
  id: string;
  conversationId: string;
  seq: number;
  clientMessageId: string | null;
  content: string;
  sender: { userId: string; userName: string; role: string };
  timestamp: string;
}

/** What every acknowledgement has. */
type Ack<T> = ({ success: true } & T) | {
  success: false;
  error: string;
  code?: string;
  retryAfter?: number;
};

const FROM: Record<string, Side> = { customer: "customer", admin: "agent" };
const TIMEOUT_MS = 10_000;

/**
 * The client's socket remembers its session and the last offset, by which the server tells what was
 * missed; it is kept for as long as its side stays with this transport and this conversation.
 */
const kept = new WeakMap<Position, { transport: Transport; socket: Socket }>();

function socketOf(position: Position, transport: Transport): Socket {
  const known = kept.get(position);
  if (known?.transport === transport) return known.socket;
  const socket = io(location.origin, {
    transports: [transport],
    autoConnect: false,
    // This page decides when to come back.
    reconnection: false,
    forceNew: true,
  });
  kept.set(position, { transport, socket });
  return socket;
}

export const socketIo = (transport: Transport): Dialect => (party, ears) => {
  const { conversationId, position, side } = party;
  const away = position.seq > 0;
  const socket = socketOf(position, transport);
  let over = false;
  /** Everything before this `seq` was missed; all of it until the conversation is joined. */
  let liveFrom = Infinity;

  async function emit<T>(event: string, ...args: unknown[]): Promise<T> {
    let answer: Ack<T>;
    try {
      answer = await socket.timeout(TIMEOUT_MS).emitWithAck(event, ...args);
    } catch {
      if (over || !socket.connected) throw new ConnectionLost();
      throw new Refused(`The server gave no answer within ${TIMEOUT_MS / 1000} s.`);
    }
    if (answer.success) return answer;
    throw new Refused(answer.error, answer.code, answer.retryAfter);
  }

  function receive(message: MessageData) {
    if (message.conversationId !== conversationId) return;
    position.seq = Math.max(position.seq, message.seq);
    const { seq, id, clientMessageId, content, sender, timestamp } = message;
    ears.message({
      seq,
      id,
      clientMessageId,
      content,
      from: FROM[sender.role] ?? "other",
      userName: sender.userName,
      createdAt: timestamp,
    }, away && seq < liveFrom);
  }

  function listen() {
    let selfId = "";
    socket.on("authenticated", ({ userId }: { userId: string }) => {
      selfId = userId;
      // A new token changes nothing else.
      if (liveFrom === Infinity) void join();
    });
    socket.on("message_received", receive);
    socket.on("typing_indicator", (data: {
      conversationId: string;
      userName: string;
      isTyping: boolean;
    }) => {
      if (data.conversationId === conversationId) ears.typing(data.userName, data.isTyping);
    });
    socket.on("presence_update", (data: {
      userId: string;
      userName?: string;
      status: "online" | "away" | "offline";
    }) => {
      const { userId, userName = null, status } = data;
      if (userId !== selfId) ears.person({ userId, userName, state: status });
    });
    socket.on("message_status_update", (data: {
      conversationId: string;
      role: string;
      seq: number;
      status: "delivered" | "read";
    }) => {
      if (data.conversationId !== conversationId || FROM[data.role] === side) return;
      ears.pointer(data.seq, data.status);
    });
    socket.on("error", (data: { message: string; code?: string; retryAfter?: number }) => {
      const error = new Refused(data.message, data.code, data.retryAfter);
      if (liveFrom === Infinity) fail(error);
      else if (data.code === "token_expired") void renew();
      else ears.error(endOf(error).why);
    });
    socket.on("connect_error", (error) => {
      ears.frame("note", `Could not connect: ${error.message}`);
      fail(error);
    });
    socket.on("disconnect", (reason) => {
      ears.frame("note", `Disconnected: ${reason}`);
      fail(
        reason === "io server disconnect"
          ? new Refused("The server ended the connection.", "disconnected")
          : new Error(`The connection was lost (${reason}).`),
      );
    });
  }

  async function join() {
    try {
      const { seq, messages } = await emit<{ seq: number; messages: MessageData[] }>(
        "join_conversation",
        conversationId,
        { after: position.seq },
      );
      liveFrom = seq + 1;
      // Where it was too much to be told as events.
      messages.forEach(receive);
      ears.ready();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) fail(error);
    }
  }

  /** A new token on the living connection. */
  async function renew() {
    try {
      socket.emit("authenticate", await party.credentials());
    } catch (error) {
      ears.error(endOf(error).why);
    }
  }

  /** The first reason counts; what follows from it does not. */
  function fail(error: unknown) {
    if (over) return;
    close();
    ears.ended(endOf(error));
  }

  async function open() {
    try {
      socket.auth = { ...await party.credentials() };
    } catch (error) {
      return fail(error);
    }
    if (over) return;
    ears.frame("note", `Connecting to ${location.origin}/socket.io/ by ${transport}`);
    listen();
    socket.connect();
    const { engine } = socket.io;
    engine.on("packet", (packet) => ears.frame("in", textOf(packet), "engine"));
    engine.on("packetCreate", (packet) => ears.frame("out", textOf(packet), "engine"));
  }

  function close() {
    if (over) return;
    over = true;
    socket.off();
    if (socket.active) {
      ears.frame("note", "Closed by this page");
      // As a network that vanishes: a disconnect would end the session for good.
      socket.io.engine.close();
    }
  }

  void open();
  return {
    async send({ content, clientMessageId }) {
      const data = { conversationId, content, clientMessageId };
      const { seq, messageId } = await emit<{ seq: number; messageId: string }>(
        "send_message",
        data,
      );
      return { seq, id: messageId };
    },
    type: (isTyping) => socket.emit(isTyping ? "typing_start" : "typing_stop", conversationId),
    read(seq) {
      emit("message_read", { conversationId, seq }).catch((error) => ears.error(endOf(error).why));
    },
    close,
  };
};

const ENGINE = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

/** An Engine.IO packet as it passes: its type's digit, then its data. */
function textOf({ type, data }: { type: string; data?: unknown }): string {
  if (data !== undefined && typeof data !== "string") return "(binary)";
  return `${ENGINE.indexOf(type)}${data ?? ""}`;
}
