/** The peers whose wire is JSON over a plain WebSocket: native, chat JSON, scoped chat and topics. */
import assert from "node:assert/strict";
import {
  createLog,
  type Frame,
  type Heard,
  type Lines,
  openLines,
  overHttp,
  type PeerKind,
  readOverHttp,
} from "./peers.ts";

const here = () => true;
const message = (from: string, content: string, seq: number): Heard[] => [
  { kind: "message", from, content, seq },
];

/** The server names who reads by their side; in a conversation of two that is the other one. */
export const native: PeerKind = {
  name: "native",
  hears: { typing: true, read: true, presence: "person" },
  joins: here,
  visitors: "session",

  async open(seat) {
    const { server, conversationId, credentials } = seat;
    const log = createLog("native");
    let lines: Lines;
    let id = 0;
    let position: { epoch?: string; seq?: number } = {};
    async function ask(type: string, data: Frame): Promise<Frame> {
      const mine = ++id;
      const answer = await lines.ask({ type, id: mine, data }, (frame) => frame.id === mine);
      assert.equal(answer.type, "ack", JSON.stringify(answer));
      return answer.data;
    }
    function hear(frame: Frame): Heard[] {
      const { type, data } = frame;
      if (data?.conversationId === conversationId && typeof data.seq === "number") {
        position.seq = data.seq;
      }
      switch (type) {
        case "message":
          return message(data.sender.userId, data.content, data.seq);
        case "typing":
          return [{ kind: "typing", from: data.userId, isTyping: data.isTyping }];
        case "message_status":
          return [{ kind: "read", from: data.userId }];
        case "presence":
          return [{ kind: "presence", from: data.userId, online: data.status !== "offline" }];
        case "welcome":
        case "ack":
        case "heartbeat":
        case "conversation":
        case "conversation_changed":
        case "unread":
        case "notification":
        case "notifications_read":
        case "user_joined":
        case "user_left":
          return [];
        default:
          return [{ kind: "strange", frame }];
      }
    }
    async function connect() {
      lines = await openLines(`${server.url}/realtime`, (frame) => {
        if (frame.type === "ack" && frame.data?.events !== undefined) arrive(frame.data);
        else log.add(...hear(frame));
      }, ["parley.v1"]);
      await ask("auth", credentials);
      await ask("join", { conversationId, ...position });
    }
    /** What was missed comes with the answer, and stands before everything live. */
    function arrive({ epoch, seq, recovered, events }: Frame) {
      if (position.epoch !== undefined) assert.equal(recovered, true);
      log.add(...events.flatMap(hear));
      position = { epoch, seq };
    }
    await connect();
    return {
      ...log,
      async say(content) {
        await ask("message", { conversationId, content, clientMessageId: crypto.randomUUID() });
      },
      type: (isTyping) => ask("typing", { conversationId, isTyping }),
      read: () => ask("read", { conversationId, seq: log.lastSeq() }),
      goAway: () => lines.close(),
      comeBack: connect,
    };
  },
};

export const chatJson: PeerKind = {
  name: "chat JSON",
  // Its document has messages and nothing else of people.
  hears: { typing: false, read: false, presence: null },
  // A visitor is in their own conversation, an agent hears of all and is in none.
  joins: (role) => role === "visitor",
  visitors: "session",

  async open(seat) {
    const { server, conversationId, credentials, role } = seat;
    const log = createLog("chat JSON");
    let lines: Lines;
    let id = 0;
    const clientId = crypto.randomUUID();
    /** What arrives live while the missed messages are on their way stands behind them. */
    let held: Heard[] | null = null;
    function hear(frame: Frame): Heard[] {
      const { type, payload } = frame;
      if (type !== "chat") {
        const known = ["system", "auth_response", "database_change"].includes(type);
        return known ? [] : [{ kind: "strange", frame }];
      }
      if (payload.conversationId !== conversationId) return [];
      return message(payload.userId, payload.content, payload.seq);
    }
    function take(frame: Frame) {
      if (held === null) log.add(...hear(frame));
      else held.push(...hear(frame));
    }
    async function connect() {
      lines = await openLines(`${server.url}/ws`, take);
      const auth = { type: "auth", payload: credentials };
      const { payload } = await lines.ask(auth, ({ type }) => type === "auth_response");
      assert.equal(payload.success, true);
    }
    await connect();
    return {
      ...log,
      async say(content) {
        const own = `${++id}`;
        const payload = { content, id: own, ...(role === "agent" ? { conversationId } : {}) };
        await lines.ask(
          { type: "chat", payload, clientId },
          (frame) => frame.clientId === clientId && frame.payload.id === own,
        );
      },
      read: readOverHttp(seat, log),
      goAway: () => lines.close(),
      // This protocol repeats nothing: its clients read over HTTP what they missed.
      async comeBack() {
        held = [];
        await connect();
        const path = `/api/conversations/${conversationId}/messages?after=${log.lastSeq()}`;
        const { items } = await overHttp(seat, "GET", path);
        for (const { sender, content, seq } of items) {
          log.add(...message(sender.userId, content, seq));
        }
        log.add(...held.filter((one) => one.kind !== "message" || one.seq > log.lastSeq()));
        held = null;
      },
    };
  },
};

export const scoped: PeerKind = {
  name: "scoped chat",
  // Its document has no word for reading.
  hears: { typing: true, read: false, presence: "room" },
  joins: here,
  visitors: "participant",

  async open(seat) {
    const { server, credentials, contextId = seat.conversationId, role } = seat;
    assert.ok("token" in credentials);
    const { token } = credentials;
    const log = createLog("scoped chat");
    let lines: Lines;
    let id = 0;
    let lastSeq: number | undefined;
    function hear(frame: Frame): Heard[] {
      const { type, data } = frame;
      switch (type) {
        case "message":
          lastSeq = data.seq;
          return message(data.author.id, data.content, data.seq);
        case "typing":
          return [{ kind: "typing", from: data.userId, isTyping: data.isTyping }];
        case "user_joined":
        case "user_left":
          return [{ kind: "presence", from: data.userId, online: type === "user_joined" }];
        case "authenticated":
        case "ack":
        case "pong":
          return [];
        default:
          return [{ kind: "strange", frame }];
      }
    }
    async function connect() {
      lines = await openLines(`${server.url}/api/chat/ws`, (frame) => log.add(...hear(frame)));
      const { data } = await lines.ask(
        { type: "auth", token, contextId, lastSeq },
        ({ type }) => type === "authenticated" || type === "error",
      );
      if (lastSeq !== undefined) assert.equal(data.recovered, true, JSON.stringify(data));
      lastSeq = Math.max(lastSeq ?? 0, data.seq);
    }
    await connect();
    return {
      ...log,
      async say(content) {
        const mine = `${++id}`;
        const command = { type: "message", id: mine, data: { content, messageType: "text" } };
        const answer = await lines.ask(command, (frame) => frame.id === mine);
        assert.equal(answer.type, "ack", JSON.stringify(answer));
      },
      type: (isTyping) => Promise.resolve(lines.send({ type: "typing", data: { isTyping } })),
      // A participant's token is good for the socket alone.
      ...(role === "agent" ? { read: readOverHttp(seat, log) } : {}),
      goAway: () => lines.close(),
      comeBack: connect,
    };
  },
};

export const topics: PeerKind = {
  name: "topics",
  // Its document has one topic: what happens in the conversation, which includes receipts.
  hears: { typing: false, read: true, presence: null },
  joins: here,
  visitors: "session",

  async open(seat) {
    const { server, conversationId, credentials } = seat;
    const log = createLog("topics");
    let lines: Lines;
    let after: string | undefined;
    function hear(frame: Frame): Heard[] {
      if (frame.type !== "conversationEvent") {
        const known = ["authenticated", "subscription", "heartbeat", "position"];
        return known.includes(frame.type) ? [] : [{ kind: "strange", frame }];
      }
      after = frame.id;
      if (frame.event === "read") return [{ kind: "read", from: frame.actorID }];
      if (frame.event !== "message") {
        return frame.event === "delivered" ? [] : [{ kind: "strange", frame }];
      }
      return message(frame.actorID, frame.message.body.text, frame.seq);
    }
    async function connect() {
      const query = new URLSearchParams(credentials);
      lines = await openLines(
        `${server.url}/api/v1/ws?${query}`,
        (frame) => log.add(...hear(frame)),
      );
      const subscription = {
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID: conversationId,
        after,
        events: "all",
      };
      const answer = await lines.ask(
        subscription,
        ({ type, action }) => type === "error" || action === "subscribed",
      );
      assert.equal(answer.action, "subscribed", JSON.stringify(answer));
      assert.equal(answer.reset, undefined);
      after ??= answer.position;
    }
    await connect();
    return {
      ...log,
      // Its document sends nothing over the socket.
      async say(content) {
        const path = `/api/conversations/${conversationId}/messages`;
        await overHttp(seat, "POST", path, { content, clientMessageId: crypto.randomUUID() });
      },
      read: readOverHttp(seat, log),
      goAway: () => lines.close(),
      comeBack: connect,
    };
  },
};

export const JSON_PEERS = [native, chatJson, scoped, topics];
