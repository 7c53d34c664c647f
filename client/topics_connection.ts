import { type ClientErrorCode, ParleyClientError, toClientError } from "./errors.ts";
import { afterClose, createReconnecting, MIN_UPTIME_MS, type Phase } from "./reconnecting.ts";
import type { TopicsMessage, TopicsSettings, TopicsState } from "./topics_types.ts";
import type { Credentials } from "./types.ts";

type ErrorMessage = Extract<TopicsMessage, { type: "error" }>;

export interface TopicsHandlers {
  /** `live`: subscribe; `polling`: read; `failed` and `closed`: all is over. */
  state(state: TopicsState): void;
  /** What is about a conversation, and heartbeats. */
  message(message: TopicsMessage): void;
  /** An error that no promise carries. */
  error(error: ParleyClientError): void;
}

export type TopicsConnection = ReturnType<typeof createTopicsConnection>;

/** Whenever there is no socket, events are read. */
function stateOf(phase: Phase): TopicsState {
  if (phase === "connected") return "live";
  return phase === "waiting" || phase === "reconnecting" ? "polling" : phase;
}

/** A reconnecting connection at `/api/v1/ws`, see `TopicsState`. */
export function createTopicsConnection(
  options: TopicsSettings,
  url: string,
  handlers: TopicsHandlers,
) {
  let current: Credentials | null = null;
  /** A token that the server called expired: with the same again there is no use in trying. */
  let expired: string | null = null;
  let ended = new AbortController();

  const core = createReconnecting<TopicsState, Credentials, TopicsMessage>({
    ...options,
    stateOf,
    state(state) {
      if (state === "failed" || state === "closed") {
        ended.abort();
        current = expired = null;
      }
      handlers.state(state);
      if (state === "polling") core.settle();
    },
    lost: (outcome, error) => () => outcome === "failed" && handlers.error(error),
    credentials: renew,
    open: () => new (options.WebSocket ?? WebSocket)(url),
    opened: authenticate,
    authenticate,
    split: (frame) => [frame],
    message: receive,
    ping: () => core.send({ type: "ping" }),
    afterClose,
    maxAttempts: Infinity,
    connectTimeoutMs: options.timeoutMs,
    minUptimeMs: MIN_UPTIME_MS,
  });

  /** Not in the address, which ends up in the logs of proxies. */
  function authenticate(credentials: Credentials) {
    core.send({ type: "auth", ...credentials });
  }

  /** Asks for credentials. Those that were called expired are as good as none. */
  async function renew(): Promise<Credentials> {
    const credentials = await options.credentials();
    if ("token" in credentials && credentials.token === expired) {
      const error = new ParleyClientError("token_expired", "Cannot connect: the token has expired");
      throw Object.assign(error, { final: true });
    }
    return current = credentials;
  }

  function receive(message: TopicsMessage) {
    if (message.type === "authenticated") authenticated(message.expiresAt);
    else if (message.type === "error" && message.resourceID === undefined) refused(message);
    else if (message.type === "reconnect") core.closesIn(message.retryAfter);
    else handlers.message(message);
  }

  function authenticated(expiresAt: string | null) {
    expired = null;
    if (expiresAt !== null && current !== null && "token" in current) {
      core.renewBefore(expiresAt, refresh);
    }
    core.authenticated(options.silenceMs);
  }

  /** A new token on the living connection. Where there is none, the server ends it in time. */
  async function refresh() {
    try {
      authenticate(await renew());
    } catch (reason) {
      core.debug("refresh failed:", toClientError(reason, "credentials").code);
    }
  }

  function refused(message: ErrorMessage) {
    const error = toError(message);
    core.refused(error);
    if (error.code === "token_expired") {
      markExpired();
      if (core.state === "live") void refresh();
    } else if (core.state === "live") {
      handlers.error(error);
    }
  }

  function markExpired() {
    if (current !== null && "token" in current) expired = current.token;
    current = null;
  }

  return Object.assign(core, {
    /** Aborted when all is over. */
    signal: () => ended.signal,
    markExpired,
    /** Those that were given last, asked for where there are none. */
    credentials: async (): Promise<Credentials> => current ?? await renew(),
    /** See `TopicsClient.connect`. */
    begin(): Promise<void> {
      if (ended.signal.aborted) ended = new AbortController();
      return core.connect();
    },
  });
}

export function toError({ code, message, retryAfter }: ErrorMessage): ParleyClientError {
  const details = retryAfter === undefined ? {} : { retryAfter };
  return new ParleyClientError(code as ClientErrorCode, message, details);
}
