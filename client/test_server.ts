/**
 * A small Parley server for the SDK's tests: real sockets, a log in memory, and switches for
 * faults.
 */
import type { Message } from "../protocol/model.ts";
import type { JoinResult, LoggedEvent } from "../protocol/native.ts";
import { SUBPROTOCOL } from "./socket.ts";

export const CONVERSATION = "018f0000-0000-7000-8000-000000000001";

interface Command {
  type: string;
  id?: string | number;
  data?: Record<string, unknown>;
}
export interface Peer {
  event(type: string, data: unknown): void;
  /** Several lines in one frame. */
  raw(text: string): void;
  close(code: number, reason?: string): void;
  joined: Set<string>;
}

export interface TestServer {
  url: string;
  /** Every command in the order of arrival, without `ping`. */
  commands: Command[];
  connections: number;
  peers: Set<Peer>;
  log: LoggedEvent[];
  epoch: string;
  limits: Record<string, number>;
  heartbeatMs: number;
  /** Whether pings get no answer. */
  swallowPings: boolean;
  /** Called before a command is answered; true when it handled the command itself. */
  intercept: (command: Command, peer: Peer) => boolean;
  /** Appends to the log and sends the event to everybody who joined. */
  post(content: string, sender?: string, clientMessageId?: string | null): Message;
  of(type: string): Command[];
  reply(peer: Peer, command: Command, data: unknown): void;
  refuse(peer: Peer, command: Command, code: string, retryAfter?: number): void;
  stop(): Promise<void>;
}

function line(value: unknown): string {
  return JSON.stringify({ timestamp: new Date().toISOString(), ...value as object });
}

export function makeMessage(seq: number, content: string, sender = "agent-1"): Message {
  return {
    id: `018f0000-0000-7000-9000-${String(seq).padStart(12, "0")}`,
    conversationId: CONVERSATION,
    seq,
    clientMessageId: null,
    type: "text",
    content,
    isPrivate: false,
    sender: {
      userId: sender,
      userName: sender,
      role: sender.startsWith("agent") ? "agent" : "visitor",
    },
    platform: "web",
    status: "sent",
    createdAt: new Date(1_700_000_000_000 + seq * 1000).toISOString(),
    editedAt: null,
    deletedAt: null,
  };
}

export function startServer(port = 0): TestServer {
  const http = Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      protocol: SUBPROTOCOL,
      idleTimeout: 0,
    });
    const peer: Peer = {
      event: (type, data) => peer.raw(line({ type, data })),
      raw: (text) => socket.readyState === 1 && socket.send(text),
      close: (code, reason) => socket.readyState < 2 && socket.close(code, reason),
      joined: new Set(),
    };
    socket.onopen = () => {
      server.connections++;
      server.peers.add(peer);
      peer.event("welcome", {
        node: "test",
        connectionId: String(server.connections),
        protocol: SUBPROTOCOL,
        heartbeatMs: server.heartbeatMs,
        authTimeoutMs: 10_000,
        limits: server.limits,
        serverTime: new Date().toISOString(),
      });
    };
    socket.onmessage = ({ data }) => {
      for (const text of String(data).split("\n")) handle(JSON.parse(text), peer);
    };
    socket.onclose = () => server.peers.delete(peer);
    socket.onerror = () => {};
    return response;
  });

  function handle(command: Command, peer: Peer) {
    if (command.type === "ping") return server.swallowPings || peer.event("pong", {});
    server.commands.push(command);
    if (server.intercept(command, peer)) return;
    const { data = {} } = command;
    switch (command.type) {
      case "auth": {
        const visitor = "sessionId" in data;
        return server.reply(peer, command, {
          userId: visitor ? "visitor-1" : "agent-me",
          userName: "Me",
          role: visitor ? "visitor" : "agent",
          conversationId: null,
          presence: [],
          expiresAt: null,
        });
      }
      case "join":
        peer.joined.add(data.conversationId as string);
        return server.reply(peer, command, joinResult(data));
      case "message": {
        const known = server.log.find((one) =>
          one.type === "message" && one.data.clientMessageId === data.clientMessageId
        );
        const message = known?.data as Message ??
          server.post(data.content as string, "agent-me", data.clientMessageId as string);
        return server.reply(peer, command, { message, duplicate: known !== undefined });
      }
      case "history": {
        const older = server.log.filter((one) => one.data.seq < (data.before as number));
        const messages = older.slice(-2).map((one) => one.data);
        return server.reply(peer, command, { messages, hasMore: older.length > 2 });
      }
      default:
        server.reply(peer, command, { expiresAt: null });
    }
  }

  function joinResult(data: Record<string, unknown>): JoinResult {
    const seq = server.log.at(-1)?.data.seq ?? 0;
    const recovered = data.epoch === server.epoch;
    const messages = server.log.filter((one) => one.type === "message").map((one) => one.data);
    return {
      conversationId: CONVERSATION,
      epoch: server.epoch,
      seq,
      recovered,
      events: recovered ? server.log.filter((one) => one.data.seq > (data.seq as number)) : [],
      snapshot: recovered ? null : { messages: messages as Message[], hasMore: false },
      members: [],
      memberCount: 0,
      membersCursor: null,
      conversation: makeConversation(server.epoch, seq),
    };
  }

  const server: TestServer = {
    url: `http://127.0.0.1:${http.addr.port}`,
    commands: [],
    connections: 0,
    peers: new Set(),
    log: [],
    epoch: "first",
    limits: {
      messageBytes: 65_536,
      messagesPerMinute: 100,
      typingPerMinute: 30,
      editsPerMinute: 30,
      cursorsPerMinute: 30,
      subscriptions: 128,
      contentLength: 20_000,
    },
    heartbeatMs: 10_000,
    swallowPings: false,
    intercept: () => false,
    post(content, sender = "agent-1", clientMessageId = null) {
      const seq = (server.log.at(-1)?.data.seq ?? 0) + 1;
      const message = { ...makeMessage(seq, content, sender), clientMessageId };
      server.log.push({ type: "message", timestamp: message.createdAt, data: message });
      for (const peer of server.peers) {
        if (peer.joined.has(CONVERSATION)) peer.event("message", message);
      }
      return message;
    },
    of: (type) => server.commands.filter((command) => command.type === type),
    reply: (peer, command, data) => peer.raw(line({ type: "ack", id: command.id, data })),
    refuse: (peer, command, code, retryAfter) =>
      peer.raw(line({ type: "error", id: command.id, error: code, data: { code, retryAfter } })),
    async stop() {
      for (const peer of server.peers) peer.close(1001);
      await http.shutdown();
    },
  };
  return server;
}

export function makeConversation(epoch: string, lastSeq: number): JoinResult["conversation"] {
  const at = new Date(1_700_000_000_000).toISOString();
  return {
    id: CONVERSATION,
    status: "open",
    platform: "web",
    contact: { id: CONVERSATION, name: "Visitor", email: null, createdAt: at, lastSeenAt: null },
    assignee: null,
    lastMessage: null,
    epoch,
    lastSeq,
    inboundCount: 0,
    pointers: {
      agentDeliveredSeq: 0,
      agentReadSeq: 0,
      contactDeliveredSeq: 0,
      contactReadSeq: 0,
    },
    waitingSince: null,
    lastActivityAt: at,
    createdAt: at,
    resolvedAt: null,
  };
}

/** Resolves when the condition holds; throws after `ms`. */
export async function until(condition: () => boolean, what: string, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The part of Web Storage that is used; several tabs can share it. */
export function memoryStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    key: (index: number) => [...values.keys()][index] ?? null,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
    clear: () => values.clear(),
  };
}
