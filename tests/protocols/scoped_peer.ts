/** A client of the scoped protocols as their document has it: one JSON message a frame. */
import { SignJWT } from "jose";
import { call } from "../support/http.ts";
import type { TestServer } from "../support/server.ts";
import { within } from "../support/deadline.ts";

// deno-lint-ignore no-explicit-any -- what the protocol's document shows is checked field by field
export type Line = any;

export const SECRET = "a secret that the site's backend has as well";

export interface ScopedPeer {
  readonly received: Line[];
  readonly closed: Promise<{ code: number; reason: string }>;
  send(message: unknown): void;
  /** The first message from `from` on that fits; waits for it. */
  until(fits: (line: Line) => boolean, what?: string, from?: number): Promise<Line>;
  /** Sends a command with an id and returns its answer. */
  ask(type: string, data?: unknown): Promise<Line>;
  close(): Promise<void>;
}

export type Endpoint = "chat" | "analytics" | "collaboration";

export async function open(
  server: { url: string },
  endpoint: Endpoint,
  query: Record<string, string | number> = {},
  headers: Record<string, string> = {},
): Promise<ScopedPeer> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  );
  const url = `${server.url.replace(/^http/, "ws")}/api/${endpoint}/ws?${search}`;
  // Deno takes headers here; the types are those of browsers, which cannot.
  const socket = new WebSocket(url, { headers } as unknown as string[]);
  const received: Line[] = [];
  const waiters = new Set<() => void>();
  const wake = () => waiters.forEach((waiter) => waiter());
  let over = false;
  let lastId = 0;
  socket.onmessage = ({ data }) => {
    received.push(JSON.parse(data));
    wake();
  };
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      over = true;
      wake();
      resolve({ code, reason });
    };
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  socket.onerror = () => {};
  const peer: ScopedPeer = {
    received,
    get closed() {
      return within(closed, "the close of a socket");
    },
    send: (message) =>
      socket.send(
        typeof message === "string" || message instanceof Uint8Array
          ? message as string
          : JSON.stringify(message),
      ),
    async until(fits, what = "a message", from = 0) {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const found = received.slice(from).find(fits);
        if (found !== undefined) return found;
        if (over || Date.now() > deadline) {
          throw new Error(`Waited in vain for ${what}; got ${JSON.stringify(received)}`);
        }
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          const done = () => {
            waiters.delete(done);
            resolve();
          };
          waiters.add(done);
          timer = setTimeout(done, 1000);
        });
        clearTimeout(timer);
      }
    },
    async ask(type, data) {
      const id = `c${++lastId}`;
      peer.send({ type, id, timestamp: new Date().toISOString(), data });
      return await peer.until((line) => line.id === id, `the answer to ${type}`);
    },
    async close() {
      socket.close();
      await within(closed, "the close of a socket");
    },
  };
  return peer;
}

/** Connected, and authenticated by a first message. */
export async function enter(
  server: { url: string },
  token: string,
  contextId: string,
  more: Record<string, unknown> = {},
): Promise<ScopedPeer & { me: Line }> {
  const peer = await open(server, "chat");
  peer.send({ type: "auth", token, contextId, ...more });
  const answer = await peer.until(
    ({ type }) => type === "authenticated" || type === "error",
    "authenticated",
  );
  if (answer.type === "error") throw new Error(`Cannot enter: ${JSON.stringify(answer)}`);
  return Object.assign(peer, { me: answer.data });
}

/** A token as the site's backend signs it. */
export async function sign(
  claims: Record<string, unknown>,
  { secret = SECRET, alg = "HS256", expires = "10m" as string | number | null } = {},
): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg });
  if (expires !== null) jwt.setExpirationTime(expires);
  return await jwt.sign(new TextEncoder().encode(secret));
}

/** A token as Parley makes it for an admin. */
export async function mint(
  server: TestServer,
  adminToken: string,
  contextId: string,
  body: Record<string, unknown>,
): Promise<{ token: string; expiresAt: string; contextId: string; contactId: string }> {
  const path = `/api/contexts/${encodeURIComponent(contextId)}/tokens`;
  const answer = await call(server, "POST", path, { token: adminToken, body });
  if (answer.status !== 201) throw new Error(`Cannot mint: ${JSON.stringify(answer.body)}`);
  return answer.body as Awaited<ReturnType<typeof mint>>;
}
