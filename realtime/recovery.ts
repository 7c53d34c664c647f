/**
 * Connection state recovery: a client that reconnects in time continues where it was interrupted.
 * Positions in logs are kept of what was sent since the peer last confirmed something, not
 * messages. After an interruption a recorder stays in the connection's rooms and keeps the
 * positions of what is broadcast. A client that resumes gets exactly these entries, read from the
 * log, and then new broadcasts. Where that would not be complete, nothing is recovered.
 */
import type { LoggedEvent } from "../protocol/native.ts";
import type { Principal } from "../domain/principal.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { RecoveryState, type RecoveryStateOptions, type SentPosition } from "./recovery_state.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import type { SocketLike } from "./writer.ts";

export interface RecoveryOptions<P extends SentPosition> extends RecoveryStateOptions<P> {
  hub: Hub;
  wheel: TimerWheel;
  /** Milliseconds within which a client has to reconnect. 0: nothing is recovered. */
  timeoutMs: number;
  /** Milliseconds that a client that reconnected may take until it is authenticated. */
  resumeTimeoutMs: number;
  /** Suspended states that are kept; past it the oldest is ended. */
  maxSuspended: number;
  /** Bytes that a client that resumes is sent at once. */
  maxBytes: number;
  /** The entries of the logs, by "conversationId seq". */
  entries: (principal: Principal, positions: P[]) => Promise<Map<string, LoggedEvent>>;
  /** A connection of that principal without a client, for the hub's rooms. */
  createRecorder: (socket: SocketLike, principal: Principal) => Connection;
  now?: () => number;
}

export interface Recovery<P extends SentPosition> {
  open(id: string, disconnect: () => void): RecoveryState<P>;
  /** The transport of a live connection is lost. Call before the connection is ended. */
  suspend(state: RecoveryState<P>, connection: Connection): void;
  /** What a client missed that reconnects; null if it cannot continue. */
  restore(id: string, offset: string): Promise<Restored<P> | null>;
  /** The new connection is authenticated and takes over. False: it has to be closed. */
  resume(state: RecoveryState<P>, connection: Connection): boolean;
  end(state: RecoveryState<P>): void;
  /** Ends the suspended states of the principals that match. */
  endWhere(matches: (principal: Principal) => boolean): void;
  /** Suspended connections of the visitor follow the conversation that was opened. */
  conversationOpened(contactId: string, conversationId: string): void;
  endAll(): void;
}

export interface Restored<P extends SentPosition> {
  state: RecoveryState<P>;
  missed: { position: P; event: LoggedEvent }[];
}

/** Whether a room delivers entries of logs. */
function isLogRoom(room: string): boolean {
  return room === ROOMS.messages || ROOMS.conversationOf(room) !== null;
}

export function createRecovery<P extends SentPosition>(options: RecoveryOptions<P>): Recovery<P> {
  const { hub, wheel, now = Date.now } = options;
  /** All that have not ended, by id. */
  const states = new Map<string, RecoveryState<P>>();
  /** In the order of their interruption. */
  const suspended = new Set<RecoveryState<P>>();

  function end(state: RecoveryState<P>): void {
    if (state.phase === "ended") return;
    state.phase = "ended";
    state.cancelTimeout();
    state.recorder?.end();
    state.recorder = null;
    state.texts = [];
    suspended.delete(state);
    if (states.get(state.id) === state) states.delete(state.id);
  }

  function startRecorder(state: RecoveryState<P>, principal: Principal): Connection {
    const socket: SocketLike = {
      readyState: 1,
      bufferedAmount: 0,
      close() {},
      send(text) {
        if (state.phase === "suspended") {
          state.textSent(text);
          return;
        }
        state.texts.push(text);
        state.bytes += text.length;
        if (state.bytes > options.maxBytes) end(state);
      },
    };
    const recorder = options.createRecorder(socket, principal);
    recorder.cleanups.push(() => {
      for (const room of [...recorder.rooms]) hub.leave(recorder, room);
    });
    return recorder;
  }

  /** Puts a recorder into the connection's rooms. @returns false: it would not be complete. */
  function record(state: RecoveryState<P>, connection: Connection, principal: Principal): boolean {
    const recorder = startRecorder(state, principal);
    state.principal = principal;
    state.recorder = recorder;
    // Joining flushes a room: what is pending goes to the old connection first, which keeps it.
    for (const room of connection.rooms) if (isLogRoom(room)) hub.join(recorder, room);
    connection.writer.pump();
    // While a conversation is being joined again, its broadcasts are not recorded.
    return !connection.isOver &&
      [...state.following.keys()].every((id) => connection.rooms.has(ROOMS.conversation(id)));
  }

  function endAfter(state: RecoveryState<P>, ms: number): void {
    state.cancelTimeout();
    state.cancelTimeout = wheel.after(ms, () => end(state));
  }

  return {
    end,

    open(id, disconnect) {
      const state = new RecoveryState(id, options, disconnect);
      states.set(id, state);
      return state;
    },

    suspend(state, connection) {
      if (state.phase === "ended") return;
      const principal = state.principal ?? connection.principal;
      // The server has ended it, or it was never authenticated.
      if (connection.isOver || principal === null || options.timeoutMs === 0) return end(state);
      if (state.phase === "live" && !record(state, connection, principal)) return end(state);
      state.phase = "suspended";
      for (const text of state.texts.splice(0)) state.textSent(text);
      state.bytes = 0;
      state.disconnect = () => {};
      suspended.add(state);
      endAfter(state, options.timeoutMs);
      if (suspended.size > options.maxSuspended) end(suspended.values().next().value!);
    },

    async restore(id, offset) {
      const state = states.get(id);
      // Its client noticed the interruption before the server did.
      if (state?.phase === "live") state.disconnect();
      if (state === undefined || hasPhase(state, "ended")) return null;
      const principal = state.principal!;
      const missed = state.after(offset)?.filter(({ isMarker }) => isMarker === undefined);
      const expired = principal.expiresAt !== null && principal.expiresAt <= now();
      const tooMany = (missed?.length ?? Infinity) > options.maxPositions;
      if (hasPhase(state, "resuming") || missed === undefined || tooMany || expired) {
        end(state);
        return null;
      }
      state.phase = "resuming";
      suspended.delete(state);
      endAfter(state, options.resumeTimeoutMs);
      try {
        const entries = await options.entries(principal, missed);
        const events = missed.flatMap((position) => {
          const event = entries.get(`${position.conversationId} ${position.seq}`);
          return event === undefined ? [] : [{ position, event }];
        });
        if (events.length === missed.length && hasPhase(state, "resuming")) {
          return { state, missed: events };
        }
      } catch (error) {
        end(state);
        throw error;
      }
      end(state);
      return null;
    },

    resume(state, connection) {
      const { recorder } = state;
      if (state.phase !== "resuming" || recorder === null) return false;
      state.cancelTimeout();
      // Nothing may be pending between what was recorded and what the connection gets.
      hub.flushAll();
      if (!hasPhase(state, "resuming")) return false;
      state.phase = "live";
      state.principal = null;
      state.recorder = null;
      state.bytes = 0;
      for (const text of state.texts.splice(0)) connection.send(text);
      for (const room of recorder.rooms) hub.join(connection, room);
      recorder.end();
      return true;
    },

    endWhere(matches) {
      for (const state of [...states.values()]) {
        if (state.principal !== null && matches(state.principal)) end(state);
      }
    },

    conversationOpened(contactId, conversationId) {
      for (const { principal, recorder } of states.values()) {
        if (recorder === null || principal?.userId !== contactId) continue;
        if (principal.kind === "visitor") hub.join(recorder, ROOMS.conversation(conversationId));
      }
    },

    endAll() {
      for (const state of [...states.values()]) end(state);
    },
  };
}

/** Compared in a function, because TypeScript does not know that a call may have changed it. */
function hasPhase({ phase }: { phase: string }, expected: string): boolean {
  return phase === expected;
}
