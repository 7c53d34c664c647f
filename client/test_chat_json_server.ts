/** A server that follows the document of chat JSON, and whose behaviour tests can change. */
import type { WebSocketMessage } from "./chat_json_types.ts";

export interface ChatJsonServer {
  url: string;
  /** All received messages, in order. */
  received: WebSocketMessage[];
  connections: number;
  sockets: Set<WebSocket>;
  /** Called before a message is handled; true when it handled the message itself. */
  intercept: (message: WebSocketMessage, send: (answer: unknown) => void) => boolean;
  of(type: string): WebSocketMessage[];
  contents(): unknown[];
  broadcast(message: unknown): void;
  drop(code?: number, reason?: string): void;
  stop(): Promise<void>;
}

export function startChatJsonServer(): ChatJsonServer {
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const send = (answer: unknown) => {
      if (socket.readyState === 1) {
        socket.send(typeof answer === "string" ? answer : JSON.stringify(answer));
      }
    };
    socket.onopen = () => {
      server.connections++;
      server.sockets.add(socket);
      send({ type: "system", payload: { message: "Connected to WebSocket server" } });
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as WebSocketMessage;
      server.received.push(message);
      if (!server.intercept(message, send)) handle(message, send);
    };
    socket.onclose = () => server.sockets.delete(socket);
    socket.onerror = () => {};
    return response;
  });

  function handle(message: WebSocketMessage, send: (answer: unknown) => void) {
    const timestamp = new Date().toISOString();
    if (message.type === "ping") send({ type: "pong", sentAt: message["sentAt"], timestamp });
    if (message.type === "auth") {
      const payload = { success: true, userId: "user_1", permissions: ["read", "write"] };
      send({ type: "auth_response", payload, timestamp });
    }
    if (message.type === "chat") {
      const { payload, clientId = "unknown" } = message;
      server.broadcast({ type: "chat", payload, timestamp, clientId });
    }
  }

  const server: ChatJsonServer = {
    url: `ws://127.0.0.1:${http.addr.port}/ws`,
    received: [],
    connections: 0,
    sockets: new Set(),
    intercept: () => false,
    of: (type) => server.received.filter((message) => message.type === type),
    contents: () => server.of("chat").map(({ payload }) => payload?.["content"]),
    broadcast(message) {
      for (const socket of server.sockets) {
        if (socket.readyState === 1) socket.send(JSON.stringify(message));
      }
    },
    drop(code = 3011, reason) {
      for (const socket of server.sockets) socket.close(code, reason);
    },
    async stop() {
      server.drop(1001);
      await http.shutdown();
    },
  };
  return server;
}
