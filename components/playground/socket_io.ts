/** Socket.IO at /socket.io/ with the official client, over one of its transports. */
import { io, type Socket } from "socket.io-client";
import { ConnectionLost, endOf, Refused } from "./replies.ts";
import type { Position, ProtocolAdapter, Side } from "./adapter.ts";

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

/** The fields of every acknowledgement. */
type Ack<T> = ({ success: true } & T) | {
  success: false;
  error: string;
  code?: string;
  retryAfter?: number;
};

const FROM: Record<string, Side> = { customer: "customer", admin: "agent" };
const TIMEOUT_MS = 10_000;

/**
 * The socket of Socket.IO's client keeps its session and the last offset, from which the server
 * recovers missed events. It is kept as long as its side uses this transport and conversation.
 */
const kept = new WeakMap<Position, { transport: Transport; socket: Socket }>();

function socketOf(position: Position, transport: Transport): Socket {
  const known = kept.get(position);
  if (known?.transport === transport) return known.socket;
  const socket = io(location.origin, {
    transports: [transport],
    autoConnect: false,
    // This page decides when to reconnect.
    reconnection: false,
    forceNew: true,
  });
  kept.set(position, { transport, socket });
  return socket;
}

export const socketIo = (transport: Transport): ProtocolAdapter => (participant, handlers) => {
  const { conversationId, position, side } = participant;
  const away = position.seq > 0;
  const socket = socketOf(position, transport);
  let over = false;
  /** Messages before this `seq` were missed. Infinity until the conversation is joined. */
  let liveFrom = Infinity;

  async function emit<T>(event: string, ...args: unknown[]): Promise<T> {
    let answer: Ack<T>;
    try {
      answer = await socket.timeout(TIMEOUT_MS).emitWithAck(event, ...args);
    } catch {
      if (over || !socket.connected) throw new ConnectionLost();
      throw new Refused(`The server did not answer within ${TIMEOUT_MS / 1000} s.`);
    }
    if (answer.success) return answer;
    throw new Refused(answer.error, answer.code, answer.retryAfter);
  }

  function receive(message: MessageData) {
    if (message.conversationId !== conversationId) return;
    position.seq = Math.max(position.seq, message.seq);
    const { seq, id, clientMessageId, content, sender, timestamp } = message;
    handlers.message({
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
      // Only the token changed.
      if (liveFrom === Infinity) void join();
    });
    socket.on("message_received", receive);
    socket.on("typing_indicator", (data: {
      conversationId: string;
      userName: string;
      isTyping: boolean;
    }) => {
      if (data.conversationId === conversationId) handlers.typing(data.userName, data.isTyping);
    });
    socket.on("presence_update", (data: {
      userId: string;
      userName?: string;
      status: "online" | "away" | "offline";
    }) => {
      const { userId, userName = null, status } = data;
      if (userId !== selfId) handlers.person({ userId, userName, state: status });
    });
    socket.on("message_status_update", (data: {
      conversationId: string;
      role: string;
      seq: number;
      status: "delivered" | "read";
    }) => {
      if (data.conversationId !== conversationId || FROM[data.role] === side) return;
      handlers.pointer(data.seq, data.status);
    });
    socket.on("error", (data: { message: string; code?: string; retryAfter?: number }) => {
      const error = new Refused(data.message, data.code, data.retryAfter);
      if (liveFrom === Infinity) fail(error);
      else if (data.code === "token_expired") void renew();
      else handlers.error(endOf(error).why);
    });
    socket.on("connect_error", (error) => {
      handlers.frame("note", `Could not connect: ${error.message}`);
      fail(error);
    });
    socket.on("disconnect", (reason) => {
      handlers.frame("note", `Disconnected: ${reason}`);
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
      // Missed messages that were too many for the recovery.
      messages.forEach(receive);
      handlers.ready();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) fail(error);
    }
  }

  /** Sends a new token on the current connection. */
  async function renew() {
    try {
      socket.emit("authenticate", await participant.credentials());
    } catch (error) {
      handlers.error(endOf(error).why);
    }
  }

  /** Only the first error is reported, not its consequences. */
  function fail(error: unknown) {
    if (over) return;
    close();
    handlers.ended(endOf(error));
  }

  async function open() {
    try {
      socket.auth = { ...await participant.credentials() };
    } catch (error) {
      return fail(error);
    }
    if (over) return;
    handlers.frame("note", `Connecting to ${location.origin}/socket.io/ by ${transport}`);
    listen();
    socket.connect();
    const { engine } = socket.io;
    engine.on("packet", (packet) => handlers.frame("in", textOf(packet), "engine"));
    engine.on("packetCreate", (packet) => handlers.frame("out", textOf(packet), "engine"));
  }

  function close() {
    if (over) return;
    over = true;
    socket.off();
    if (socket.active) {
      handlers.frame("note", "Closed by this page");
      // Like a lost network: a disconnect would end the session for good.
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
      emit("message_read", { conversationId, seq }).catch((error) =>
        handlers.error(endOf(error).why)
      );
    },
    close,
  };
};

const ENGINE = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

/** An Engine.IO packet as it is sent: the digit of its type, then its data. */
function textOf({ type, data }: { type: string; data?: unknown }): string {
  if (data !== undefined && typeof data !== "string") return "(binary)";
  return `${ENGINE.indexOf(type)}${data ?? ""}`;
}
