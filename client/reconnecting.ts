import { shouldReconnect } from "../protocol/close_codes.ts";
import { backoffDelay, type BackoffOptions } from "./backoff.ts";
import { type ClientErrorCode, ParleyClientError, toClientError } from "./errors.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { hasNetwork, listenToNetworkEvents } from "./network_events.ts";

/**
 * - `idle`: never connected
 * - `connecting`: the first attempt is under way, up to the answered authentication
 * - `connected`: authenticated
 * - `waiting`: an attempt failed or the connection was lost; the next attempt is scheduled
 * - `reconnecting`: a later attempt is under way
 * - `failed`, `closed`: over, until `connect` is called again
 */
export type Phase =
  | "idle"
  | "connecting"
  | "connected"
  | "waiting"
  | "reconnecting"
  | "failed"
  | "closed";

/** The result of a lost connection or of a failed attempt. */
export type Outcome = "waiting" | "failed" | "closed";

/** What differs between the clients. All functions are called for the current attempt only. */
export interface Parts<State extends string, Credentials, Message> extends BackoffOptions {
  /** The client's own state for a phase. */
  stateOf(phase: Phase): State;
  /** The state changed. */
  state(state: State): void;
  /**
   * The connection or the attempt is over; code 0: this side gave it up. Called before the state
   * changes. The returned function is called afterwards: only there may handlers of the program
   * run.
   */
  lost(outcome: Outcome, error: ParleyClientError, code: number, reason: string): () => unknown;
  /** Called for each attempt. A thrown object with `final: true` leads to the phase `failed`. */
  credentials(): Credentials | Promise<Credentials>;
  /** Makes the socket. May throw. */
  open(): WebSocket;
  /** The socket is open. */
  opened(credentials: Credentials): void;
  /** Sends the credentials. */
  authenticate(credentials: Credentials): void;
  /** Splits a frame into messages. */
  split(frame: string): string[];
  message(message: Message): void;
  ping(): void;
  debug?: ((line: string) => void) | undefined;
  /** The result of a close code, as in `afterClose`; 0: this side gave it up. */
  afterClose(code: number): Outcome;
  /** Milliseconds before attempt `attempt` (0 is the first retry). Default: `backoffDelay`. */
  backoffMs?(attempt: number, options: BackoffOptions): number;
  /** Attempts in a row that may fail before the phase is `failed`, without the first one. */
  maxAttempts: number;
  /** Milliseconds from the start of an attempt to the answered authentication. */
  connectTimeoutMs: number;
  /** Milliseconds that a connection has to last before the backoff starts again at its minimum. */
  minUptimeMs: number;
}

/** The fields of every message. */
interface Named {
  type: string;
  id?: unknown;
  [field: string]: unknown;
}

/** The default for `minUptimeMs`. */
export const MIN_UPTIME_MS = 5_000;
/**
 * CLOSE.rateLimited, without its table, and the pause in milliseconds where the server names none.
 */
const RATE_LIMITED = 1008;
const RATE_LIMIT_PAUSE_MS = 60_000;
/** Milliseconds before credentials are sent again, where the server names no time. */
const REPEAT_MS = 1_000;
/** Milliseconds before a token expires at which a new one is sent. */
const RENEW_AHEAD_MS = 60_000;
/** Milliseconds in which a connection has to prove itself alive after the device resumed. */
const RESUME_DEADLINE_MS = 3_000;
/** The longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One connection that is established again whenever it is lost: the core of all clients in this
 * folder.
 *
 * - **Backoff**: each failed attempt in a row makes the wait longer. It starts again at its minimum
 *   after a connection that lasted for its minimum uptime, and when the device resumes.
 * - **Stay-away**: before the time that the server named, no attempt begins, not even when the
 *   device resumes. After a close code that forbids reconnecting, none begins at all.
 * - **Resume**: the network is back, or the page is visible again. A connection has to prove that it
 *   is alive, and a wait is cut short.
 *
 * Handlers run after a change of state is complete, so they may call `connect` and `close`.
 */
export function createReconnecting<State extends string, Credentials, Message>(
  parts: Parts<State, Credentials, Message>,
) {
  let phase: Phase = "idle";
  let state = parts.stateOf(phase);
  let socket: WebSocket | null = null;
  let heartbeat: Heartbeat | undefined;
  let connected: PromiseWithResolvers<void> | null = null;
  /** Stops listening to the device; null while no connection is wanted. */
  let unlisten: (() => void) | null = null;
  /** Numbers the attempts, so that events of an older one are ignored. */
  let run = 0;
  /** Failed attempts in a row; -1: the next end was announced and is not a failure. */
  let attempts = 0;
  /**
   * Why there is no connection, or the last error of the server, which explains a close that
   * follows.
   */
  let error: ParleyClientError | null = null;
  /** The server does not want a connection before this time (ms since 1970). */
  let notBefore = 0;
  /** When the server sent its last message, by its own clock; NaN where messages have no time. */
  let sentAt = NaN;
  /** The attempt began without a network. */
  let beganOffline = false;
  const timers: Record<string, ReturnType<typeof setTimeout>> = {};

  function debug(...words: unknown[]) {
    parts.debug?.(words.join(" ").trim());
  }
  function setPhase(next: Phase) {
    phase = next;
    const named = parts.stateOf(next);
    if (named === state) return;
    debug(state, "→", named);
    state = named;
    parts.state(named);
  }
  function later(name: "deadline" | "next" | "renew", ms: number, fn: () => unknown) {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(fn, Math.min(ms, MAX_TIMER_MS));
  }
  /** Ends the current attempt or connection; its later events are ignored. */
  function drop() {
    run++;
    for (const name in timers) clearTimeout(timers[name]);
    heartbeat?.stop();
    heartbeat = undefined;
    // Not awaited: with a dead peer the close would take a browser minutes.
    socket?.close(1000);
    socket = null;
  }

  function attempt(next: Phase = "reconnecting") {
    drop();
    const mine = run;
    error = null;
    beganOffline = !hasNetwork();
    later("deadline", parts.connectTimeoutMs, () => lost(0, "Connection timeout", "timeout"));
    setPhase(next);
    if (mine !== run) return;
    void withCredentials((credentials) => {
      const opened = socket = parts.open();
      opened.onopen = () => mine === run && parts.opened(credentials);
      opened.onmessage = ({ data }) => mine === run && receive(String(data));
      opened.onclose = ({ code, reason }) => mine === run && lost(code || 1006, reason);
      // A close follows every error; without a handler some runtimes treat the event as unhandled.
      opened.onerror = () => {};
    });
  }

  async function withCredentials(fn: (credentials: Credentials) => void) {
    const mine = run;
    try {
      const credentials = await parts.credentials();
      if (mine === run) fn(credentials);
    } catch (reason) {
      if (mine !== run) return;
      error = toClientError(reason, "credentials");
      if (isFinal(reason)) over("failed", error);
      else lost(0, error.message);
    }
  }

  function receive(frame: string) {
    const mine = run;
    heartbeat?.received();
    for (const text of parts.split(frame)) {
      const message = parse(text);
      if (message === null) {
        debug("not a message:", text.length);
        continue;
      }
      debug("←", message.type, message.id);
      sentAt = Date.parse(message.timestamp as string);
      parts.message(message as Message);
      if (mine !== run) return;
    }
  }

  /** An attempt or a connection is over; decides whether another attempt follows. */
  function lost(code: number, reason: string, kind: ClientErrorCode = "disconnected") {
    debug("lost:", code, reason);
    if (code === RATE_LIMITED) stayAway(error?.retryAfter ?? RATE_LIMIT_PAUSE_MS);
    let cause = error ?? new ParleyClientError(kind, reason || `Connection lost: code ${code}`);
    let next = parts.afterClose(code);
    if (next === "waiting" && ++attempts > parts.maxAttempts) {
      next = "failed";
      const sentence = `Cannot connect: ${attempts} attempts failed`;
      cause = new ParleyClientError("too_many_attempts", sentence, { cause });
    }
    over(next, cause, code, reason);
  }

  function over(
    next: Outcome,
    cause = new ParleyClientError("closed", "Cannot go on: the client was closed"),
    code = 1000,
    reason = "",
  ) {
    drop();
    error = next === "closed" ? null : cause;
    if (next === "waiting") {
      const backoff = attempts && (parts.backoffMs ?? backoffDelay)(attempts - 1, parts);
      const wait = Math.max(backoff, notBefore - Date.now());
      debug("next attempt in", wait, "ms");
      later("next", wait, attempt);
    } else {
      unlisten?.();
      unlisten = null;
      connected?.reject(cause);
      connected = null;
    }
    const notify = parts.lost(next, cause, code, reason);
    setPhase(next);
    notify();
  }

  function stayAway(ms: number) {
    notBefore = Date.now() + ms;
  }

  function offline() {
    // Without a network the socket would seem alive for minutes.
    if (phase === "waiting") setPhase(phase);
    else lost(0, "no network");
  }
  function resume() {
    if (phase === "connected") return heartbeat?.check(RESUME_DEADLINE_MS);
    // An attempt that is under way continues, unless it began without a network.
    if (phase !== "waiting" && !beganOffline) return;
    attempts = 0;
    tryNow();
  }
  function tryNow() {
    if (Date.now() >= notBefore) attempt();
    else setPhase(phase);
  }

  function connect(): Promise<void> {
    const { promise } = connected ??= Promise.withResolvers<void>();
    promise.catch(() => {});
    if (unlisten === null) {
      unlisten = listenToNetworkEvents(offline, resume);
      attempts = notBefore = 0;
      attempt("connecting");
    }
    return promise;
  }

  return {
    get state() {
      return state;
    },
    /** Why there is no connection, or the last error of the server; null while connected. */
    get error() {
      return error;
    },
    debug,
    send(message: Named, text = JSON.stringify(message)) {
      debug("→", message.type, message.id);
      if (socket?.readyState === 1) socket.send(text);
    },

    /**
     * Authenticated. `silenceMs` without a frame lead to a ping, as many again to a new connection.
     */
    authenticated(silenceMs: number) {
      error = null;
      if (phase === "connected" || socket === null) return;
      heartbeat = createHeartbeat(silenceMs, parts.ping, () => lost(0, "silence"));
      later("deadline", parts.minUptimeMs, () => attempts = 0);
      connected?.resolve();
      setPhase("connected");
    },
    /** The server cannot check the credentials now: they are sent again on the same connection. */
    authenticateAgain(ms = REPEAT_MS) {
      later("next", ms, () => withCredentials(parts.authenticate));
    },
    /** Calls `renew` some time before a token expires, while the connection lasts. */
    renewBefore(expiresAt: string, renew: () => Promise<unknown>) {
      // The device's clock may be wrong.
      const left = Date.parse(expiresAt) - (sentAt || Date.now());
      later("renew", Math.max(left - RENEW_AHEAD_MS, left / 2, 1_000), () => {
        renew().catch((error) => debug("refresh failed:", toClientError(error).code));
      });
    },
    /** The server refuses the whole connection. This is the reason for a close that follows. */
    refused(refusal: ParleyClientError) {
      error = refusal;
      debug("error:", error.code, error.message);
      // For a token it is the time that is left.
      if (error.retryAfter && error.code !== "token_expired") stayAway(error.retryAfter);
    },
    /** The server will close the connection after this time, and wants the client to reconnect. */
    closesIn(ms: number) {
      // The server spreads its clients itself. If it announces again and again, the backoff
      // applies.
      attempts ||= -1;
      stayAway(ms);
      later("deadline", ms, () => lost(0, "as announced"));
    },
    /** A command on this connection got no answer: the connection counts as lost. */
    giveUp(reason: string) {
      if (socket !== null) lost(0, reason);
    },
    /** Ends everything, until `connect` is called again. */
    end: over as (outcome: "failed" | "closed", cause?: ParleyClientError) => void,

    /** Resolves when connected, or by `resolve`; rejects when the client ends. */
    connect,
    /** Resolves `connect` before there is a connection. */
    resolve: () => connected?.resolve(),
    /** Cuts a wait short, unless the server wants this client to stay away. */
    hurry: () => phase === "waiting" && tryNow(),
    /** Connects at once, even if the server wants it to stay away; a connection is checked. */
    reconnectNow() {
      notBefore = 0;
      if (unlisten === null) void connect();
      else resume();
    },
  };
}

/** The result of a close code, see protocol/close_codes.ts. */
export function afterClose(code: number): Outcome {
  if (code === 1000) return "closed";
  return shouldReconnect(code) ? "waiting" : "failed";
}

/** Whether an error of `credentials` says that there will be no better ones. */
export function isFinal(reason: unknown): boolean {
  return (reason as { final?: unknown } | null)?.final === true;
}

/** A JSON object with a `type`; null for everything else. */
function parse(text: string): Named | null {
  try {
    const message = JSON.parse(text);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
