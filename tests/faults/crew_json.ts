/** Members whose wire is JSON over a plain WebSocket, and those who write over HTTP. */
import { shouldReconnect } from "../../protocol/close_codes.ts";
import { call } from "../support/http.ts";
import {
  type Ears,
  type Frame,
  type Kind,
  LostError,
  RefusedError,
  type Seat,
  type Wire,
} from "./crew.ts";

const OPEN_MS = 20_000;

interface Lines {
  /** The next frame that fits, sent after `frame` went out. @throws {LostError} */
  ask(frame: Frame, fits: (answer: Frame) => boolean): Promise<Frame>;
  readonly lost: Promise<unknown>;
  close(): void;
}

/** A socket whose frames are JSON messages, one a line. */
async function openLines(
  url: string,
  ears: Ears,
  take: (frame: Frame) => void,
  protocols?: string[],
): Promise<Lines> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols);
  const waiters = new Map<(frame: Frame) => boolean, PromiseWithResolvers<Frame>>();
  let over = false;
  let closing = false;
  const lost = new Promise<void>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      over = true;
      if (!shouldReconnect(code) && !closing) ears.away(code, reason);
      const error = new LostError(`closed with ${code} ${reason}`);
      for (const { reject } of waiters.values()) reject(error);
      resolve();
    };
  });
  socket.onmessage = ({ data }) => {
    if (over) return;
    for (const line of String(data).split("\n")) {
      const frame = JSON.parse(line);
      take(frame);
      for (const [fits, { resolve }] of [...waiters]) {
        if (!fits(frame)) continue;
        waiters.delete(fits);
        resolve(frame);
      }
    }
  };
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close();
      reject(new LostError("does not open"));
    }, OPEN_MS);
    socket.onopen = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.onerror = () => {
      clearTimeout(timer);
      reject(new LostError(`cannot open ${url}`));
    };
  });
  socket.onerror = () => {};
  return {
    lost,
    async ask(frame, fits) {
      if (over) throw new LostError("closed");
      const answer = Promise.withResolvers<Frame>();
      waiters.set(fits, answer);
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
      return await answer.promise;
    },
    close() {
      closing = true;
      socket.close();
    },
  };
}

/** What every protocol says of an error, wherever it says it. */
export function refusal(at: string, error: Frame): RefusedError {
  const { code = "none", retryAfter = null, message = "" } = error ?? {};
  return new RefusedError({ at, code, retryAfter, message: String(message) });
}

/** @throws {RefusedError} with what the answer says. @throws {LostError} */
export async function overHttp(
  { url, credentials }: Seat,
  at: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Frame> {
  const token = "token" in credentials ? credentials.token : credentials.sessionId;
  const answer = await call<Frame>({ url }, method, path, { token, body }).catch((error) => {
    throw new LostError(String(error));
  });
  if (answer.status < 300) return answer.body;
  const after = answer.headers.get("retry-after");
  const { code = `status ${answer.status}`, detail, retryAfter } = answer.body ?? {};
  throw refusal(at, {
    code,
    message: detail ?? JSON.stringify(answer.body),
    retryAfter: retryAfter ?? (after === null ? null : Number(after) * 1000),
  });
}

/**
 * What was said since the last time that this was read, for protocols that repeat nothing. It begins
 * there and not at what was heard last: while nodes do not hear each other, what somebody on this
 * node says comes without what others said before it.
 */
export async function readMissed(seat: Seat, ears: Ears): Promise<void> {
  const { memory } = ears;
  for (;;) {
    const after = memory["read"] ?? 0;
    const path = `/api/conversations/${seat.conversationId}/messages?limit=100&after=${after}`;
    const { items, nextCursor } = await overHttp(seat, "history", "GET", path);
    for (const { seq, content } of items) {
      ears.learn(seq, content);
      memory["read"] = seq;
    }
    if (nextCursor === null) return;
  }
}

/** Live messages wait while those before them are read. */
export function holding(ears: Ears) {
  let held: [number, string][] | null = [];
  return {
    hear(seq: number, content: string): void {
      if (held !== null) held.push([seq, content]);
      // What was read may arrive after that.
      else if (seq > (ears.memory["read"] ?? 0)) ears.hear(seq, content);
    },
    release(): void {
      const waiting = held!;
      held = null;
      for (const [seq, content] of waiting) if (seq > ears.lastSeq()) ears.hear(seq, content);
    },
  };
}

/** Closes what cannot be used, so that nothing of it stays behind. */
async function entering(lines: Lines, enter: () => Promise<Wire>): Promise<Wire> {
  try {
    return await enter();
  } catch (error) {
    lines.close();
    throw error;
  }
}

export const native: Kind = {
  name: "native",
  visitors: "session",

  async connect({ url, conversationId, credentials }, ears) {
    const position = ears.memory as { epoch?: string; seq?: number };
    let id = 0;
    /** null: the answer to `join` has not come yet, and stands before everything live. */
    let live: Frame[] | null = [];
    function note(frame: Frame): void {
      const { type, data } = frame;
      if (data?.conversationId !== conversationId || typeof data.seq !== "number") return;
      if (!["message", "conversation_changed", "hidden"].includes(type)) return;
      if (type === "message") ears.hear(data.seq, data.content);
      position.seq = data.seq;
    }
    const lines = await openLines(`${url}/realtime`, ears, (frame) => {
      if (live === null) note(frame);
      else live.push(frame);
    }, ["parley.v1"]);
    async function ask(at: string, type: string, data: Frame): Promise<Frame> {
      const mine = ++id;
      const answer = await lines.ask({ type, id: mine, data }, (frame) => frame.id === mine);
      if (answer.type === "ack") return answer.data;
      throw refusal(at, { ...answer.data, message: answer.error });
    }
    return await entering(lines, async () => {
      await ask("auth", "auth", credentials);
      live = [];
      const joined = await ask("join", "join", { conversationId, ...position });
      if (joined.recovered) { for (const event of joined.events) note(event); }
      else {
        const all: Frame[] = joined.messages ?? joined.events.map(({ data }: Frame) => data);
        for (const { seq, content } of all) if (seq > ears.lastSeq()) ears.hear(seq, content);
      }
      position.epoch = joined.epoch;
      position.seq = joined.seq;
      const waiting: Frame[] = live!;
      live = null;
      for (const frame of waiting) {
        if (typeof frame.data?.seq === "number" && frame.data.seq > joined.seq) note(frame);
      }
      return {
        lost: lines.lost,
        close: lines.close,
        cut: lines.close,
        async send(clientMessageId, content) {
          await ask("message", "message", { conversationId, content, clientMessageId });
        },
      };
    });
  },
};

export const chatJson: Kind = {
  name: "chat JSON",
  visitors: "session",

  async connect(seat, ears) {
    const { url, conversationId, credentials, role } = seat;
    // An agent hears of all conversations at once, without their order between nodes; `seq` has it.
    const held = role === "agent" ? { hear: ears.learn, release() {} } : holding(ears);
    const clientId = ears.memory["clientId"] ??= crypto.randomUUID();
    const lines = await openLines(`${url}/ws`, ears, ({ type, payload }) => {
      if (type === "chat" && payload.conversationId === conversationId) {
        held.hear(payload.seq, payload.content);
      }
    });
    return await entering(lines, async () => {
      const auth = { type: "auth", payload: credentials };
      const { payload } = await lines.ask(
        auth,
        ({ type }) => type === "auth_response" || type === "error",
      );
      if (payload.success !== true) throw refusal("auth", payload);
      await readMissed(seat, ears);
      held.release();
      return {
        lost: lines.lost,
        close: lines.close,
        cut: lines.close,
        async send(id, content) {
          const payload = { content, id, ...(role === "agent" ? { conversationId } : {}) };
          const answer = await lines.ask(
            { type: "chat", payload, clientId },
            (frame) =>
              frame.payload?.id === id && (frame.clientId === clientId || frame.type === "error"),
          );
          if (answer.type === "error") throw refusal("message", answer.payload);
        },
      };
    });
  },
};

export const scoped: Kind = {
  name: "scoped chat",
  visitors: "participant",

  async connect({ url, credentials, conversationId, contextId = conversationId }, ears) {
    const { token } = credentials as { token: string };
    const { memory } = ears;
    let id = 0;
    const lines = await openLines(`${url}/api/chat/ws`, ears, ({ type, data }) => {
      if (type !== "message") return;
      memory["seq"] = Math.max(memory["seq"] ?? 0, data.seq);
      ears.hear(data.seq, data.content);
    });
    return await entering(lines, async () => {
      const answer = await lines.ask(
        { type: "auth", token, contextId, lastSeq: memory["seq"] },
        ({ type }) => type === "authenticated" || type === "error",
      );
      if (answer.type === "error") throw refusal("auth", { ...answer.data, message: answer.error });
      memory["seq"] = Math.max(memory["seq"] ?? 0, answer.data.seq);
      return {
        lost: lines.lost,
        close: lines.close,
        cut: lines.close,
        async send(clientMessageId, content) {
          const mine = `${++id}`;
          const data = { content, messageType: "text", clientMessageId };
          const answer = await lines.ask(
            { type: "message", id: mine, data },
            (frame) => frame.id === mine,
          );
          if (answer.type !== "ack") {
            throw refusal("message", { ...answer.data, message: answer.error });
          }
        },
      };
    });
  },
};

export const topics: Kind = {
  name: "topics",
  visitors: "session",

  async connect(seat, ears) {
    const { url, conversationId, credentials } = seat;
    const { memory } = ears;
    const query = new URLSearchParams(credentials as Record<string, string>);
    let error: Frame = null;
    const lines = await openLines(`${url}/api/v1/ws?${query}`, ears, (frame) => {
      if (frame.type === "error") error = frame;
      if (frame.type === "position") memory["after"] = frame.position;
      if (frame.type !== "conversationEvent") return;
      memory["after"] = frame.id;
      if (frame.event === "message") ears.hear(frame.seq, frame.message.body.text);
    });
    return await entering(lines, async () => {
      const answer = await lines.ask({
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID: conversationId,
        after: memory["after"],
      }, ({ type, action }) => type === "error" || action === "subscribed").catch((lost) => {
        // What was wrong with the credentials in the address came before the close.
        throw error === null ? lost : refusal("auth", error);
      });
      if (answer.type === "error") throw refusal("join", answer);
      if (answer.reset !== undefined) await readMissed(seat, ears);
      memory["after"] ??= answer.position;
      return {
        lost: lines.lost,
        close: lines.close,
        cut: lines.close,
        // Its document sends nothing over the socket.
        async send(clientMessageId, content) {
          const path = `/api/conversations/${conversationId}/messages`;
          await overHttp(seat, "message", "POST", path, { content, clientMessageId });
        },
      };
    });
  },
};
