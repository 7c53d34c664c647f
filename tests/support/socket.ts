import type { CommandType, Events, EventType, ServerMessage } from "../../protocol/native.ts";
import { DEADLINE_MS, within } from "./deadline.ts";

type AnyMessage = Exclude<ServerMessage, never> & { id?: string | number };

/** A native client with no behaviour of its own: what is sent and received is all there is. */
export class TestSocket {
  readonly socket: WebSocket;
  readonly received: AnyMessage[] = [];
  /** How it ended, however long that takes. */
  readonly ended: Promise<{ code: number; reason: string }>;
  #waiters: (() => void)[] = [];
  #nextId = 1;

  constructor(
    url: string,
    protocols: string[] = ["parley.v1"],
    headers: Record<string, string> = {},
  ) {
    // Deno takes headers here; the types are those of browsers, which cannot.
    const options = { protocols, headers } as unknown as string[];
    this.socket = new WebSocket(url.replace(/^http/, "ws") + "/realtime", options);
    this.socket.onmessage = (event) => {
      for (const line of String(event.data).split("\n")) this.received.push(JSON.parse(line));
      this.#wake();
    };
    this.socket.onerror = () => this.#wake();
    this.ended = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => {
        this.#wake();
        resolve({ code, reason });
      };
    });
  }

  /** How it ended, which has to be soon. */
  get closed(): Promise<{ code: number; reason: string }> {
    return within(this.ended, "the close of a socket");
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** The first message that fits, from `from` on; waits for it. */
  async until(
    fits: (message: AnyMessage) => boolean,
    what = "a message",
    ms = DEADLINE_MS,
  ): Promise<AnyMessage> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new Error(`Waited ${ms} ms for ${what}; got ${JSON.stringify(this.received)}`);
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#waiters.push(resolve)),
        new Promise<void>((resolve) => timer = setTimeout(resolve, left)),
      ]);
      clearTimeout(timer);
    }
  }

  async event<T extends EventType>(
    type: T,
    fits: (data: Events[T]) => boolean = () => true,
    ms?: number,
  ): Promise<Events[T]> {
    const found = await this.until(
      (message) => message.type === type && fits(message.data as Events[T]),
      type,
      ms,
    );
    return found.data as Events[T];
  }

  raw(text: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(text);
  }

  send(type: CommandType | string, data: unknown): string {
    const id = `c${this.#nextId++}`;
    this.raw(JSON.stringify({ type, id, data }));
    return id;
  }

  /** Sends a command and returns its answer, ack or error. */
  async ask(type: CommandType | string, data: unknown): Promise<AnyMessage> {
    const id = this.send(type, data);
    return await this.until(
      (message) => message.id === id && (message.type === "ack" || message.type === "error"),
      `the answer to ${type}`,
    );
  }

  /** The data of the ack; throws on an error. */
  // deno-lint-ignore no-explicit-any -- the caller knows what it asked for
  async ack(type: CommandType, data: unknown): Promise<any> {
    const answer = await this.ask(type, data);
    if (answer.type !== "ack") throw new Error(`"${type}" failed: ${JSON.stringify(answer)}`);
    return answer.data;
  }

  count(type: EventType): number {
    return this.received.filter((message) => message.type === type).length;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** Connected and authenticated. */
export async function connect(
  server: { url: string },
  credentials: { token: string } | { sessionId: string },
): Promise<TestSocket> {
  const socket = new TestSocket(server.url);
  await socket.event("welcome");
  await socket.ack("auth", credentials);
  return socket;
}
