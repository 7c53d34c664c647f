/** Topics at /api/v1/ws: events of subscribed conversations; what is done goes over HTTP. */
import type { Message } from "../../protocol/model.ts";
import type { ConversationEvent } from "../../protocol/topics.ts";
import { errorText } from "../live/api.ts";
import { Refused } from "./answers.ts";
import { readMissed } from "./chat_json.ts";
import type { Dialect, Side } from "./dialect.ts";
import { openWire, type Wire } from "./wire.ts";

type Frame =
  | { type: "authenticated" }
  | { type: "subscription"; action: string; position?: string; reset?: boolean }
  | { type: "error"; code: string; message: string; retryAfter?: number }
  | { type: "position"; position: string }
  | ConversationEvent
  | { type: "heartbeat" | "pong" | "reconnect" };

/** Who acts, in this protocol's words. */
const FROM: Record<ConversationEvent["actorType"], Side | "other"> = {
  agent: "agent",
  contact: "customer",
  bot: "other",
  system: "other",
};
/** Before everything. */
const START = "0";
/** Milliseconds. */
const PING_MS = 25_000;

export const topics: Dialect = (party, ears) => {
  const { conversationId, position, side } = party;
  const away = position.seq > 0;
  let wire: Wire | null = null;
  let closed = false;
  /** The end of what was missed: events up to here are told late. */
  let liveFrom = 0;
  const pings = setInterval(() => wire?.send(JSON.stringify({ type: "ping" })), PING_MS);

  async function open() {
    try {
      const credentials = await party.credentials();
      if (closed) return;
      wire = openWire({
        path: `/api/v1/ws?${new URLSearchParams(credentials)}`,
        kind: "json",
        ears,
        frame: (text) => void receive(JSON.parse(text) as Frame),
        closed: () => clearInterval(pings),
      });
    } catch (error) {
      close();
      ears.ended({ why: errorText(error), again: true });
    }
  }

  async function receive(frame: Frame): Promise<void> {
    if (frame.type === "authenticated") {
      // A new token changes nothing else.
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
      else ears.error(errorText(error));
    } else if (frame.type === "subscription" && frame.action === "subscribed") {
      await subscribed(frame);
    } else if (frame.type === "position") {
      position.eventId = frame.position;
    } else if (frame.type === "conversationEvent" && frame.conversationID === conversationId) {
      happened(frame);
    }
  }

  /** A new token on the living connection. */
  async function renew() {
    try {
      wire?.send(JSON.stringify({ type: "auth", ...await party.credentials() }));
    } catch (error) {
      ears.error(errorText(error));
    }
  }

  async function subscribed(frame: { position?: string; reset?: boolean }) {
    liveFrom = Number(frame.position?.split(".")[2] ?? 0) + 1;
    try {
      // Too much to be told as events.
      if (frame.reset) await readMissed(party, ears);
      ears.ready();
    } catch (error) {
      wire?.fail(error);
    }
  }

  function happened(event: ConversationEvent) {
    const known = event.seq <= position.seq;
    position.eventId = event.id;
    position.seq = Math.max(position.seq, event.seq);
    if (event.event === "read" || event.event === "delivered") {
      if (FROM[event.actorType] !== side) ears.pointer(event.upTo ?? event.seq, event.event);
    } else if (event.event === "message" && event.message?.body.type === "text" && !known) {
      ears.message({
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
      const { seq, id } = await party.http<Message>("POST", path, { content, clientMessageId });
      return { seq, id };
    },
    read(seq) {
      party.http("POST", `/api/conversations/${conversationId}/read`, { seq })
        .catch((error) => ears.error(errorText(error)));
    },
    close,
  };
};
