/** Clients without a library: fetch for polling, WebSocket for frames. */
import assert from "node:assert/strict";

/** A test that fails if it leaves a timer, a socket or a request. */
export function conformanceTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

export async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export interface PollingPeer {
  sid: string;
  /** The address of this session. */
  url: string;
  poll(init?: RequestInit): Promise<Answer>;
  post(body: BodyInit, init?: RequestInit): Promise<Answer>;
}

/** Opens a session with polling. */
export async function openPolling(url: string, init?: RequestInit): Promise<PollingPeer> {
  const { status, text } = await ask(`${url}?EIO=4&transport=polling`, init);
  assert.equal(status, 200);
  const { sid } = JSON.parse(text.slice(1));
  const own = `${url}?EIO=4&transport=polling&sid=${sid}`;
  return {
    sid,
    url: own,
    poll: (init) => ask(own, init),
    post: (body, init) => ask(own, { method: "POST", body, ...init }),
  };
}

export interface SocketPeer {
  socket: WebSocket;
  opened: Promise<void>;
  /** The next frame that has not been taken yet. Fails when the socket closes first. */
  next(): Promise<string | Uint8Array>;
  closed: Promise<CloseEvent>;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Closes it and waits until it is closed. */
  close(): Promise<void>;
}

/** Opens a websocket at `url?EIO=4&transport=websocket` and what `query` adds or replaces. */
export function openSocket(url: string, query: Record<string, string | null> = {}): SocketPeer {
  const address = new URL(url.replace(/^http/, "ws"));
  const all = Object.entries({ EIO: "4", transport: "websocket", ...query });
  for (const [name, value] of all) if (value !== null) address.searchParams.set(name, value);
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const frames: (string | Uint8Array)[] = [];
  const waiting: PromiseWithResolvers<string | Uint8Array>[] = [];
  const closed = Promise.withResolvers<CloseEvent>();
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  let isClosed = false;
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    const frame = typeof data === "string" ? data : new Uint8Array(data);
    const next = waiting.shift();
    if (next === undefined) frames.push(frame);
    else next.resolve(frame);
  };
  socket.onerror = () => {};
  socket.onclose = (event) => {
    isClosed = true;
    const error = new Error(`The socket was closed: ${event.code} ${event.reason}`);
    opened.reject(error);
    for (const next of waiting.splice(0)) next.reject(error);
    closed.resolve(event);
  };
  return {
    socket,
    opened: opened.promise,
    get closed() {
      return within(closed.promise, "the close of a socket");
    },
    next() {
      const frame = frames.shift();
      if (frame !== undefined) return Promise.resolve(frame);
      const next = Promise.withResolvers<string | Uint8Array>();
      if (isClosed) next.reject(new Error("The socket is closed"));
      else waiting.push(next);
      return next.promise;
    },
    send: (data) => socket.send(data),
    async close() {
      socket.close();
      await within(closed.promise, "the close of a socket");
    },
  };
}

/** Opens a session with a websocket and takes its handshake. */
export async function openSession(url: string): Promise<SocketPeer> {
  const peer = openSocket(url);
  const handshake = await peer.next();
  assert.match(String(handshake), /^0\{/);
  return peer;
}

/** Makes a polling session ready for the last step of its change to a websocket. */
export async function probe(url: string, sid: string): Promise<SocketPeer> {
  const peer = openSocket(url, { sid });
  await peer.opened;
  peer.send("2probe");
  assert.equal(await peer.next(), "3probe");
  return peer;
}

/** How long a test waits for an event, on a machine that is busy with other tests. */
const DEADLINE_MS = 15_000;

/** Fails with a message that says what did not happen, where the test would otherwise hang. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${DEADLINE_MS} ms for ${what}`)),
    DEADLINE_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
