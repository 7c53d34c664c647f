import { backoffDelay } from "../../client/backoff.ts";
import type { ConnectionEnd } from "./adapter.ts";

/**
 * - `idle`: not connected, and no connection is wanted
 * - `waiting`: the connection was lost; the next attempt comes after `ms`
 * - `offline`: by choice, or (`network`) because the device has no network
 * - `failed`: the server refuses another attempt
 */
export type LinkState =
  | { name: "idle" }
  | { name: "connecting" }
  | { name: "connected" }
  | { name: "waiting"; ms: number; why: string }
  | { name: "offline"; network: boolean }
  | { name: "failed"; why: string };

export interface LinkOptions {
  /** Starts one attempt. `ready` and `ended` belong to that attempt only. */
  open(attempt: { ready(): void; ended(end: ConnectionEnd): void }): { close(): void };
  state(state: LinkState): void;
  delays?: { minDelayMs: number; maxDelayMs: number };
}

/** Shorter than in a real client, because the user of this page waits for it. */
const DELAYS = { minDelayMs: 500, maxDelayMs: 15_000 };

export type Link = ReturnType<typeof createLink>;

/**
 * Keeps one connection alive as long as it is wanted. Not `createReconnecting` of the SDK: that one
 * opens and reads a WebSocket itself, while an adapter here may also use Socket.IO's client or
 * HTTP, and this page has to cut and delay connections by hand.
 */
export function createLink(options: LinkOptions) {
  let current: { close(): void } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  /** Numbers the attempts, so that events of an older one are ignored. */
  let run = 0;
  let state: LinkState = { name: "idle" };

  function setState(next: LinkState) {
    state = next;
    options.state(next);
  }

  function drop() {
    clearTimeout(timer);
    run++;
    const ended = current;
    current = null;
    ended?.close();
  }

  function attempt() {
    drop();
    const mine = run;
    setState({ name: "connecting" });
    const opened = options.open({
      ready() {
        if (mine !== run) return;
        attempts = 0;
        setState({ name: "connected" });
      },
      ended(end) {
        if (mine === run) ended(end);
      },
    });
    if (mine === run) current = opened;
    else opened.close();
  }

  function ended({ why, again, waitMs }: ConnectionEnd) {
    current = null;
    run++;
    if (!again) return setState({ name: "failed", why });
    const ms = waitMs ?? backoffDelay(attempts++, options.delays ?? DELAYS);
    setState({ name: "waiting", ms, why });
    timer = setTimeout(attempt, ms);
  }

  return {
    /** While it waits, the next attempt begins at once. */
    connect() {
      if (state.name === "connected" || state.name === "connecting") return;
      attempts = 0;
      attempt();
    },
    /** Behaves like a device without a network, until `comeBack`. */
    goOffline(network = false) {
      drop();
      setState({ name: "offline", network });
    },
    comeBack() {
      if (state.name === "offline") attempt();
    },
    close() {
      drop();
      setState({ name: "idle" });
    },
    get state() {
      return state;
    },
  };
}
