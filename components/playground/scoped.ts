/** Scoped chat at /api/chat/ws: one conversation, with a token for it. */
import { errorText } from "../live/api.ts";
import { createReplies, Refused, refusesFrame } from "./replies.ts";
import type { ProtocolAdapter, Side, TestMessage } from "./adapter.ts";
import { openWire } from "./wire.ts";

interface Someone {
  userId: string;
  username: string;
  role: string;
}

interface ScopedMessage {
  id: string;
  content: string;
  author: { id: string; name: string; role: string };
  timestamp: string;
  seq: number;
  clientMessageId: string | null;
}

interface Authenticated extends Someone {
  epoch: string;
  /** The position after which every event is live. */
  seq: number;
  /** Whether the missed messages follow; absent where none were requested. */
  recovered?: boolean;
  members: Someone[];
}

interface Frame {
  type: string;
  id?: string;
  error?: string;
  data?: { code?: string; retryAfter?: number };
}

const FROM: Record<string, Side> = { visitor: "customer", agent: "agent" };
/** Milliseconds. */
const PING_MS = 25_000;
const HISTORY = 50;

export const scoped: ProtocolAdapter = (participant, handlers) => {
  const { conversationId, position } = participant;
  const away = position.seq > 0;
  const replies = createReplies();
  let lastId = 0;
  let selfId = "";
  let liveFrom = 0;
  const wire = openWire({
    path: "/api/chat/ws",
    kind: "json",
    handlers,
    open: () => void begin(),
    frame: (text) => receive(JSON.parse(text) as Frame),
    closed() {
      clearInterval(pings);
      replies.lose();
    },
  });
  const pings = setInterval(() => wire.send(envelope("ping", {})), PING_MS);

  const envelope = (type: string, data: unknown, id?: string) =>
    JSON.stringify({ type, id, timestamp: new Date().toISOString(), data });

  function request<T>(type: string, data: Record<string, unknown>): Promise<T> {
    const id = String(++lastId);
    const answer = replies.wait<T>(id);
    wire.send(envelope(type, data, id));
    return answer;
  }

  function receive({ type, id, error, data }: Frame) {
    if (type === "error") {
      const refused = new Refused(error ?? "The server refused it.", data?.code, data?.retryAfter);
      if (id === undefined ? refusesFrame(refused, replies) : replies.reject(id, refused)) return;
      if (data?.code === "token_expired") return void renew();
      return handlers.error(errorText(refused));
    }
    if (type === "authenticated") liveFrom = (data as Authenticated).seq + 1;
    if (id !== undefined) return void replies.resolve(id, data);
    if (type === "message") {
      const message = data as ScopedMessage;
      report(message, away && message.seq < liveFrom);
    } else if (type === "typing") {
      const { username, isTyping } = data as Someone & { isTyping: boolean };
      handlers.typing(username, isTyping);
    } else if (type === "user_joined" || type === "user_left") {
      seen(data as Someone, type === "user_joined" ? "here" : "gone");
    }
  }

  function report(message: ScopedMessage, missed: boolean) {
    position.seq = Math.max(position.seq, message.seq);
    handlers.message(toTest(message), missed);
  }

  function seen({ userId, username }: Someone, state: "here" | "gone") {
    if (userId !== selfId) handlers.person({ userId, userName: username, state });
  }

  async function begin() {
    try {
      const token = await participant.contextToken();
      const known = away ? { lastSeq: position.seq, epoch: position.epoch ?? undefined } : {};
      const self = await request<Authenticated>("auth", {
        token,
        contextId: conversationId,
        ...known,
      });
      selfId = self.userId;
      self.members.forEach((member) => seen(member, "here"));
      if (self.recovered !== true) await readHistory();
      position.epoch = self.epoch;
      handlers.ready();
    } catch (error) {
      wire.fail(error);
    }
  }

  async function readHistory() {
    const before = position.seq;
    const { messages } = await request<{ messages: ScopedMessage[] }>("history", {
      limit: HISTORY,
    });
    for (const message of messages) {
      if (message.seq > before) report(message, away && message.seq < liveFrom);
    }
  }

  async function renew() {
    try {
      await request("refresh", { token: await participant.contextToken() });
    } catch (error) {
      handlers.error(errorText(error));
    }
  }

  return {
    async send({ content, clientMessageId }) {
      const { seq, id } = await request<ScopedMessage>("message", {
        content,
        messageType: "text",
        clientMessageId,
      });
      return { seq, id };
    },
    type: (isTyping) => wire.send(envelope("typing", { isTyping })),
    close: wire.close,
  };
};

function toTest({ id, seq, clientMessageId, content, author, timestamp }: ScopedMessage) {
  const message: TestMessage = {
    seq,
    id,
    clientMessageId,
    content,
    from: FROM[author.role] ?? "other",
    userName: author.name,
    createdAt: timestamp,
  };
  return message;
}
