/** Members with the official Socket.IO client, which connects again by itself. */
import { io, type Socket } from "socket.io-client";
import { type Ears, type Frame, type Kind, LostError, RefusedError, type Seat } from "./crew.ts";
import { holding, readMissed, refusal } from "./crew_json.ts";

const CONNECT_MS = 30_000;

/** One client for as long as its member lives. */
class Client {
  readonly socket: Socket;
  held: ReturnType<typeof holding>;
  isIn = false;
  /** What it missed comes by itself when it recovers, because it was in its conversation. */
  hasJoined = false;
  arrived = Promise.withResolvers<void>();
  lost = Promise.withResolvers<void>();
  #error: Frame = null;

  constructor({ url, conversationId, credentials }: Seat, ears: Ears, transport: string) {
    this.held = holding(ears);
    this.socket = io(url, {
      auth: credentials,
      transports: [transport],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
    });
    this.arrived.promise.catch(() => {});
    this.socket.on("message_received", (data: Frame) => {
      if (data.conversationId === conversationId) this.held.hear(data.seq, data.content);
    });
    this.socket.on("auth_error", (data: Frame) => this.#error = data);
    this.socket.on("authenticated", () => {
      this.isIn = true;
      this.arrived.resolve();
    });
    this.socket.on("disconnect", (reason) => {
      const error = reason === "io server disconnect"
        // Nothing brings the client back from this.
        ? new RefusedError({ at: "auth", code: reason, retryAfter: null, message: "" })
        : this.#error === null
        ? new LostError(reason)
        : refusal("auth", this.#error);
      this.#error = null;
      this.isIn = false;
      this.held = holding(ears);
      this.arrived.reject(error);
      this.arrived = Promise.withResolvers();
      this.arrived.promise.catch(() => {});
      this.lost.resolve();
      this.lost = Promise.withResolvers();
    });
  }

  /** Resolves when it is connected and authenticated. */
  async enter(): Promise<void> {
    if (!this.socket.active) this.socket.connect();
    if (this.isIn) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new LostError("does not connect")), CONNECT_MS);
    });
    try {
      await Promise.race([this.arrived.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function socketIo(transport: "polling" | "websocket"): Kind {
  return {
    name: `Socket.IO ${transport}`,
    visitors: "session",

    async connect(seat, ears) {
      const { conversationId } = seat;
      const client: Client = ears.memory["client"] ??= new Client(seat, ears, transport);
      await client.enter();
      const { socket, held, lost } = client;
      async function ask(at: string, event: string, ...args: unknown[]): Promise<Frame> {
        const answer = await Promise.race([
          socket.emitWithAck(event, ...args).catch((error) => {
            throw new LostError(String(error));
          }),
          lost.promise.then(() => {
            throw new LostError("disconnected");
          }),
        ]);
        if (answer.success !== true) throw refusal(at, answer);
        return answer;
      }
      if (!socket.recovered || !client.hasJoined) {
        client.hasJoined = false;
        await ask("join", "join_conversation", conversationId);
        await readMissed(seat, ears);
      }
      if (client.held !== held) throw new LostError("disconnected");
      client.hasJoined = true;
      held.release();
      return {
        lost: lost.promise,
        close: () => socket.disconnect(),
        cut: () => socket.io.engine.close(),
        async send(clientMessageId, content) {
          await ask("message", "send_message", { conversationId, content, clientMessageId });
        },
      };
    },
  };
}

export const SOCKET_IO_KINDS = [socketIo("websocket"), socketIo("polling")];
