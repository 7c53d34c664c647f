/** The official Socket.IO client, over each of its transports. */
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { createLog, type Frame, type Heard, type PeerKind } from "./peers.ts";

/** Everything that the server may say; what it says besides is strange. */
const VOCABULARY = [
  "authenticated",
  "joined_conversation",
  "left_conversation",
  "new_message",
  "unread_count_update",
  "conversation_update",
  "conversation_changed",
  "conversation_opened",
  "presence_list",
  "notification",
];

function socketIo(transport: "polling" | "websocket"): PeerKind {
  const name = `Socket.IO over ${transport}`;
  return {
    name,
    hears: { typing: true, read: true, presence: "person" },
    joins: () => true,
    visitors: "session",

    async open({ server, conversationId, credentials }) {
      const log = createLog(name);
      const socket = io(server.url, {
        auth: credentials,
        transports: [transport],
        forceNew: true,
        reconnection: false,
        autoConnect: false,
      });
      function hear(event: string, data: Frame): Heard[] {
        switch (event) {
          case "message_received":
            if (data.conversationId !== conversationId) return [];
            return [{
              kind: "message",
              from: data.sender.userId,
              content: data.content,
              seq: data.seq,
            }];
          case "typing_indicator":
            return [{ kind: "typing", from: data.userId, isTyping: data.isTyping }];
          case "message_status_update":
            return data.status === "read" && data.conversationId === conversationId
              ? [{ kind: "read", from: data.userId }]
              : [];
          case "presence_update":
            return [{ kind: "presence", from: data.userId, online: data.status !== "offline" }];
          default:
            return VOCABULARY.includes(event) ? [] : [{ kind: "strange", frame: { event, data } }];
        }
      }
      socket.onAny((event, data) => log.add(...hear(event, data)));
      async function ask(event: string, ...args: unknown[]): Promise<Frame> {
        const answer = await socket.timeout(30_000).emitWithAck(event, ...args);
        assert.equal(answer.success, true, JSON.stringify(answer));
        return answer;
      }
      async function connect() {
        const authenticated = new Promise<void>((resolve, reject) => {
          socket.once("authenticated", () => resolve());
          socket.once("connect_error", reject);
          socket.once("auth_error", ({ message }) => reject(new Error(message)));
        });
        socket.connect();
        await authenticated;
        socket.off("connect_error").off("auth_error");
      }
      await connect();
      await ask("join_conversation", conversationId);
      return {
        ...log,
        async say(content) {
          await ask("send_message", { conversationId, content });
        },
        async type(isTyping) {
          await ask(isTyping ? "typing_start" : "typing_stop", { conversationId });
        },
        async read() {
          await ask("message_read", { conversationId, seq: log.lastSeq() });
        },
        async goAway() {
          if (!socket.connected) return;
          const gone = new Promise((resolve) => socket.once("disconnect", resolve));
          // Not `disconnect`, which says goodbye: the connection is lost.
          socket.io.engine.close();
          await gone;
        },
        // Recovered: the rooms, and what was missed, come by themselves.
        async comeBack() {
          await connect();
          assert.equal(socket.recovered, true);
        },
      };
    },
  };
}

export const SOCKET_IO_PEERS = [socketIo("websocket"), socketIo("polling")];
