import { type ClientErrorCode, ParleyClientError, toClientError } from "./errors.ts";
import { afterClose, createReconnecting, MIN_UPTIME_MS, type Phase } from "./reconnecting.ts";
import type { TopicsMessage, TopicsSettings, TopicsState } from "./topics_types.ts";
import type { Credentials } from "./types.ts";

type ErrorMessage = Extract<TopicsMessage, { type: "error" }>;

export interface TopicsHandlers {
  /** `live`: subscribe; `polling`: read; `failed` and `closed`: the client has ended. */
  state(state: TopicsState): void;
  /** A message about a conversation, or a heartbeat. */
  message(message: TopicsMessage): void;
  /** An error that no promise carries. */
  error(error: ParleyClientError): void;
}

export type TopicsConnection = ReturnType<typeof createTopicsConnection>;

/** While there is no socket, events are polled. */
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
  /** A token that the server called expired: the same token again would fail, too. */
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
      if (state === "polling") core.resolve();
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

  /** Not in the address, which proxies may log. */
  function authenticate(credentials: Credentials) {
    core.send({ type: "auth", ...credentials });
  }

  /** Gets credentials. A token that was called expired counts as none. */
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

  /**
   * Sends a new token on the current connection. Without one the server ends the connection in
   * time.
   */
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
    /** Aborted when the client has ended. */
    signal: () => ended.signal,
    markExpired,
    /** The last credentials, or new ones where there are none. */
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
