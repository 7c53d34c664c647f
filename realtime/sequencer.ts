/**
 * Between several nodes, two changes of one conversation or document can overtake each other on the way, and a
 * node can die between its commit and its broadcast. The log says what comes next: what is early
 * waits a moment for what is missing, and what does not come is read from the log.
 */
import { isBriefOutage } from "../protocol/errors.ts";
import type { Broadcast, HubEvent } from "./broker.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface SequencerOptions {
  wheel: TimerWheel;
  deliver: (broadcast: Broadcast) => void;
  /** The log behind that room after a position, in order, or a part of it. */
  logAfter: (room: string, seq: number) => Promise<SequencedEntry[]>;
  onError: (error: unknown) => void;
}

/** A change as the log has it. */
export interface SequencedEntry extends Pick<Broadcast, "exceptConnection"> {
  seq: number;
  forAgents: HubEvent;
  forVisitors: HubEvent | null;
}

export interface Sequencer {
  /** Delivers it, or keeps it until what stands before it was delivered. */
  take(broadcast: Broadcast): void;
  /** Whoever joins the room has seen its log up to here. */
  begin(room: string, seq: number): void;
  /** Nobody is in the room any more. */
  end(room: string): void;
}

interface Progress {
  /** Up to here nothing was delivered: it came before the first who joined. */
  floor: number;
  last: number;
  early: Map<number, Broadcast>;
  cancel: (() => void) | null;
  reading: boolean;
}

/** How long something that is early waits before the log is read. */
const WAIT_MS = 150;
/** Early ones of a room at most; past it the log is read at once. */
const MAX_EARLY = 1000;

const LOGGED = new Set(["message", "message_updated", "message_deleted", "conversation_changed"]);

/** The position of a change in its conversation's or document's log; null for everything else. */
export function seqOf({ room, forAgents }: Broadcast): number | null {
  if (forAgents?.type === "edit" && room.startsWith("document:")) return forAgents.data.version;
  if (forAgents === null || !LOGGED.has(forAgents.type) || !room.startsWith("conversation:")) {
    return null;
  }
  return (forAgents.data as { seq: number }).seq;
}

export function createSequencer(options: SequencerOptions): Sequencer {
  const { wheel, deliver, logAfter, onError } = options;
  const rooms = new Map<string, Progress>();

  function begin(room: string, seq: number): Progress {
    const known = rooms.get(room);
    if (known !== undefined) return known;
    const progress = { floor: seq, last: seq, early: new Map(), cancel: null, reading: false };
    rooms.set(room, progress);
    return progress;
  }

  function advance(progress: Progress): void {
    for (;;) {
      const next = progress.early.get(progress.last + 1);
      if (next === undefined) break;
      progress.early.delete(++progress.last);
      deliver(next);
    }
    if (progress.early.size > 0) return;
    progress.cancel?.();
    progress.cancel = null;
  }

  function wait(room: string, progress: Progress): void {
    if (progress.early.size >= MAX_EARLY) void read(room, progress);
    progress.cancel ??= wheel.after(WAIT_MS, () => {
      progress.cancel = null;
      void read(room, progress);
    });
  }

  async function read(room: string, progress: Progress): Promise<void> {
    if (progress.reading) return;
    progress.reading = true;
    try {
      for (;;) {
        const before = progress.last;
        const entries = await logAfter(room, before);
        if (rooms.get(room) !== progress) return;
        for (const { seq, ...entry } of entries) {
          if (seq !== progress.last + 1) continue;
          progress.early.delete(seq);
          progress.last = seq;
          deliver({ room, ...entry });
        }
        advance(progress);
        if (progress.early.size === 0 || progress.last === before) break;
      }
    } catch (error) {
      onError(error);
      if (isBriefOutage(error) && progress.early.size < MAX_EARLY && rooms.get(room) === progress) {
        // It is read again: what waits for it is not late before its database is there.
        progress.reading = false;
        return wait(room, progress);
      }
    } finally {
      progress.reading = false;
    }
    if (rooms.get(room) === progress) giveUp(progress);
  }

  /** The log could not be read: the clients see the gap, and ask for what is missing. */
  function giveUp(progress: Progress): void {
    if (progress.early.size === 0) return;
    progress.last = Math.min(...progress.early.keys()) - 1;
    progress.floor = progress.last;
    advance(progress);
    if (progress.early.size > 0) giveUp(progress);
  }

  return {
    take(broadcast) {
      const seq = seqOf(broadcast);
      if (seq === null) return deliver(broadcast);
      const { room } = broadcast;
      const progress = begin(room, seq - 1);
      if (seq <= progress.last) {
        // Late, after all who are here came; what was delivered in between is not delivered again.
        if (seq <= progress.floor) deliver(broadcast);
        return;
      }
      progress.early.set(seq, broadcast);
      advance(progress);
      if (progress.early.size > 0) wait(room, progress);
    },
    begin: (room, seq) => void begin(room, seq),
    end(room) {
      rooms.get(room)?.cancel?.();
      rooms.delete(room);
    },
  };
}
