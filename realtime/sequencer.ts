/**
 * Delivers the changes of a conversation or document in the order of its log. Between several nodes
 * two changes can overtake each other, and a node can die between its commit and its broadcast. A
 * change that is early waits a moment for those before it; what does not arrive is read from the
 * log.
 */
import { isBriefOutage } from "../protocol/errors.ts";
import type { Broadcast, HubEvent } from "./broker.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface SequencerOptions {
  wheel: TimerWheel;
  deliver: (broadcast: Broadcast) => void;
  /** The log of that room after a position, in order, or a first part of it. */
  logAfter: (room: string, seq: number) => Promise<SequencedEntry[]>;
  onError: (error: unknown) => void;
}

/** A change, read from the log. */
export interface SequencedEntry extends Pick<Broadcast, "exceptConnection"> {
  seq: number;
  forAgents: HubEvent;
  forVisitors: HubEvent | null;
}

export interface Sequencer {
  /** Delivers it, or keeps it until those before it were delivered. */
  receive(broadcast: Broadcast): void;
  /** A member that joins the room has read its log up to here. */
  begin(room: string, seq: number): void;
  /** The room has no members any more. */
  end(room: string): void;
}

interface Progress {
  /** Changes up to here were not delivered: they are older than the first member's state. */
  floor: number;
  last: number;
  early: Map<number, Broadcast>;
  cancel: (() => void) | null;
  reading: boolean;
}

/** How long an early change waits before the log is read. */
const WAIT_MS = 150;
/** Early changes of a room; past it the log is read at once. */
const MAX_EARLY = 1000;

const LOGGED = new Set(["message", "message_updated", "message_deleted", "conversation_changed"]);

/** The position of a change in its conversation's or document's log; null for other broadcasts. */
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
        // It is read again: nothing is given up while the database cannot be reached.
        progress.reading = false;
        return wait(room, progress);
      }
    } finally {
      progress.reading = false;
    }
    if (rooms.get(room) === progress) giveUp(progress);
  }

  /** The log could not be read: clients notice the gap, and request what is missing. */
  function giveUp(progress: Progress): void {
    if (progress.early.size === 0) return;
    progress.last = Math.min(...progress.early.keys()) - 1;
    progress.floor = progress.last;
    advance(progress);
    if (progress.early.size > 0) giveUp(progress);
  }

  return {
    receive(broadcast) {
      const seq = seqOf(broadcast);
      if (seq === null) return deliver(broadcast);
      const { room } = broadcast;
      const progress = begin(room, seq - 1);
      if (seq <= progress.last) {
        // Late. It was delivered already, unless it is older than the first member's state.
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
