/** Chat JSON at /ws: messages only; missed messages are read over HTTP, as its document says. */
import type { MessageList } from "../../protocol/rest.ts";
import { errorText } from "../live/api.ts";
import { createReplies, Refused } from "./replies.ts";
import type { AdapterHandlers, Participant, ProtocolAdapter, Side } from "./adapter.ts";
import { fromModel } from "./native.ts";
import { openWire } from "./wire.ts";

interface ChatFrame {
  type: string;
  clientId?: string;
  payload?: {
    success?: boolean;
    message?: string;
    code?: string;
    retryAfter?: number;
    content?: string;
    timestamp?: string;
    id?: string;
    messageId?: string;
    conversationId?: string;
    seq?: number;
    sender?: string;
    userName?: string;
  };
}

/** Messages in a page of history. */
const PAGE = 100;
/** Authors in the words of this protocol. */
const FROM: Record<string, Side> = { user: "customer", agent: "agent" };
/** Milliseconds. */
const PING_MS = 25_000;

/** Reports the messages after the position, or the newest ones where no position is known. */
export async function readMissed(
  participant: Participant,
  handlers: AdapterHandlers,
): Promise<void> {
  const { conversationId, position } = participant;
  const away = position.seq > 0;
  for (;;) {
    const after = position.seq > 0 ? `after=${position.seq}&` : "";
    const { items, nextCursor } = await participant.http<MessageList>(
      "GET",
      `/api/conversations/${conversationId}/messages?${after}limit=${PAGE}`,
    );
    for (const message of items) {
      position.seq = Math.max(position.seq, message.seq);
      if (message.type === "text") handlers.message(fromModel(message), away);
    }
    // Without a position the cursor leads to older messages, which are not needed.
    if (nextCursor === null || !away) return;
  }
}

function refusal({ message, code, retryAfter }: NonNullable<ChatFrame["payload"]>): Refused {
  return new Refused(message ?? "The server refused it.", code, retryAfter);
}

export const chatJson: ProtocolAdapter = (participant, handlers) => {
  const { conversationId, position } = participant;
  const clientId = `websocket-test-${participant.side}`;
  const replies = createReplies();
  const wire = openWire({
    path: "/ws",
    kind: "json",
    handlers,
    frame: receive,
    closed() {
      clearInterval(pings);
      replies.lose();
    },
  });
  const send = (message: unknown) => wire.send(JSON.stringify(message));
  // A lost network is silent; an answered ping proves that the connection works.
  const pings = setInterval(
    () => send({ type: "ping", sentAt: new Date().toISOString() }),
    PING_MS,
  );

  function receive(text: string) {
    const { type, payload = {}, clientId: sender } = JSON.parse(text) as ChatFrame;
    if (type === "system" && !begun) return void begin();
    if (type === "auth_response") {
      if (payload.success) return void replies.resolve("auth", payload);
      return void replies.reject("auth", refusal(payload));
    }
    if (type === "error") {
      const error = refusal(payload);
      // A token cannot be renewed on the connection: a new connection gets a new one.
      if (error.code === "token_expired") return wire.fail(error);
      const refused = payload.id === undefined
        ? replies.rejectOldest(error)
        : replies.reject(payload.id, error);
      if (!refused) handlers.error(errorText(error));
    } else if (type === "ack") {
      replies.resolve(payload.id ?? "", { seq: payload.seq, id: payload.messageId });
    } else if (type === "chat" && payload.conversationId === conversationId) {
      const { seq = 0, id = "", messageId = "" } = payload;
      position.seq = Math.max(position.seq, seq);
      const own = sender === clientId;
      handlers.message({
        seq,
        id: messageId,
        clientMessageId: own ? id : null,
        content: payload.content ?? "",
        from: FROM[payload.sender ?? ""] ?? "other",
        userName: payload.userName ?? "",
        createdAt: payload.timestamp ?? "",
      }, false);
      if (own) replies.resolve(id, { seq, id: messageId });
    }
  }

  let begun = false;
  async function begin() {
    begun = true;
    try {
      const payload = await participant.credentials();
      const answer = replies.wait("auth");
      send({ type: "auth", payload });
      await answer;
      await readMissed(participant, handlers);
      handlers.ready();
    } catch (error) {
      wire.fail(error);
    }
  }

  return {
    send({ content, clientMessageId }) {
      const answer = replies.wait<{ seq: number; id: string }>(clientMessageId);
      send({
        type: "chat",
        clientId,
        payload: { content, conversationId, id: clientMessageId },
        timestamp: new Date().toISOString(),
      });
      return answer;
    },
    close: wire.close,
  };
};
