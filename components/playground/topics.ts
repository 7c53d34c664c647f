/** Topics at /api/v1/ws: events of subscribed conversations; actions use HTTP. */
import type { Message } from "../../protocol/model.ts";
import type { ConversationEvent } from "../../protocol/topics.ts";
import { errorText } from "../live/api.ts";
import { Refused } from "./replies.ts";
import { readMissed } from "./chat_json.ts";
import type { ProtocolAdapter, Side } from "./adapter.ts";
import { openWire, type Wire } from "./wire.ts";

type Frame =
  | { type: "authenticated" }
  | { type: "subscription"; action: string; position?: string; reset?: boolean }
  | { type: "error"; code: string; message: string; retryAfter?: number }
  | { type: "position"; position: string }
  | ConversationEvent
  | { type: "heartbeat" | "pong" | "reconnect" };

/** Actors in the words of this protocol. */
const FROM: Record<ConversationEvent["actorType"], Side | "other"> = {
  agent: "agent",
  contact: "customer",
  bot: "other",
  system: "other",
};
/** The position before everything. */
const START = "0";
/** Milliseconds. */
const PING_MS = 25_000;

export const topics: ProtocolAdapter = (participant, handlers) => {
  const { conversationId, position, side } = participant;
  const away = position.seq > 0;
  let wire: Wire | null = null;
  let closed = false;
  /** Events before this `seq` were missed. */
  let liveFrom = 0;
  const pings = setInterval(() => wire?.send(JSON.stringify({ type: "ping" })), PING_MS);

  async function open() {
    try {
      const credentials = await participant.credentials();
      if (closed) return;
      wire = openWire({
        path: `/api/v1/ws?${new URLSearchParams(credentials)}`,
        kind: "json",
        handlers,
        frame: (text) => void receive(JSON.parse(text) as Frame),
        closed: () => clearInterval(pings),
      });
    } catch (error) {
      close();
      handlers.ended({ why: errorText(error), again: true });
    }
  }

  async function receive(frame: Frame): Promise<void> {
    if (frame.type === "authenticated") {
      // Only the token changed.
      if (liveFrom > 0) return;
      wire?.send(JSON.stringify({
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID: conversationId,
        after: position.eventId ?? START,
        events: "all",
      }));
    } else if (frame.type === "error") {
      const error = new Refused(frame.message, frame.code, frame.retryAfter);
      if (liveFrom === 0) wire?.fail(error);
      else if (frame.code === "token_expired") await renew();
      else handlers.error(errorText(error));
    } else if (frame.type === "subscription" && frame.action === "subscribed") {
      await subscribed(frame);
    } else if (frame.type === "position") {
      position.eventId = frame.position;
    } else if (frame.type === "conversationEvent" && frame.conversationID === conversationId) {
      happened(frame);
    }
  }

  /** Sends a new token on the current connection. */
  async function renew() {
    try {
      wire?.send(JSON.stringify({ type: "auth", ...await participant.credentials() }));
    } catch (error) {
      handlers.error(errorText(error));
    }
  }

  async function subscribed(frame: { position?: string; reset?: boolean }) {
    liveFrom = Number(frame.position?.split(".")[2] ?? 0) + 1;
    try {
      // Too many events were missed to replay them.
      if (frame.reset) await readMissed(participant, handlers);
      handlers.ready();
    } catch (error) {
      wire?.fail(error);
    }
  }

  function happened(event: ConversationEvent) {
    const known = event.seq <= position.seq;
    position.eventId = event.id;
    position.seq = Math.max(position.seq, event.seq);
    if (event.event === "read" || event.event === "delivered") {
      if (FROM[event.actorType] !== side) handlers.pointer(event.upTo ?? event.seq, event.event);
    } else if (event.event === "message" && event.message?.body.type === "text" && !known) {
      handlers.message({
        seq: event.seq,
        id: event.messageID ?? "",
        clientMessageId: null,
        content: event.message.body.text,
        from: FROM[event.actorType],
        userName: "",
        createdAt: event.createdAt,
      }, away && event.seq < liveFrom);
    }
  }

  function close() {
    closed = true;
    clearInterval(pings);
    wire?.close();
  }

  void open();
  return {
    async send({ content, clientMessageId }) {
      const path = `/api/conversations/${conversationId}/messages`;
      const { seq, id } = await participant.http<Message>("POST", path, {
        content,
        clientMessageId,
      });
      return { seq, id };
    },
    read(seq) {
      participant.http("POST", `/api/conversations/${conversationId}/read`, { seq })
        .catch((error) => handlers.error(errorText(error)));
    },
    close,
  };
};
