import type { ConversationEvent } from "../../protocol/topics.ts";
import { DEADLINE_MS, within } from "./deadline.ts";

// deno-lint-ignore no-explicit-any -- what a protocol's document shows is checked field by field
export type Frame = any;

/** A client of `/api/v1/ws` as its document has it: what is sent and received is all there is. */
export class TopicsSocket {
  readonly socket: WebSocket;
  readonly received: Frame[] = [];
  readonly opened: Promise<unknown>;
  /** How it ended, however long that takes. */
  readonly ended: Promise<{ code: number; reason: string }>;
  #wake = () => {};

  constructor(server: { url: string }, query = "") {
    this.socket = new WebSocket(`${server.url.replace(/^http/, "ws")}/api/v1/ws${query}`);
    this.socket.onmessage = ({ data }) => {
      this.received.push(JSON.parse(data));
      this.#wake();
    };
    this.opened = new Promise((resolve) => this.socket.onopen = resolve);
    this.ended = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    this.socket.onerror = () => this.#wake();
  }

  /** How it ended, which has to be soon. */
  get closed(): Promise<{ code: number; reason: string }> {
    return within(this.ended, "the close of a socket");
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame from the `from`th on that fits; waits for it. */
  async until(
    fits: (frame: Frame) => boolean,
    from = 0,
    ms = DEADLINE_MS,
  ): Promise<Frame> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = this.received.find((frame, at) => at >= from && fits(frame));
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`Waited ${ms} ms; got ${JSON.stringify(this.received)}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** Sends a frame and returns the first thing that comes after it. */
  async ask(frame: unknown): Promise<Frame> {
    const from = this.received.length;
    this.send(frame);
    return await this.until(() => true, from);
  }

  /** Sends a subscription as the document shows it; `after` and `events` are the additions. */
  async subscribe(
    resourceID: string,
    after?: string,
    events: "all" | string[] | null = "all",
  ): Promise<Frame> {
    const from = this.received.length;
    const frame = {
      type: "subscription",
      action: "subscribe",
      topic: "conversationEvent",
      resourceID,
      ...(events === null ? {} : { events }),
    };
    this.send(after === undefined ? frame : { ...frame, after });
    return await this.until(
      ({ type, resourceID: about }) =>
        (type === "subscription" || type === "error") && about === resourceID,
      from,
    );
  }

  get events(): ConversationEvent[] {
    return this.received.filter(({ type }) => type === "conversationEvent");
  }

  async event(fits: (event: ConversationEvent) => boolean): Promise<ConversationEvent> {
    return await this.until((frame) => frame.type === "conversationEvent" && fits(frame));
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** Connected as the document has it, with the credentials in the address. */
export async function openTopics(
  server: { url: string },
  credentials: { token: string } | { sessionId: string },
): Promise<TopicsSocket> {
  const socket = new TopicsSocket(server, `?${new URLSearchParams(credentials)}`);
  await socket.until(({ type }) => type === "authenticated");
  return socket;
}
