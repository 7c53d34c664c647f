/** Clients that get whatever changes of tables their protocol brings them. */
import assert from "node:assert/strict";
import { type DatabaseChange, type TableName, TABLES } from "../../protocol/tables.ts";
import type { TestServer } from "./server.ts";
import { connect, TestSocket } from "./socket.ts";
import { changesOf } from "./tables.ts";
import { within } from "./deadline.ts";

export type Change = Pick<DatabaseChange, "table" | "event" | "data" | "new" | "old">;
export type Who = { token: string } | { sessionId: string };

/** A client of one protocol, with all changes of tables that it can get. */
export interface Follower {
  /** How each table was answered; null where the protocol does not ask. */
  answers: Record<TableName, string> | null;
  changes(): Change[];
  /** Everything that was received, as text. */
  text(): string;
  until(fits: (change: Change) => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function native(server: TestServer, who: Who | null): Promise<Follower> {
  const socket = who === null ? new TestSocket(server.url) : await connect(server, who);
  await socket.event("welcome");
  const answers = {} as Record<TableName, string>;
  for (const table of TABLES) {
    const answer = await socket.ask("subscribe", { table });
    answers[table] = answer.type === "ack" ? "ok" : (answer.data as { code: string }).code;
  }
  return {
    answers,
    changes: () => changesOf(socket),
    text: () => JSON.stringify(socket.received),
    async until(fits) {
      await socket.until(() => changesOf(socket).some(fits), "a change");
    },
    close: () => socket.close(),
  };
}

/** Any endpoint with one JSON message a frame. */
export async function frames(server: TestServer, path: string, first: unknown, ready: string) {
  const socket = new WebSocket(server.url.replace(/^http/, "ws") + path);
  const received: string[] = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    received.push(data);
    wake();
  };
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const lines = () => received.map((line) => JSON.parse(line));
  async function until(fits: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!fits()) {
      assert.ok(Date.now() < deadline, `${path} waited in vain: ${received}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  if (first !== null) socket.send(JSON.stringify(first));
  await until(() => lines().some(({ type }) => type === ready));
  return {
    lines,
    until,
    text: () => received.join("\n"),
    async close() {
      socket.close();
      await within(closed, "the close of a socket");
    },
  };
}

export async function chatJson(server: TestServer, who: Who | null): Promise<Follower> {
  const auth = who === null ? null : { type: "auth", payload: who };
  const socket = await frames(server, "/ws", auth, who === null ? "system" : "auth_response");
  const changes = () => socket.lines().filter(({ type }) => type === "database_change");
  return {
    answers: null,
    changes,
    text: socket.text,
    until: (fits) => socket.until(() => changes().some(fits)),
    close: socket.close,
  };
}
