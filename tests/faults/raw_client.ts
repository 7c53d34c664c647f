/** A WebSocket client on a bare TCP connection, which may break every rule and may stop reading. */
import type { CommandType, ServerMessage } from "../../protocol/native.ts";
import {
  clientFrame,
  concat,
  endOfHead,
  type Frame,
  FrameReader,
  OPCODE,
  textOf,
} from "./frames.ts";
import { within } from "../support/deadline.ts";

type AnyMessage = ServerMessage & { id?: string | number };

export interface RawOptions {
  protocols?: string[];
  headers?: Record<string, string>;
  /** False: reads nothing after the handshake until `resume`. */
  reading?: boolean;
  /** False: pings are not answered. */
  pongs?: boolean;
  /** False: a close is neither answered nor obeyed. */
  closes?: boolean;
  /** Keeps no message; `onMessage` and `count` still see all. */
  forget?: boolean;
  onMessage?: (message: AnyMessage) => void;
}

/** The server's answer to a handshake that it refused. */
export class HandshakeError extends Error {
  override name = "HandshakeError";
  constructor(readonly status: number, readonly headers: Headers) {
    super(`Cannot open the socket: status ${status}`);
  }
}

export interface RawClient {
  readonly received: AnyMessage[];
  /** Frames of each opcode that came. */
  readonly frames: Map<number, number>;
  /** How the server ended it; code 1006 where no close frame came. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly isClosed: boolean;
  write(bytes: Uint8Array): Promise<void>;
  text(line: string): Promise<void>;
  until(fits: (message: AnyMessage) => boolean, what?: string, ms?: number): Promise<AnyMessage>;
  /** Sends a command and returns its answer, ack or error. */
  ask(type: CommandType, data: unknown, ms?: number): Promise<AnyMessage>;
  /** The data of the ack; throws on an error. */
  // deno-lint-ignore no-explicit-any -- the caller knows what it asked for
  ack(type: CommandType, data: unknown, ms?: number): Promise<any>;
  pause(): void;
  resume(): void;
  /** Ends the TCP connection; unread bytes make it a reset. */
  destroy(): void;
}

export async function openRaw(url: string, options: RawOptions = {}): Promise<RawClient> {
  const { protocols = ["parley.v1"], pongs = true } = options;
  const { hostname, port, host } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const lines = [
    "GET /realtime HTTP/1.1",
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(protocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${protocols.join(", ")}`]),
  ];
  const buffer = new Uint8Array(16_384);
  let early: Uint8Array;
  try {
    await writeAll(conn, new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
    early = await handshake(conn, buffer);
  } catch (error) {
    conn.close();
    throw error;
  }

  const received: AnyMessage[] = [];
  const frames = new Map<number, number>();
  const waiters = new Set<() => void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const reader = new FrameReader();
  let isClosed = false;
  let gate = options.reading === false ? Promise.withResolvers<void>() : null;
  let writing = Promise.resolve();
  let lastId = 0;

  function wake(): void {
    for (const waiter of [...waiters]) waiter();
  }
  function destroy(): void {
    try {
      conn.close();
    } catch {
      // Closed already.
    }
  }
  function finish(code: number, reason: string): void {
    if (isClosed) return;
    isClosed = true;
    closed.resolve({ code, reason });
    gate?.resolve();
    wake();
  }
  function write(bytes: Uint8Array): Promise<void> {
    const done = writing.then(() => writeAll(conn, bytes));
    writing = done.catch(() => {});
    return done;
  }
  function takeFrame(frame: Frame): void {
    frames.set(frame.opcode, (frames.get(frame.opcode) ?? 0) + 1);
    switch (frame.opcode) {
      case OPCODE.text:
        for (const line of textOf(frame).split("\n")) {
          const message: AnyMessage = JSON.parse(line);
          options.onMessage?.(message);
          if (options.forget !== true) received.push(message);
        }
        wake();
        break;
      case OPCODE.ping:
        if (pongs) write(clientFrame(OPCODE.pong, frame.payload)).catch(() => {});
        break;
      case OPCODE.close: {
        const { payload } = frame;
        const code = payload.length >= 2 ? payload[0]! * 256 + payload[1]! : 1005;
        if (options.closes !== false) {
          write(clientFrame(OPCODE.close, payload)).catch(() => {});
        }
        finish(code, new TextDecoder().decode(payload.slice(2)));
      }
    }
  }
  async function readOn(): Promise<void> {
    for (const frame of reader.push(early)) takeFrame(frame);
    for (;;) {
      await gate?.promise;
      const count = await conn.read(buffer);
      if (count === null) return;
      for (const frame of reader.push(buffer.subarray(0, count))) takeFrame(frame);
    }
  }
  void readOn().catch(() => {}).finally(() => {
    finish(1006, "");
    destroy();
  });

  async function until(
    fits: (message: AnyMessage) => boolean,
    what = "a message",
    ms = 30_000,
  ): Promise<AnyMessage> {
    const seen = () => received.find(fits);
    const found = Promise.withResolvers<AnyMessage>();
    const check = () => {
      const message = seen();
      if (message !== undefined) found.resolve(message);
      else if (isClosed) found.reject(new Error(`The connection ended while waiting for ${what}`));
    };
    const timer = setTimeout(() => {
      const last = JSON.stringify(received.slice(-3));
      found.reject(new Error(`Waited ${ms} ms for ${what}; the last that came: ${last}`));
    }, ms);
    waiters.add(check);
    check();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      waiters.delete(check);
    }
  }

  const client: RawClient = {
    received,
    frames,
    get closed() {
      return within(closed.promise, "the close of a socket", 30_000);
    },
    get isClosed() {
      return isClosed;
    },
    write,
    text: (line) => write(clientFrame(OPCODE.text, line)),
    until,
    async ask(type, data, ms) {
      const id = ++lastId;
      await client.text(JSON.stringify({ type, id, data }));
      return await until(
        (message) => message.id === id && (message.type === "ack" || message.type === "error"),
        `the answer to ${type}`,
        ms,
      );
    },
    async ack(type, data, ms) {
      const answer = await client.ask(type, data, ms);
      if (answer.type !== "ack") throw new Error(`"${type}" failed: ${JSON.stringify(answer)}`);
      return answer.data;
    },
    pause: () => void (gate ??= Promise.withResolvers<void>()),
    resume() {
      gate?.resolve();
      gate = null;
    },
    destroy,
  };
  return client;
}

/** Connected and authenticated. */
export async function connectRaw(
  url: string,
  credentials: { token: string } | { sessionId: string },
  options: RawOptions = {},
): Promise<RawClient> {
  const client = await openRaw(url, options);
  await client.until((message) => message.type === "welcome", "welcome");
  await client.ack("auth", credentials);
  return client;
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads the answer's head; returns what came after it. */
async function handshake(conn: Deno.TcpConn, buffer: Uint8Array): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array();
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("Cannot open the socket: the connection ended");
    bytes = concat(bytes, buffer.subarray(0, count));
    const end = endOfHead(bytes);
    if (end < 0) continue;
    const [status = "", ...fields] = new TextDecoder().decode(bytes.subarray(0, end)).trim()
      .split("\r\n");
    const code = Number(status.split(" ")[1]);
    if (code === 101) return bytes.slice(end);
    const headers = fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    });
    throw new HandshakeError(code, new Headers(headers));
  }
}
