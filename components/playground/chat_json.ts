/** Chat JSON at /ws: messages only; what was missed is read over HTTP, as its document says. */
import type { MessageList } from "../../protocol/rest.ts";
import { errorText } from "../live/api.ts";
import { createAnswers, Refused } from "./answers.ts";
import type { Dialect, Ears, Party, Side } from "./dialect.ts";
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

/** Messages of a page of the history. */
const PAGE = 100;
/** Who wrote, in this protocol's words. */
const FROM: Record<string, Side> = { user: "customer", agent: "agent" };
/** Milliseconds. */
const PING_MS = 25_000;

/** Tells what was written after the position, or the newest messages where nothing is known. */
export async function readMissed(party: Party, ears: Ears): Promise<void> {
  const { conversationId, position } = party;
  const away = position.seq > 0;
  for (;;) {
    const after = position.seq > 0 ? `after=${position.seq}&` : "";
    const { items, nextCursor } = await party.http<MessageList>(
      "GET",
      `/api/conversations/${conversationId}/messages?${after}limit=${PAGE}`,
    );
    for (const message of items) {
      position.seq = Math.max(position.seq, message.seq);
      if (message.type === "text") ears.message(fromModel(message), away);
    }
    // Without a position the cursor leads to older ones, which nobody asked for.
    if (nextCursor === null || !away) return;
  }
}

function refusal({ message, code, retryAfter }: NonNullable<ChatFrame["payload"]>): Refused {
  return new Refused(message ?? "The server refused it.", code, retryAfter);
}

export const chatJson: Dialect = (party, ears) => {
  const { conversationId, position } = party;
  const clientId = `websocket-test-${party.side}`;
  const answers = createAnswers();
  const wire = openWire({
    path: "/ws",
    kind: "json",
    ears,
    frame: receive,
    closed() {
      clearInterval(pings);
      answers.lose();
    },
  });
  const send = (message: unknown) => wire.send(JSON.stringify(message));
  // Nothing is heard of a network that vanished; an answered ping is proof.
  const pings = setInterval(
    () => send({ type: "ping", sentAt: new Date().toISOString() }),
    PING_MS,
  );

  function receive(text: string) {
    const { type, payload = {}, clientId: sender } = JSON.parse(text) as ChatFrame;
    if (type === "system" && !begun) return void begin();
    if (type === "auth_response") {
      if (payload.success) return void answers.resolve("auth", payload);
      return void answers.reject("auth", refusal(payload));
    }
    if (type === "error") {
      const error = refusal(payload);
      // A token cannot be renewed here: another connection has the new one.
      if (error.code === "token_expired") return wire.fail(error);
      const refused = payload.id === undefined
        ? answers.rejectOldest(error)
        : answers.reject(payload.id, error);
      if (!refused) ears.error(errorText(error));
    } else if (type === "ack") {
      answers.resolve(payload.id ?? "", { seq: payload.seq, id: payload.messageId });
    } else if (type === "chat" && payload.conversationId === conversationId) {
      const { seq = 0, id = "", messageId = "" } = payload;
      position.seq = Math.max(position.seq, seq);
      const own = sender === clientId;
      ears.message({
        seq,
        id: messageId,
        clientMessageId: own ? id : null,
        content: payload.content ?? "",
        from: FROM[payload.sender ?? ""] ?? "other",
        userName: payload.userName ?? "",
        createdAt: payload.timestamp ?? "",
      }, false);
      if (own) answers.resolve(id, { seq, id: messageId });
    }
  }

  let begun = false;
  async function begin() {
    begun = true;
    try {
      const payload = await party.credentials();
      const answer = answers.wait("auth");
      send({ type: "auth", payload });
      await answer;
      await readMissed(party, ears);
      ears.ready();
    } catch (error) {
      wire.fail(error);
    }
  }

  return {
    send({ content, clientMessageId }) {
      const answer = answers.wait<{ seq: number; id: string }>(clientMessageId);
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
