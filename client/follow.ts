import type { DurableEvents, DurableType, JoinResult } from "../protocol/native.ts";
import { protect } from "./emitter.ts";
import { type ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";
import type { ServerEvent } from "./types.ts";

type Durable = { [T in DurableType]: { type: T; data: DurableEvents[T] } }[DurableType];

const DURABLE = ["message", "message_updated", "message_deleted", "conversation_changed", "hidden"];
/** Events that wait for a join. Past this number only the join's answer counts. */
const MAX_BUFFER = 1_000;
/** Milliseconds before a join is tried again, where the error is not about the conversation. */
const REJOIN_MS = 3_000;
/** Milliseconds that an event may arrive after a heartbeat that names its position. */
const POSITION_GRACE_MS = 2_000;

export interface FollowHandlers {
  /** The next durable event, each seq once and in order. */
  event<T extends DurableType>(type: T, data: DurableEvents[T]): void;
  /** Joined: after the missed events, or, with `answer.snapshot`, in place of them. */
  joined(answer: JoinResult): void;
  /** The conversation cannot be followed. The position is kept, and `start` tries again. */
  failed(error: ParleyClientError): void;
}

export type Follower = ReturnType<typeof createFollower>;

/**
 * The log of one conversation, in order and without gaps. It joins, and joins again from the last
 * (epoch, seq) after each reconnection and after each gap. A gap shows in `seq` or, in a quiet
 * room, in the position that a heartbeat names.
 */
export function createFollower(client: ParleyCore, conversationId: string, on: FollowHandlers) {
  let epoch: string | undefined;
  let seq = 0;
  let early: Durable[] = [];
  let joining = false;
  let ends: (() => void)[] = [];
  /** Numbers the starts and stops, so that the answer to an older join is ignored. */
  let run = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** At most one timer runs. Each ends in a join, if one is still needed then. */
  function later(ms: number, fn: () => void) {
    timer ??= setTimeout(() => {
      timer = undefined;
      fn();
    }, ms);
  }
  function forget() {
    clearTimeout(timer);
    timer = undefined;
    // Events that arrived early on this connection are part of the next join's answer.
    early = [];
  }
  function apply({ type, data }: Durable) {
    if (data.seq <= seq) return;
    seq = data.seq;
    protect(() => on.event(type, data));
  }
  function receive(event: Durable) {
    if (joining || event.data.seq > seq + 1) {
      if (early.length < MAX_BUFFER) early.push(event);
      join();
    } else apply(event);
  }
  function onEvent(event: ServerEvent) {
    if (event.type === "heartbeat") {
      const position = event.data.positions[conversationId] ?? 0;
      if (position > seq) later(POSITION_GRACE_MS, () => position > seq && join());
    } else if (DURABLE.includes(event.type)) {
      const durable = event as Durable;
      if (durable.data.conversationId === conversationId) receive(durable);
    }
  }

  async function join() {
    if (joining || ends.length === 0 || client.state !== "connected") return;
    joining = true;
    const mine = run;
    const position = epoch === undefined ? {} : { epoch, seq };
    try {
      const answer = await client.request("join", { conversationId, ...position });
      if (mine === run) joined(answer);
    } catch (reason) {
      if (mine === run) refused(toClientError(reason));
    }
  }
  function joined(answer: JoinResult) {
    epoch = answer.epoch;
    if (answer.snapshot === null) answer.events.forEach(apply);
    seq = answer.seq;
    protect(() => on.joined(answer));
    joining = false;
    const waiting = early.sort((a, b) => a.data.seq - b.data.seq);
    early = [];
    waiting.forEach(receive);
  }
  function refused(error: ParleyClientError) {
    joining = false;
    // After a lost connection it joins again anyway.
    if (error.code === "disconnected" || error.code === "closed") return;
    if (!PASSING.includes(error.code)) return protect(() => on.failed(error));
    if (error.code === "timeout") client.reconnectNow();
    // After a refused join the room is left: the retry replaces a wait for a heartbeat.
    clearTimeout(timer);
    timer = undefined;
    later(error.retryAfter ?? REJOIN_MS, join);
  }

  return {
    /** The last event that was applied. */
    get seq() {
      return seq;
    },
    /** Sets a position that is known from elsewhere; the next join asks for what came after it. */
    seek(knownEpoch: string, knownSeq: number) {
      epoch = knownEpoch;
      seq = knownSeq;
    },
    start() {
      ends = [
        client.on("event", onEvent),
        client.on("state", () => {
          forget();
          join();
        }),
      ];
      join();
    },
    /** Leaves; the position is kept for the next `start`. */
    stop() {
      run++;
      forget();
      for (const end of ends) end();
      ends = [];
      joining = false;
      if (client.state !== "connected") return;
      client.request("leave", { conversationId }).catch(() => {});
    },
  };
}
