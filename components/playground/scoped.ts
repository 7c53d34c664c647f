/** Scoped chat at /api/chat/ws: one conversation, with a token that admits to it. */
import { errorText } from "../live/api.ts";
import { createAnswers, Refused, refusesFrame } from "./answers.ts";
import type { Dialect, Side, TestMessage } from "./dialect.ts";
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
  /** The position from which on everything is live. */
  seq: number;
  /** Whether what was missed follows; absent where nothing was asked for. */
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

export const scoped: Dialect = (party, ears) => {
  const { conversationId, position } = party;
  const away = position.seq > 0;
  const answers = createAnswers();
  let lastId = 0;
  let selfId = "";
  let liveFrom = 0;
  const wire = openWire({
    path: "/api/chat/ws",
    kind: "json",
    ears,
    open: () => void begin(),
    frame: (text) => receive(JSON.parse(text) as Frame),
    closed() {
      clearInterval(pings);
      answers.lose();
    },
  });
  const pings = setInterval(() => wire.send(envelope("ping", {})), PING_MS);

  const envelope = (type: string, data: unknown, id?: string) =>
    JSON.stringify({ type, id, timestamp: new Date().toISOString(), data });

  function ask<T>(type: string, data: Record<string, unknown>): Promise<T> {
    const id = String(++lastId);
    const answer = answers.wait<T>(id);
    wire.send(envelope(type, data, id));
    return answer;
  }

  function receive({ type, id, error, data }: Frame) {
    if (type === "error") {
      const refused = new Refused(error ?? "The server refused it.", data?.code, data?.retryAfter);
      if (id === undefined ? refusesFrame(refused, answers) : answers.reject(id, refused)) return;
      if (data?.code === "token_expired") return void renew();
      return ears.error(errorText(refused));
    }
    if (type === "authenticated") liveFrom = (data as Authenticated).seq + 1;
    if (id !== undefined) return void answers.resolve(id, data);
    if (type === "message") {
      const message = data as ScopedMessage;
      tell(message, away && message.seq < liveFrom);
    } else if (type === "typing") {
      const { username, isTyping } = data as Someone & { isTyping: boolean };
      ears.typing(username, isTyping);
    } else if (type === "user_joined" || type === "user_left") {
      seen(data as Someone, type === "user_joined" ? "here" : "gone");
    }
  }

  function tell(message: ScopedMessage, missed: boolean) {
    position.seq = Math.max(position.seq, message.seq);
    ears.message(toTest(message), missed);
  }

  function seen({ userId, username }: Someone, state: "here" | "gone") {
    if (userId !== selfId) ears.person({ userId, userName: username, state });
  }

  async function begin() {
    try {
      const token = await party.contextToken();
      const known = away ? { lastSeq: position.seq, epoch: position.epoch ?? undefined } : {};
      const self = await ask<Authenticated>("auth", { token, contextId: conversationId, ...known });
      selfId = self.userId;
      self.members.forEach((member) => seen(member, "here"));
      if (self.recovered !== true) await readHistory();
      position.epoch = self.epoch;
      ears.ready();
    } catch (error) {
      wire.fail(error);
    }
  }

  async function readHistory() {
    const before = position.seq;
    const { messages } = await ask<{ messages: ScopedMessage[] }>("history", { limit: HISTORY });
    for (const message of messages) {
      if (message.seq > before) tell(message, away && message.seq < liveFrom);
    }
  }

  async function renew() {
    try {
      await ask("refresh", { token: await party.contextToken() });
    } catch (error) {
      ears.error(errorText(error));
    }
  }

  return {
    async send({ content, clientMessageId }) {
      const { seq, id } = await ask<ScopedMessage>("message", {
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
