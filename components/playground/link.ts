import { backoffDelay } from "../../client/backoff.ts";
import type { End } from "./dialect.ts";

/**
 * - `idle`: not asked to connect
 * - `waiting`: lost, and tried again after `ms`
 * - `offline`: by choice, or (`network`) because the device has none
 * - `failed`: the server does not want it back as it is
 */
export type LinkState =
  | { name: "idle" }
  | { name: "connecting" }
  | { name: "connected" }
  | { name: "waiting"; ms: number; why: string }
  | { name: "offline"; network: boolean }
  | { name: "failed"; why: string };

export interface LinkOptions {
  /** Starts one attempt; `ready` and `ended` are for that attempt alone. */
  open(attempt: { ready(): void; ended(end: End): void }): { close(): void };
  state(state: LinkState): void;
  delays?: { minDelayMs: number; maxDelayMs: number };
}

/** Quicker than a client in the field: whoever looks at this page waits for it. */
const DELAYS = { minDelayMs: 500, maxDelayMs: 15_000 };

export type Link = ReturnType<typeof createLink>;

/** Keeps one connection alive for as long as it is wanted. */
export function createLink(options: LinkOptions) {
  let current: { close(): void } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  /** Numbers the attempts, so that an older one has no say any more. */
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

  function ended({ why, again, waitMs }: End) {
    current = null;
    run++;
    if (!again) return setState({ name: "failed", why });
    const ms = waitMs ?? backoffDelay(attempts++, options.delays ?? DELAYS);
    setState({ name: "waiting", ms, why });
    timer = setTimeout(attempt, ms);
  }

  return {
    /** Also tries at once where it waits. */
    connect() {
      if (state.name === "connected" || state.name === "connecting") return;
      attempts = 0;
      attempt();
    },
    /** As if the network were gone, until `comeBack`. */
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
