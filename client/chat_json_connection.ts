import { CLOSE } from "../protocol/close_codes.ts";
import {
  ConnectionState,
  MessageType,
  type WebSocketMessage,
  type WebSocketSettings,
} from "./chat_json_types.ts";
import { type ClientErrorCode, ParleyClientError, PASSING } from "./errors.ts";
import {
  afterClose,
  createReconnecting,
  MIN_UPTIME_MS,
  type Outcome,
  type Phase,
} from "./reconnecting.ts";

export interface ChatJsonConnectionHandlers {
  state(state: ConnectionState): void;
  message(message: WebSocketMessage): void;
  /** Connected, and authenticated where there are credentials. */
  up(): void;
  /** An established connection is lost. */
  down(event: { code: number; reason: string }): void;
  error(error: ParleyClientError): void;
}

/** Null: the client has no credentials, and is connected without authentication. */
type Auth = Record<string, unknown> | null;

const STATES: Record<Phase, ConnectionState> = {
  idle: "DISCONNECTED",
  connecting: "CONNECTING",
  reconnecting: "CONNECTING",
  connected: "CONNECTED",
  waiting: "RECONNECTING",
  failed: "FAILED",
  closed: "DISCONNECTED",
};

/** "https://host" or "wss://host/ws" → the socket's address. */
export function chatJsonUrl(url: string): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  const parsed = new URL(url, base);
  parsed.protocol = parsed.protocol.replace("http", "ws");
  parsed.hash = "";
  if (parsed.pathname === "/") parsed.pathname = "/ws";
  return parsed.href;
}

/** Milliseconds before attempt `attempt` (from 1): min(base · 2^(attempt − 1), max), plus up to 10%. */
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

/** A reconnecting connection at `/ws`, see `ConnectionState`. */
export function createChatJsonConnection(
  settings: WebSocketSettings,
  handlers: ChatJsonConnectionHandlers,
) {
  const { token, sessionId } = settings;
  /** The promise of the current attempt, or of the next one. */
  let attempt: PromiseWithResolvers<void> | null = null;
  let isUp = false;
  /**
   * The payload of an `auth` that the program sent itself; it is sent again on the next connection.
   */
  let manual: Auth = null;
  /** The visitor's session of this connection, if it has one. */
  let session: unknown;

  const core = createReconnecting<ConnectionState, Auth, WebSocketMessage>({
    stateOf: (phase) => STATES[phase],
    state: handlers.state,
    lost,
    credentials,
    open: () => new (settings.WebSocket ?? WebSocket)(chatJsonUrl(settings.url)),
    opened(auth) {
      session = auth?.["sessionId"];
      if (auth === null) up();
      else authenticate(auth);
    },
    authenticate,
    split: (frame) => [frame],
    message: receive,
    ping: () => core.send({ type: MessageType.PING, sentAt: new Date(now()).toISOString() }),
    debug: settings.debug ? (line) => console.debug(`WebSocket: ${line}`) : undefined,
    afterClose(code) {
      // The next connection has no credentials either.
      const isAnonymous = manual === null && token === undefined && sessionId === undefined;
      if (isAnonymous && code === CLOSE.authTimeout.code) return "failed";
      const outcome = afterClose(code);
      if (outcome !== "waiting" || settings.autoReconnect) return outcome;
      return isUp ? "closed" : "failed";
    },
    backoffMs(attempt, { minDelayMs, maxDelayMs }) {
      return Math.round(reconnectDelay(attempt + 1, settings.random, minDelayMs, maxDelayMs));
    },
    minDelayMs: settings.reconnectDelay,
    maxDelayMs: settings.maxReconnectDelay,
    maxAttempts: settings.maxReconnectAttempts,
    connectTimeoutMs: settings.connectionTimeout,
    minUptimeMs: MIN_UPTIME_MS,
  });
  const now = () => (settings.now ?? Date.now)();

  async function credentials(): Promise<Auth> {
    if (token !== undefined) return { token: typeof token === "string" ? token : await token() };
    if (sessionId === undefined) return manual;
    return { sessionId: typeof sessionId === "string" ? sessionId : await sessionId() };
  }
  function authenticate(payload: Auth) {
    if (payload !== null) core.send({ type: MessageType.AUTH, payload });
  }

  function up() {
    if (isUp) return;
    isUp = true;
    core.authenticated(settings.heartbeatIntervalMs);
    if (core.state !== ConnectionState.CONNECTED) return;
    handlers.up();
    attempt?.resolve();
    attempt = null;
  }

  function lost(outcome: Outcome, error: ParleyClientError, code: number, reason: string) {
    const wasUp = isUp;
    isUp = false;
    const waiting = attempt;
    attempt = null;
    // The caller of an attempt learns of that attempt's failure, not of later ones.
    waiting?.reject(error);
    return () => {
      if (wasUp) handlers.down({ code: code || 1006, reason });
      if (outcome === "failed" || outcome === "waiting" && !wasUp) handlers.error(error);
    };
  }

  function receive(message: WebSocketMessage) {
    const { type, payload } = message;
    if (type === MessageType.AUTH_RESPONSE && !authAnswered(payload)) return;
    // With an id, the error is about that chat.
    if (type === MessageType.ERROR && payload?.["id"] === undefined) core.refused(errorOf(payload));
    const retryAfter = payload?.["retryAfter"];
    if (type === MessageType.SYSTEM && typeof retryAfter === "number") core.closesIn(retryAfter);
    handlers.message(message);
  }

  /** Returns whether the connection goes on. */
  function authAnswered(payload: WebSocketMessage["payload"]): boolean {
    if (payload?.["success"] === true) {
      up();
      return isUp;
    }
    const error = errorOf(payload);
    const isAway = error.code === "unavailable";
    if (!isAway) manual = null;
    if (isUp) return true;
    core.refused(error);
    const isRenewable = typeof (token ?? sessionId) === "function" &&
      error.code === "token_expired";
    if (isAway) core.authenticateAgain(error.retryAfter);
    else if (isRenewable || PASSING.includes(error.code)) core.giveUp(error.message);
    else core.end("failed", error);
    return isAway;
  }

  return {
    get state() {
      return core.state;
    },
    transmit: (message: WebSocketMessage) => core.send(message),
    debug: core.debug,
    /** Sent again on every new connection, until the server refuses it. */
    remember(payload: Record<string, unknown>) {
      manual = payload;
      session = payload["sessionId"];
    },
    get session() {
      return session;
    },
    /** Messages get no answer on this connection: it counts as lost. */
    giveUp: core.giveUp,

    connect(): Promise<void> {
      if (isUp) return Promise.resolve();
      const { promise } = attempt ??= Promise.withResolvers<void>();
      promise.catch(() => {});
      void core.connect();
      core.hurry();
      return promise;
    },
    disconnect: () => core.end("closed"),
  };
}
