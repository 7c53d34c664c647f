/**
 * One small client for each protocol, with the same verbs and the same view of what it heard, so
 * that any two of them can be put into one conversation.
 */
import assert from "node:assert/strict";
import { call } from "../support/http.ts";
import type { TestServer } from "../support/server.ts";
import { within } from "../support/deadline.ts";

// deno-lint-ignore no-explicit-any -- each protocol has its own shapes
export type Frame = any;

export type Role = "visitor" | "agent";
export type Credentials = { token: string } | { sessionId: string };

/** Who a peer is and where it talks. */
export interface Seat {
  server: TestServer;
  role: Role;
  userId: string;
  conversationId: string;
  /** What the protocol authenticates with. */
  credentials: Credentials;
  /** Of a conversation with a name: that name. */
  contextId?: string;
}

/** What a peer heard, in words that are the same for all; `from` is a user's id. */
export type Heard =
  | { kind: "message"; from: string; content: string; seq: number }
  | { kind: "typing"; from: string; isTyping: boolean }
  | { kind: "read"; from: string }
  | { kind: "presence"; from: string; online: boolean }
  /** A frame for which the protocol has no words. */
  | { kind: "strange"; frame: Frame };

export interface Peer {
  heard: Heard[];
  /** Waits for what fits, among all that was heard from number `after` on. */
  until(fits: (heard: Heard) => boolean, what: string, after?: number): Promise<Heard>;
  /** Resolves when it is stored. */
  say(content: string): Promise<void>;
  type?(isTyping: boolean): Promise<void>;
  /** Everything that was heard is read. */
  read?(): Promise<void>;
  /** The connection is gone; what is said meanwhile is missed. A second time does nothing. */
  goAway(): Promise<void>;
  /** Connects again in the protocol's own way, and gets what was missed. */
  comeBack(): Promise<void>;
}

/** What B hears of A, where the protocol's document has an event for it. */
export interface Words {
  typing: boolean;
  read: boolean;
  /** `person`: that somebody came and went; `room`: that they did so in this conversation. */
  presence: "person" | "room" | null;
}

export interface PeerKind {
  name: string;
  hears: Words;
  /** Whether it tells the server that it is in this conversation, and not only that it is there. */
  joins: (role: Role) => boolean;
  /** Agents use their token everywhere; a participant is who a token of the site's makes them. */
  visitors: "session" | "participant";
  open(seat: Seat): Promise<Peer>;
}

/** What was heard, and waiting for it. */
export function createLog(name: string) {
  const heard: Heard[] = [];
  let wake = () => {};
  return {
    heard,
    add(...all: Heard[]) {
      heard.push(...all);
      wake();
    },
    async until(fits: (heard: Heard) => boolean, what: string, after = 0): Promise<Heard> {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const found = heard.slice(after).find(fits);
        if (found !== undefined) return found;
        assert.ok(
          Date.now() < deadline,
          `${name} waited in vain for ${what}; heard ${JSON.stringify(heard)}`,
        );
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, 200);
        });
        clearTimeout(timer);
      }
    },
    lastSeq: () => heard.reduce((last, one) => one.kind === "message" ? one.seq : last, 0),
  };
}

export type Log = ReturnType<typeof createLog>;

/** A socket whose frames are JSON messages, one a line, and whose commands are answered in order. */
export async function openLines(url: string, take: (frame: Frame) => void, protocols?: string[]) {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols);
  const waiters = new Set<(frame: Frame) => void>();
  let over = false;
  socket.onmessage = ({ data }) => {
    if (over) return;
    for (const line of String(data).split("\n")) {
      const frame = JSON.parse(line);
      take(frame);
      for (const waiter of [...waiters]) waiter(frame);
    }
  };
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`Cannot open ${url}`));
  });
  socket.onerror = () => {};
  return {
    send: (frame: Frame) => socket.send(JSON.stringify(frame)),
    /** The next frame that fits, sent after `frame` went out. */
    ask(frame: Frame | null, fits: (answer: Frame) => boolean): Promise<Frame> {
      const answer = Promise.withResolvers<Frame>();
      const timer = setTimeout(
        () => answer.reject(new Error(`No answer to ${JSON.stringify(frame)}`)),
        30_000,
      );
      const waiter = (one: Frame) => {
        if (!fits(one)) return;
        clearTimeout(timer);
        waiters.delete(waiter);
        answer.resolve(one);
      };
      waiters.add(waiter);
      if (frame !== null) socket.send(JSON.stringify(frame));
      return answer.promise;
    },
    async close() {
      over = true;
      socket.close();
      await within(closed, "the close of a socket");
    },
  };
}

export type Lines = Awaited<ReturnType<typeof openLines>>;

/** For what a protocol has no message: HTTP. */
export async function overHttp(
  { server, credentials }: Seat,
  method: string,
  path: string,
  body?: unknown,
): Promise<Frame> {
  const token = "token" in credentials ? credentials.token : credentials.sessionId;
  const answer = await call<Frame>(server, method, path, { token, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export const readOverHttp = (seat: Seat, log: Log) => async () => {
  const path = `/api/conversations/${seat.conversationId}/read`;
  await overHttp(seat, "POST", path, { seq: log.lastSeq() });
};
