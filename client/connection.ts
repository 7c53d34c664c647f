import type { Acks, ServerMessage, Welcome } from "../protocol/native.ts";
import { shouldReconnect } from "../protocol/close_codes.ts";
import { backoffDelay } from "./backoff.ts";
import { ParleyClientError, toClientError } from "./errors.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { createRateBucket } from "./rate_bucket.ts";
import { openSocket, type Socket, socketUrl } from "./socket.ts";
import type { ConnectionState, Settings } from "./types.ts";
import { hasNetwork, listenForWake } from "./wake.ts";

/** Milliseconds that a connection has to prove itself alive after the device woke up. */
const WAKE_DEADLINE_MS = 3_000;
/** CLOSE.rateLimited, without the table around it, and the milliseconds to stay away where none are named. */
const RATE_LIMITED = 1008;
const RATE_LIMIT_PAUSE_MS = 60_000;
/** Milliseconds before credentials are sent again, where the server names no time. */
const AGAIN_MS = 1_000;

export interface ConnectionHandlers {
  state(state: ConnectionState): void;
  /** Before the state becomes `connected`. */
  authenticated(identity: Acks["auth"]): void;
  /** Everything else that the server says. */
  message(message: ServerMessage): void;
  /** An error that answers no command, or that ends all attempts. */
  error(error: ParleyClientError): void;
  /** The connection is gone, with what was under way on it; for good where `final`. */
  lost(error: ParleyClientError, final: boolean): void;
}

export type Connection = ReturnType<typeof createConnection>;

/** The state machine of one connection that makes itself anew, see `ConnectionState`. */
export function createConnection(options: Settings, handlers: ConnectionHandlers) {
  let state: ConnectionState = "idle";
  let error: ParleyClientError | null = null;
  let welcome: Welcome | null = null;
  let socket: Socket | null = null;
  let heartbeat: Heartbeat | undefined;
  let connected: PromiseWithResolvers<void> | null = null;
  let unlisten = () => {};
  /** Numbers the attempts, so that whatever an older one still has to say is ignored. */
  let run = 0;
  let attempts = 0;
  /** Before this time (ms since 1970) the server does not want to see this client. */
  let notBefore = 0;
  const timers: Record<string, ReturnType<typeof setTimeout>> = {};
  const buckets = {
    commands: createRateBucket(),
    typing: createRateBucket(),
    edit: createRateBucket(),
    cursor: createRateBucket(),
  };
  const bucket = (type: string) => buckets[type as keyof typeof buckets] ?? buckets.commands;

  function debug(line: string) {
    options.debug?.(line);
  }
  function trace(arrow: string, type: string, id: unknown) {
    debug(`${arrow} ${type}${id === undefined ? "" : ` ${id}`}`);
  }
  function setState(next: ConnectionState) {
    if (state === next) return;
    debug(`${state} → ${next}`);
    state = next;
    handlers.state(next);
  }
  function setTimer(name: "connect" | "retry" | "uptime", ms: number, fn: () => void) {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(fn, ms);
  }
  /** Ends the attempt or connection that is; nothing of it is heard any more. */
  function drop() {
    run++;
    for (const name in timers) clearTimeout(timers[name]);
    heartbeat?.stop();
    socket?.abandon();
    socket = null;
  }

  async function attempt(first?: ConnectionState) {
    drop();
    const mine = run;
    error = null;
    notBefore = 0;
    setState(first ?? (hasNetwork() ? "reconnecting" : "offline"));
    setTimer("connect", options.connectTimeoutMs, () => lost(mine, 0, "the attempt took too long"));
    try {
      const credentials = await options.credentials();
      if (mine !== run) return;
      socket = openSocket(options.WebSocket ?? WebSocket, socketUrl(options.url), {
        message: (message) => mine === run && receive(message, credentials),
        closed: (code, reason) => lost(mine, code, reason),
        garbage: (line) => debug(`not a message: ${line.length} characters`),
      });
    } catch (reason) {
      if (mine !== run) return;
      error = toClientError(reason, "credentials");
      if ((reason as { final?: unknown } | null)?.final === true) end("failed", error);
      else lost(mine, 0, error.message);
    }
  }

  /** An attempt or a connection is over; decides whether and when the next one comes. */
  function lost(mine: number, code: number, reason: string) {
    if (mine !== run) return;
    drop();
    debug(`lost: ${code} ${reason}`);
    const cause = error ??
      new ParleyClientError("disconnected", reason || `Connection lost: code ${code}`);
    if (!shouldReconnect(code)) return end(code === 1000 ? "closed" : "failed", cause);
    if (++attempts > options.maxAttempts) {
      const sentence = `Cannot connect: ${attempts} attempts failed`;
      return end("failed", new ParleyClientError("too_many_attempts", sentence, { cause }));
    }
    handlers.lost(
      new ParleyClientError("disconnected", "Cannot tell the outcome: the connection was lost"),
      false,
    );
    if (code === RATE_LIMITED) {
      const named = cause.code === "rate_limited" ? cause.retryAfter : undefined;
      notBefore = Date.now() + (named ?? RATE_LIMIT_PAUSE_MS);
    }
    setState(hasNetwork() ? "reconnecting" : "offline");
    // A time that the server named is the only wait; it spreads its clients itself.
    const wait = notBefore > 0
      ? Math.max(0, notBefore - Date.now())
      : backoffDelay(attempts - 1, options);
    debug(`next attempt in ${wait} ms`);
    setTimer("retry", wait, attempt);
  }

  function end(last: "failed" | "closed", reason: ParleyClientError) {
    drop();
    unlisten();
    error = last === "failed" ? reason : null;
    setState(last);
    handlers.lost(reason, true);
    connected?.reject(reason);
    if (error) handlers.error(error);
  }

  function offline() {
    // Without the network the socket would look alive for minutes.
    if (socket !== null) lost(run, 0, "the device has no network");
    else setState("offline");
  }
  function wake() {
    if (state === "connected") return heartbeat?.check(WAKE_DEADLINE_MS);
    // An attempt under way is left alone, unless it began without a network.
    if (state !== "offline" && (state !== "reconnecting" || socket !== null)) return;
    attempts = 0;
    if (Date.now() >= notBefore) attempt();
  }

  function receive(message: ServerMessage, credentials: object) {
    heartbeat?.heard();
    const { type, id } = message as { type: string; id?: string };
    trace("←", type, id);
    if (message.type === "welcome") {
      welcome = message.data;
      buckets.commands.fill(welcome.limits.messagesPerMinute);
      buckets.typing.fill(welcome.limits.typingPerMinute);
      buckets.edit.fill(welcome.limits.editsPerMinute);
      buckets.cursor.fill(welcome.limits.cursorsPerMinute);
      transmit("auth", credentials, "auth");
    } else if (message.type === "ack" && id === "auth") {
      return authenticated(message.data as Acks["auth"]);
    } else if (message.type === "error" && (id === undefined || id === "auth")) {
      // What is said before a close is the reason for it.
      error = new ParleyClientError(message.data.code, message.error, message.data);
      debug(`error: ${error.code} ${error.message}`);
      if (id === undefined) return handlers.error(error);
      // What the server needs will be there again: the same on the same connection.
      if (error.code === "unavailable") {
        const mine = run;
        return setTimer("retry", error.retryAfter ?? AGAIN_MS, () => void sayAgain(mine));
      }
      // The close that follows says whether to come back; where none comes, the timeout does.
      if (error.retryAfter) notBefore = Date.now() + error.retryAfter;
      return;
    } else if (message.type === "reconnect") {
      const mine = run;
      const { retryAfter } = message.data;
      notBefore = Date.now() + retryAfter;
      setTimer("retry", retryAfter, () => lost(mine, 0, "as announced"));
    }
    handlers.message(message);
    // The server measures how long it took until all before it was handled here.
    if (message.type === "heartbeat" && message.data.echo) {
      transmit("ping", { echo: message.data.echo });
    }
  }

  async function sayAgain(mine: number) {
    try {
      const credentials = await options.credentials();
      if (mine === run) transmit("auth", credentials, "auth");
    } catch (reason) {
      lost(mine, 0, toClientError(reason, "credentials").message);
    }
  }

  function authenticated(identity: Acks["auth"]) {
    const mine = run;
    clearTimeout(timers.connect);
    clearTimeout(timers.retry);
    notBefore = 0;
    error = null;
    heartbeat?.stop();
    heartbeat = createHeartbeat(
      welcome!.heartbeatMs,
      () => transmit("ping"),
      () => lost(mine, 0, "nothing was heard"),
    );
    setTimer("uptime", options.minUptimeMs, () => attempts = 0);
    handlers.authenticated(identity);
    setState("connected");
    connected?.resolve();
  }

  function transmit(type: string, data?: unknown, id?: number | string) {
    const text = JSON.stringify({ type, id, timestamp: new Date().toISOString(), data });
    const limit = welcome!.limits.messageBytes;
    // Checked here because the server ends the connection over it, and the outbox would send it again.
    if (text.length * 3 > limit && new TextEncoder().encode(text).length > limit) {
      throw new ParleyClientError(
        "too_large",
        `Cannot send "${type}": it is larger than ${limit} bytes`,
        { limit: "messageBytes" },
      );
    }
    bucket(type).take();
    trace("→", type, id);
    socket?.send(text);
  }

  return {
    get state() {
      return state;
    },
    get error() {
      return error;
    },
    get welcome() {
      return welcome;
    },
    debug,
    transmit,
    waitMs: (type: string) => bucket(type).waitMs(),
    /** Whatever is under way on this connection got no answer: it is none. */
    giveUp: (reason: string) => lost(run, 0, reason),
    close() {
      end("closed", new ParleyClientError("closed", "Cannot go on: the client was closed"));
    },

    /** See `ParleyCore.connect`. */
    connect(): Promise<void> {
      if (connected === null || state === "failed" || state === "closed") {
        connected = Promise.withResolvers<void>();
        connected.promise.catch(() => {});
        unlisten();
        unlisten = listenForWake(offline, wake);
        attempts = 0;
        attempt("connecting");
      }
      return connected.promise;
    },
    reconnectNow() {
      notBefore = 0;
      if (state === "idle" || state === "failed" || state === "closed") this.connect();
      else wake();
    },
  };
}
