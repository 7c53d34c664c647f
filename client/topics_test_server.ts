/**
 * The server side of topics, for the client's tests: real sockets and pages, and switches for
 * faults.
 */
import type { ConversationEvent } from "../protocol/topics.ts";

export const CONVERSATION = "018f0000-0000-7000-8000-000000000001";
export const OTHER = "018f0000-0000-7000-8000-000000000002";

// deno-lint-ignore no-explicit-any -- whatever a client sends
type Frame = any;

export interface TopicsPeer {
  send(message: unknown): void;
  close(code: number): void;
}

export function placeOf(seq: number, number?: number, epoch = "e", id = CONVERSATION): string {
  return `${id}.${epoch}.${seq}${number === undefined ? "" : `.${number}`}`;
}

export function makeEvent(seq: number, number?: number, id = CONVERSATION): ConversationEvent {
  const at = new Date(1_700_000_000_000 + seq * 1000).toISOString();
  return {
    type: "conversationEvent",
    id: placeOf(seq, number, "e", id),
    conversationID: id,
    event: number === undefined ? "message" : "read",
    seq,
    ...(number === undefined ? {} : { upTo: seq }),
    messageID: null,
    message: null,
    isPrivate: false,
    conversation: null,
    actorID: "system",
    actorType: "system",
    createdAt: at,
    updatedAt: at,
  };
}

export function startTopicsServer() {
  const server = {
    url: "",
    /** Every frame except `ping`, in the order of arrival. */
    frames: [] as Frame[],
    pages: [] as { url: URL; bearer: string }[],
    peers: new Set<TopicsPeer>(),
    connections: 0,
    pings: 0,
    blocked: false,
    swallowPings: false,
    /** The response of a page; by default nothing new. */
    page: (_url: URL, _bearer: string): { status: number; body: unknown } => ({
      status: 200,
      body: { items: [], nextCursor: placeOf(0, 0), hasMore: false, reset: false },
    }),
    /** Called before a frame is answered; true when it handled the frame itself. */
    intercept: (_frame: Frame, _peer: TopicsPeer): boolean => false,
    expiresAt: null as string | null,
    position: placeOf(0, 0),
    broadcast(message: unknown) {
      for (const peer of server.peers) peer.send(message);
    },
    of: (type: string) => server.frames.filter((frame) => frame.type === type),
    async stop() {
      for (const peer of server.peers) peer.close(1001);
      await http.shutdown();
    },
  };

  function reply(frame: Frame, peer: TopicsPeer) {
    if (frame.type === "ping") {
      server.pings++;
      return server.swallowPings || peer.send({ type: "pong", timestamp: "" });
    }
    server.frames.push(frame);
    if (server.intercept(frame, peer)) return;
    const { expiresAt, position } = server;
    if (frame.type === "auth") {
      const timestamp = new Date().toISOString();
      peer.send({ type: "authenticated", actorID: "a", actorType: "agent", expiresAt, timestamp });
    } else if (frame.action === "subscribe") {
      peer.send({ ...frame, action: "subscribed", position });
    }
  }

  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const url = new URL(request.url);
    if (url.pathname !== "/api/v1/ws") {
      const bearer = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
      server.pages.push({ url, bearer });
      const { status, body } = server.page(url, bearer);
      return Response.json(body, { status });
    }
    if (server.blocked) return new Response("Blocked", { status: 403 });
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const peer: TopicsPeer = {
      send(message) {
        const text = typeof message === "string" ? message : JSON.stringify(message);
        if (socket.readyState === 1) socket.send(text);
      },
      close: (code) => socket.readyState < 2 && socket.close(code),
    };
    socket.onopen = () => {
      server.connections++;
      server.peers.add(peer);
    };
    socket.onmessage = ({ data }) => reply(JSON.parse(String(data)), peer);
    socket.onclose = () => server.peers.delete(peer);
    socket.onerror = () => {};
    return response;
  });
  server.url = `http://127.0.0.1:${http.addr.port}`;
  return server;
}

export type TopicsTestServer = ReturnType<typeof startTopicsServer>;
