/** `parley.v1` at /realtime: all events, and recovery by (epoch, seq). */
import type { Message, Role } from "../../protocol/model.ts";
import type { Acks, ServerMessage } from "../../protocol/native.ts";
import { SUBPROTOCOL } from "../../client/socket.ts";
import { errorText } from "../live/api.ts";
import { createReplies, Refused, refusesFrame } from "./replies.ts";
import type { ProtocolAdapter, TestMessage } from "./adapter.ts";
import { openWire } from "./wire.ts";

const FROM: Record<Role, TestMessage["from"]> = {
  agent: "agent",
  visitor: "customer",
  bot: "other",
  system: "other",
};

export function fromModel(message: Message): TestMessage {
  const { seq, id, clientMessageId, content, createdAt, sender } = message;
  const { userName, role } = sender;
  return { seq, id, clientMessageId, content, createdAt, userName, from: FROM[role] };
}

export const native: ProtocolAdapter = (participant, handlers) => {
  const { conversationId, position, side } = participant;
  const replies = createReplies();
  let lastId = 0;
  let joining = false;
  let selfId = "";
  const wire = openWire({
    path: "/realtime",
    protocols: [SUBPROTOCOL],
    kind: "lines",
    handlers,
    frame: (text) => text.split("\n").filter((line) => line !== "").forEach(receive),
    closed: () => replies.lose(),
  });

  function request<T>(type: string, data: Record<string, unknown>): Promise<T> {
    const id = String(++lastId);
    const answer = replies.wait<T>(id);
    wire.send(JSON.stringify({ type, id, data }));
    return answer;
  }
  const notify = (type: string, data: Record<string, unknown>) =>
    void request(type, data).catch((error) => handlers.error(errorText(error)));

  function receive(line: string) {
    const message = JSON.parse(line) as ServerMessage;
    const id = "id" in message && message.id !== undefined ? String(message.id) : undefined;
    if (message.type === "ack") return void replies.resolve(String(id), message.data);
    if (message.type === "error") {
      const error = new Refused(message.error, message.data.code, message.data.retryAfter);
      if (id === undefined ? refusesFrame(error, replies) : replies.reject(id, error)) return;
      if (message.data.code === "token_expired") return void renew();
      return handlers.error(errorText(error));
    }
    event(message);
  }

  function event(message: ServerMessage) {
    switch (message.type) {
      case "welcome":
        return void begin();
      case "message":
      case "message_updated":
      case "message_deleted":
      case "conversation_changed":
      case "hidden":
        return durable(message, false);
      case "typing":
        if (message.data.conversationId !== conversationId) return;
        return handlers.typing(message.data.userName, message.data.isTyping);
      case "message_status": {
        if (message.data.conversationId !== conversationId) return;
        return pointers(message.data.pointers);
      }
      case "user_joined":
      case "user_left": {
        const { userId, userName } = message.data;
        if (message.data.conversationId !== conversationId || userId === selfId) return;
        const state = message.type === "user_joined" ? "here" : "gone";
        return handlers.person({ userId, userName, state });
      }
    }
  }

  function pointers(now: Acks["join"]["conversation"]["pointers"]) {
    const [delivered, read] = side === "customer"
      ? [now.agentDeliveredSeq, now.agentReadSeq]
      : [now.contactDeliveredSeq, now.contactReadSeq];
    handlers.pointer(delivered, "delivered");
    handlers.pointer(read, "read");
  }

  function durable(
    { type, data }: { type: string; data: { seq: number; conversationId: string } },
    missed: boolean,
  ) {
    if (data.conversationId !== conversationId || data.seq <= position.seq) return;
    // Events that arrive during a join are in its answer.
    if (joining && !missed) return;
    if (data.seq > position.seq + 1 && !missed) return void join();
    position.seq = data.seq;
    if (type === "message") handlers.message(fromModel(data as Message), missed);
  }

  async function join(): Promise<void> {
    joining = true;
    const known = position.epoch !== null
      ? { epoch: position.epoch, seq: position.seq }
      : undefined;
    const answer = await request<Acks["join"]>("join", { conversationId, ...known });
    joining = false;
    const away = position.seq > 0;
    if (answer.recovered) {
      for (const one of answer.events) durable(one as { type: string; data: Message }, true);
    } else {
      for (const message of answer.snapshot?.messages ?? []) {
        if (message.seq <= position.seq || message.type !== "text") continue;
        handlers.message(fromModel(message), away);
      }
    }
    position.seq = answer.seq;
    position.epoch = answer.epoch;
    pointers(answer.conversation.pointers);
    for (const { userId, userName } of answer.members) {
      if (userId !== selfId) handlers.person({ userId, userName, state: "here" });
    }
  }

  async function begin() {
    try {
      const credentials = await participant.credentials();
      selfId = (await request<Acks["auth"]>("auth", { ...credentials })).userId;
      await join();
      handlers.ready();
    } catch (error) {
      wire.fail(error);
    }
  }

  async function renew() {
    try {
      const credentials = await participant.credentials();
      if ("token" in credentials) notify("refresh", { token: credentials.token });
    } catch (error) {
      handlers.error(errorText(error));
    }
  }

  return {
    async send({ content, clientMessageId }) {
      const data = { conversationId, content, clientMessageId };
      const { message } = await request<Acks["message"]>("message", data);
      return { seq: message.seq, id: message.id };
    },
    type: (isTyping) => notify("typing", { conversationId, isTyping }),
    read: (seq) => notify("read", { conversationId, seq }),
    close: wire.close,
  };
};
