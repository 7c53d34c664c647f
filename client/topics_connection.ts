import { shouldReconnect } from "../protocol/close_codes.ts";
import { backoffDelay } from "./backoff.ts";
import { type ClientErrorCode, ParleyClientError, toClientError } from "./errors.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { openTopicsSocket, type TopicsMessage, type TopicsSocket } from "./topics_socket.ts";
import type { TopicsSettings, TopicsState } from "./topics_types.ts";
import type { Credentials } from "./types.ts";
import { listenToNetwork } from "./network_events.ts";

/** Milliseconds that a connection has to last before the wait for the next starts small again. */
const MIN_UPTIME_MS = 5_000;
/** Milliseconds before a token's end at which a new one is sent. */
const REFRESH_AHEAD_MS = 60_000;
/** What a timer can wait at most. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Milliseconds that a connection has to prove itself alive after the device woke up. */
const WAKE_DEADLINE_MS = 3_000;
/** CLOSE.rateLimited, and the milliseconds to stay away where none are named. */
const RATE_LIMITED = 1008;
const RATE_LIMIT_PAUSE_MS = 60_000;

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

/** The state machine of one connection that makes itself anew, see `TopicsState`. */
export function createTopicsConnection(
  options: TopicsSettings,
  url: string,
  handlers: TopicsHandlers,
) {
  let state: TopicsState = "idle";
  let connected: PromiseWithResolvers<void> | null = null;
  let socket: TopicsSocket | null = null;
  let heartbeat: Heartbeat | undefined;
  let current: Credentials | null = null;
  /** A token that the server called expired: with the same again there is no use in trying. */
  let expired: string | null = null;
  let cause: ParleyClientError | null = null;
  let attempts = 0;
  /** Before this time (ms since 1970) the server does not want to see this client. */
  let notBefore = 0;
  /** Numbers the attempts, so that whatever an older one still has to say is ignored. */
  let run = 0;
  let ended = new AbortController();
  let unlisten = () => {};
  const timers: Record<string, ReturnType<typeof setTimeout>> = {};

  function debug(line: string) {
    options.debug?.(line);
  }
  function setState(next: TopicsState) {
    if (state === next) return;
    debug(`${state} → ${next}`);
    state = next;
    handlers.state(next);
  }
  function later(name: "attempt" | "retry" | "refresh" | "uptime", ms: number, fn: () => void) {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(fn, Math.min(ms, MAX_TIMER_MS));
  }
  /** Ends the attempt or connection that is; nothing of it is heard any more. */
  function drop() {
    run++;
    for (const name in timers) clearTimeout(timers[name]);
    heartbeat?.stop();
    socket?.abandon();
    socket = null;
  }

  async function attempt() {
    drop();
    const mine = run;
    cause = null;
    later("attempt", options.timeoutMs, () => lost(mine, 0, "the attempt took too long"));
    try {
      const credentials = await renew();
      if (mine !== run) return;
      socket = openTopicsSocket(options.WebSocket ?? WebSocket, url, {
        // Not in the address, which ends up in the logs of proxies.
        open: () => socket?.send({ type: "auth", ...credentials }),
        message: (message) => mine === run && receive(message),
        closed: (code, reason) => lost(mine, code, reason),
        garbage: (length) => debug(`not a message: ${length} characters`),
      });
    } catch (reason) {
      if (mine !== run) return;
      const error = toClientError(reason, "credentials");
      if (isFinal(reason)) end("failed", error);
      else lost(mine, 0, error.message);
    }
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

  /** An attempt or a connection is over: from now on events are read, and it tries again later. */
  function lost(mine: number, code: number, reason: string) {
    if (mine !== run || connected === null) return;
    drop();
    debug(`lost: ${code} ${reason}`);
    cause ??= new ParleyClientError("disconnected", reason || `Connection lost: code ${code}`);
    if (!shouldReconnect(code)) return end("failed", cause);
    const limited = code === RATE_LIMITED;
    const wait = limited
      ? cause.retryAfter ?? RATE_LIMIT_PAUSE_MS
      : backoffDelay(attempts++, options);
    notBefore = limited ? Date.now() + wait : 0;
    debug(`next attempt in ${wait} ms`);
    later("retry", wait, attempt);
    setState("polling");
    connected?.resolve();
  }

  function end(last: "failed" | "closed", reason: ParleyClientError) {
    drop();
    ended.abort();
    unlisten();
    current = null;
    const waiting = connected;
    connected = null;
    setState(last);
    waiting?.reject(reason);
    if (last === "failed") handlers.error(reason);
  }

  function receive(message: TopicsMessage) {
    heartbeat?.heard();
    debug(`← ${message.type}`);
    if (message.type === "authenticated") authenticated(message.expiresAt);
    else if (message.type === "error" && message.resourceID === undefined) refused(message);
    else handlers.message(message);
  }

  function authenticated(expiresAt: string | null) {
    const mine = run;
    clearTimeout(timers.attempt);
    cause = null;
    expired = null;
    refreshBefore(expiresAt);
    if (state === "live") return;
    heartbeat?.stop();
    heartbeat = createHeartbeat(
      options.silenceMs,
      () => socket?.send({ type: "ping" }),
      () => lost(mine, 0, "nothing was heard"),
    );
    later("uptime", MIN_UPTIME_MS, () => attempts = 0);
    setState("live");
    connected?.resolve();
  }

  function refreshBefore(expiresAt: string | null) {
    if (expiresAt === null || current === null || !("token" in current)) return;
    const left = Date.parse(expiresAt) - Date.now();
    later("refresh", Math.max(left - REFRESH_AHEAD_MS, left / 2, 1_000), refresh);
  }

  /** A new token on the living connection. Where there is none, the server ends it in time. */
  async function refresh() {
    const mine = run;
    try {
      const credentials = await renew();
      if (mine === run) socket?.send({ type: "auth", ...credentials });
    } catch (reason) {
      debug(`refresh failed: ${toClientError(reason, "credentials").code}`);
    }
  }

  /** What is said before a close is the reason for it. */
  function refused(message: ErrorMessage) {
    cause = toError(message);
    debug(`error: ${cause.code} ${cause.message}`);
    if (cause.code === "token_expired") {
      markExpired();
      if (state === "live") void refresh();
    } else if (state === "live") {
      handlers.error(cause);
    }
  }

  function markExpired() {
    if (current !== null && "token" in current) expired = current.token;
    current = null;
  }

  return {
    get state() {
      return state;
    },
    /** Aborted when all is over. */
    get signal() {
      return ended.signal;
    },
    debug,
    markExpired,
    send: (message: Record<string, unknown>) => socket?.send(message),
    /** Those that were given last, asked for where there are none. */
    credentials: async (): Promise<Credentials> => current ?? await renew(),
    fail: (error: ParleyClientError) => end("failed", error),
    close() {
      end("closed", new ParleyClientError("closed", "Cannot go on: the client was closed"));
    },

    /** See `TopicsClient.connect`. */
    connect(): Promise<void> {
      if (connected === null) {
        connected = Promise.withResolvers<void>();
        connected.promise.catch(() => {});
        ended = new AbortController();
        unlisten = listenToNetwork(() => lost(run, 0, "the device has no network"), () => {
          if (state === "live") heartbeat?.check(WAKE_DEADLINE_MS);
          else if (socket === null && Date.now() >= notBefore) attempt();
        });
        attempts = 0;
        expired = null;
        setState("connecting");
        attempt();
      }
      return connected.promise;
    },
  };
}

export function toError({ code, message, retryAfter }: ErrorMessage): ParleyClientError {
  const details = retryAfter === undefined ? {} : { retryAfter };
  return new ParleyClientError(code as ClientErrorCode, message, details);
}

/** Whether `credentials` said that there will be no better ones. */
export function isFinal(reason: unknown): boolean {
  return (reason as { final?: unknown } | null)?.final === true;
}
