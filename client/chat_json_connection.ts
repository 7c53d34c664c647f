import { CLOSE, shouldReconnect } from "../protocol/close_codes.ts";
import {
  ConnectionState,
  MessageType,
  type WebSocketMessage,
  type WebSocketSettings,
} from "./chat_json_types.ts";
import { type ClientErrorCode, ParleyClientError, toClientError } from "./errors.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { hasNetwork, listenToNetwork } from "./network_events.ts";

/** Milliseconds to stay away after 1008, where the server names no time. */
const RATE_LIMIT_PAUSE_MS = 60_000;
/** Milliseconds that a connection has to prove itself alive after the device woke up. */
const WAKE_DEADLINE_MS = 3_000;
/** Milliseconds before credentials are sent again, where the server names no time. */
const AGAIN_MS = 1_000;
/** Why an authentication may be refused now and accepted later. */
const PASSING: unknown[] = ["unavailable", "rate_limited", "overloaded", "draining", "internal"];

export interface ChatJsonConnectionHandlers {
  state(state: ConnectionState): void;
  message(message: WebSocketMessage): void;
  /** Connected, and authenticated where there are credentials. */
  up(): void;
  /** A connection that was up is gone. */
  down(event: { code: number; reason: string }): void;
  error(error: ParleyClientError): void;
}

/** "https://host" or "wss://host/ws" → the socket's address. */
export function chatJsonUrl(url: string): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  const parsed = new URL(url, base);
  parsed.protocol = parsed.protocol.replace("http", "ws");
  parsed.hash = "";
  if (parsed.pathname === "/") parsed.pathname = "/ws";
  return parsed.href;
}

/** Milliseconds before attempt `attempt` (from 1): min(base · 2^(attempt − 1), max), and up to 10 % more. */
export function reconnectDelay(
  attempt: number,
  random: () => number = Math.random,
  base = 1_000,
  max = 30_000,
): number {
  const delay = Math.min(base * 2 ** (attempt - 1), max);
  return delay + 0.1 * delay * random();
}

/** What the server says in `auth_response` and `error`, as an error of the SDK. */
export function errorOf(payload: Record<string, unknown> | undefined): ParleyClientError {
  const { code, message, retryAfter } = payload ?? {};
  return new ParleyClientError(
    (typeof code === "string" ? code : "internal") as ClientErrorCode,
    typeof message === "string" ? message : "Cannot go on: the server reported an error",
    typeof retryAfter === "number" ? { retryAfter } : {},
  );
}

/** The state machine of one connection at `/ws` that makes itself anew, see `ConnectionState`. */
export function createChatJsonConnection(
  settings: WebSocketSettings,
  handlers: ChatJsonConnectionHandlers,
) {
  let state: ConnectionState = ConnectionState.DISCONNECTED;
  let socket: WebSocket | null = null;
  let heartbeat: Heartbeat | undefined;
  /** The promise of the attempt under way. */
  let attempt: PromiseWithResolvers<void> | null = null;
  /** Numbers the attempts, so that whatever an older one still has to say is ignored. */
  let run = 0;
  let attempts = 0;
  /** What the server said last: where a close follows, it is the reason. */
  let lastError: ParleyClientError | null = null;
  let deadline: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let unlisten = () => {};
  /** The payload of an `auth` that the program sent itself, to be said again on the next connection. */
  let manual: Record<string, unknown> | null = null;
  /** The visitor's session that the connection has, where it has one. */
  let session: unknown;

  function debug(line: string) {
    if (settings.debug) console.debug(`WebSocket: ${line}`);
  }
  function setState(next: ConnectionState) {
    if (state === next) return;
    debug(`${state} → ${next}`);
    state = next;
    handlers.state(next);
  }
  function drop() {
    run++;
    clearTimeout(deadline);
    clearTimeout(retry);
    heartbeat?.stop();
    heartbeat = undefined;
    socket?.close(1000);
    socket = null;
  }

  async function credentials(): Promise<Record<string, unknown> | null> {
    const { token, sessionId } = settings;
    if (token !== undefined) return { token: typeof token === "string" ? token : await token() };
    if (sessionId === undefined) return manual;
    return { sessionId: typeof sessionId === "string" ? sessionId : await sessionId() };
  }

  async function open() {
    drop();
    const mine = run;
    lastError = null;
    setState(ConnectionState.CONNECTING);
    deadline = setTimeout(
      () => lost(mine, 0, "Connection timeout", "timeout"),
      settings.connectionTimeout,
    );
    try {
      const auth = await credentials();
      if (mine !== run) return;
      session = auth?.["sessionId"];
      const Constructor = settings.WebSocket ?? WebSocket;
      const mineSocket = socket = new Constructor(chatJsonUrl(settings.url));
      mineSocket.onopen = () => {
        if (mine !== run) return;
        if (auth === null) up(mine);
        else transmit({ type: MessageType.AUTH, payload: auth });
      };
      mineSocket.onmessage = ({ data }) => {
        if (mine === run) receive(mine, data);
      };
      mineSocket.onclose = ({ code, reason }) => lost(mine, code || 1006, reason);
      // A close follows every error; without a handler some runtimes treat the event as unhandled.
      mineSocket.onerror = () => {};
    } catch (error) {
      const { message } = toClientError(error);
      lost(mine, 0, `Cannot connect: ${message}`, "credentials");
    }
  }

  async function sayAgain(mine: number) {
    try {
      const auth = await credentials();
      if (mine === run && auth !== null) transmit({ type: MessageType.AUTH, payload: auth });
    } catch (error) {
      lost(mine, 0, `Cannot connect: ${toClientError(error).message}`, "credentials");
    }
  }

  function up(mine: number) {
    clearTimeout(deadline);
    clearTimeout(retry);
    attempts = 0;
    heartbeat = createHeartbeat(
      settings.heartbeatIntervalMs,
      () => transmit({ type: MessageType.PING, sentAt: new Date(now()).toISOString() }),
      () => lost(mine, 0, "No answer to a ping"),
      now,
    );
    setState(ConnectionState.CONNECTED);
    handlers.up();
    attempt?.resolve();
    attempt = null;
  }
  const now = () => (settings.now ?? Date.now)();

  function receive(mine: number, data: unknown) {
    heartbeat?.heard();
    const message = parse(data);
    if (message === null) return debug("a frame that is not a message");
    debug(`← ${message.type}`);
    const { type, payload } = message;
    if (type === MessageType.AUTH_RESPONSE) authAnswered(mine, payload);
    if (type === MessageType.ERROR) lastError = errorOf(payload);
    if (mine === run) handlers.message(message);
  }

  function authAnswered(mine: number, payload: WebSocketMessage["payload"]) {
    if (payload?.["success"] === true) {
      if (state === ConnectionState.CONNECTING) up(mine);
      return;
    }
    const error = lastError = errorOf(payload);
    const away = error.code === "unavailable";
    if (!away) manual = null;
    if (state !== ConnectionState.CONNECTING) return;
    const { token, sessionId } = settings;
    if (away) {
      // The server is there, and what it needs will be: the same again on the same connection.
      clearTimeout(retry);
      retry = setTimeout(() => void sayAgain(mine), error.retryAfter ?? AGAIN_MS);
      return;
    }
    const renewable = typeof (token ?? sessionId) === "function" && error.code === "token_expired";
    if (renewable || PASSING.includes(error.code)) lost(mine, 0, error.message);
    else over(ConnectionState.FAILED, 0, error.message, error);
  }

  /** An attempt or a connection is over; decides whether and when the next one comes. */
  function lost(
    mine: number,
    code: number,
    reason: string,
    kind: ClientErrorCode = "disconnected",
  ) {
    if (mine !== run) return;
    const error = lastError ?? new ParleyClientError(kind, reason || `Connection lost: ${code}`);
    const anonymous = manual === null && settings.token === undefined &&
      settings.sessionId === undefined;
    debug(`lost: ${code} ${reason}`);
    if (code === 1000) return over(ConnectionState.DISCONNECTED, code, reason, null);
    // Nobody says who this is on the next connection either.
    if (!shouldReconnect(code) || anonymous && code === CLOSE.authTimeout.code) {
      return over(ConnectionState.FAILED, code, reason, error);
    }
    if (!settings.autoReconnect) {
      return state === ConnectionState.CONNECTED
        ? over(ConnectionState.DISCONNECTED, code, reason, null)
        : over(ConnectionState.FAILED, code, reason, error);
    }
    if (attempts >= settings.maxReconnectAttempts) {
      const sentence = `Cannot connect: ${attempts} new attempts failed`;
      const last = new ParleyClientError("too_many_attempts", sentence, { cause: error });
      return over(ConnectionState.FAILED, code, reason, last);
    }
    const wasUp = state === ConnectionState.CONNECTED;
    over(ConnectionState.RECONNECTING, code, reason, wasUp ? null : error, () => {
      const { reconnectDelay: base, maxReconnectDelay: max, random } = settings;
      const away = error.retryAfter ?? (code === CLOSE.rateLimited.code ? RATE_LIMIT_PAUSE_MS : 0);
      const wait = Math.max(away, reconnectDelay(++attempts, random, base, max));
      debug(`attempt ${attempts}/${settings.maxReconnectAttempts} in ${Math.round(wait)} ms`);
      retry = setTimeout(() => void open(), wait);
    });
  }

  /** What is now, then the word to everybody: a handler may call `connect` or `disconnect`. */
  function over(
    next: ConnectionState,
    code: number,
    reason: string,
    error: ParleyClientError | null,
    plan: () => void = deafen,
  ) {
    const wasUp = state === ConnectionState.CONNECTED;
    const waiting = attempt;
    attempt = null;
    drop();
    plan();
    // An attempt is told of its own failure, not of the outcome of those that follow.
    waiting?.reject(error ?? new ParleyClientError("closed", "Cannot connect: it was ended"));
    setState(next);
    if (wasUp) handlers.down({ code: code || 1006, reason });
    if (error !== null) handlers.error(error);
  }
  function deafen() {
    unlisten();
    unlisten = () => {};
  }

  function offline() {
    // Without the network the socket would look alive for minutes.
    if (socket !== null) lost(run, 0, "The device has no network");
  }
  function wake() {
    if (state === ConnectionState.CONNECTED) return heartbeat?.check(WAKE_DEADLINE_MS);
    if (state !== ConnectionState.RECONNECTING || !hasNetwork()) return;
    attempts = 0;
    void open();
  }

  function transmit(message: WebSocketMessage) {
    debug(`→ ${message.type}`);
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  }

  return {
    get state() {
      return state;
    },
    transmit,
    debug,
    /** Said again on every new connection, until the server refuses it. */
    remember(payload: Record<string, unknown>) {
      manual = payload;
      session = payload["sessionId"];
    },
    get session() {
      return session;
    },
    /** The connection swallows messages: it is none. */
    giveUp: (reason: string) => lost(run, 0, reason),

    connect(): Promise<void> {
      if (state === ConnectionState.CONNECTED) return Promise.resolve();
      if (attempt === null) {
        attempt = Promise.withResolvers<void>();
        attempt.promise.catch(() => {});
        // An attempt of its own that is under way is joined.
        if (state !== ConnectionState.CONNECTING) {
          if (state !== ConnectionState.RECONNECTING) {
            attempts = 0;
            deafen();
            unlisten = listenToNetwork(offline, wake);
          }
          const { promise } = attempt;
          void open();
          return promise;
        }
      }
      return attempt.promise;
    },
    disconnect: () => over(ConnectionState.DISCONNECTED, 1000, "", null),
  };
}

/** A frame's message, or null for what is none. */
function parse(data: unknown): WebSocketMessage | null {
  if (typeof data !== "string") return null;
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
