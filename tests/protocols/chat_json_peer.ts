import assert from "node:assert/strict";
import { within } from "../support/deadline.ts";

// deno-lint-ignore no-explicit-any -- what the protocol's document shows is checked field by field
export type Line = any;

export type ChatJsonPeer = Awaited<ReturnType<typeof openChatJson>>;

/** A client as the protocol's document has it: JSON messages, one a frame. */
export async function openChatJson(url: string, query = "") {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws${query}`);
  /** Everything but changes of tables, which come whenever somebody does something. */
  const received: Line[] = [];
  const changes: Line[] = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    const line = JSON.parse(data);
    (line.type === "database_change" ? changes : received).push(line);
    wake();
  };
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => {
      resolve(code);
      wake();
    };
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  /** The first message that fits, from number `from` on; waits for it. */
  async function until(fits: (line: Line) => boolean, from = 0): Promise<Line> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = received.find((line, number) => number >= from && fits(line));
      if (found !== undefined) return found;
      assert.ok(Date.now() < deadline, `waited in vain; got ${JSON.stringify(received)}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => wake = resolve),
        new Promise((resolve) => timer = setTimeout(resolve, 100)),
      ]);
      clearTimeout(timer);
    }
  }
  function send(message: unknown) {
    const isRaw = typeof message === "string" || message instanceof Uint8Array;
    socket.send(isRaw ? message as string : JSON.stringify(message));
  }
  return {
    received,
    changes,
    get closed() {
      return within(closed, "the close of a socket");
    },
    until,
    send,
    /** Sends, and returns the next message that comes. */
    async ask(message: unknown, fits: (line: Line) => boolean = () => true): Promise<Line> {
      const from = received.length;
      send(message);
      return await until(fits, from);
    },
    /** @returns the payload of `auth_response` */
    async auth(payload: { token: string } | { sessionId: string }): Promise<Line> {
      send({ type: "auth", payload });
      return (await until(({ type }) => type === "auth_response")).payload;
    },
    chats: () => received.filter(({ type }) => type === "chat"),
    async close() {
      socket.close();
      await within(closed, "the close of a socket");
    },
  };
}
