import { computed, signal } from "@preact/signals";
import type { Person, Side, TestMessage } from "./adapter.ts";
import { type Direction, type Frame, type FrameKind, withFrame } from "./frames.ts";
import { type Latency, NO_LATENCY } from "./latency.ts";
import { type Line, withMessage } from "./thread.ts";

/** Milliseconds after which typing ends if no event ends it. */
const TYPING_STALE_MS = 6_000;

/** What one side of the test page shows, and how the events of a connection change it. */
export function createSideState(side: Side) {
  const lines = signal<Line[]>([]);
  const frames = signal<Frame[]>([]);
  const people = signal<Person[]>([]);
  const typist = signal<string | null>(null);
  const problem = signal<string | null>(null);
  const latency = signal<Latency>(NO_LATENCY);
  /** How far the other side received and read. */
  const delivered = signal(0);
  const read = signal(0);
  const markedRead = signal(0);
  const missed = signal(0);
  let typingTimer: ReturnType<typeof setTimeout> | undefined;

  function stopTyping() {
    clearTimeout(typingTimer);
    typist.value = null;
  }

  return {
    lines,
    frames,
    people,
    typist,
    problem,
    latency,
    delivered,
    read,
    markedRead,
    missed,
    lastOfOthers: computed(() =>
      lines.value.findLast((line) => line.from !== side && line.seq !== null)?.seq ?? 0
    ),
    onFrame(direction: Direction, text: string, kind: FrameKind = "json") {
      frames.value = withFrame(frames.value, { direction, text, kind, at: Date.now() });
    },
    /** @returns whether it is a new message of somebody else, received while it was written */
    onMessage(message: TestMessage, late: boolean): boolean {
      const before = lines.value;
      lines.value = withMessage(before, message, late);
      if (message.from === side || lines.value === before) return false;
      // An author has read everything before their message; the server sends no event for that.
      if (message.from !== "other") read.value = Math.max(read.value, message.seq);
      if (late) missed.value++;
      stopTyping();
      return !late;
    },
    onTyping(userName: string, isTyping: boolean) {
      stopTyping();
      if (!isTyping) return;
      typist.value = userName;
      typingTimer = setTimeout(stopTyping, TYPING_STALE_MS);
    },
    onPointer(seq: number, status: "delivered" | "read") {
      const pointer = status === "read" ? read : delivered;
      pointer.value = Math.max(pointer.value, seq);
    },
    onPerson(person: Person) {
      const rest = people.value.filter(({ userId }) => userId !== person.userId);
      const known = people.value.find(({ userId }) => userId === person.userId);
      const userName = person.userName ?? known?.userName ?? null;
      people.value = [...rest, { ...person, userName }];
    },
    /** The connection is gone, and with it all that was known through it. */
    onEnded() {
      people.value = [];
      stopTyping();
    },
    reset() {
      lines.value = [];
      latency.value = NO_LATENCY;
      problem.value = null;
      delivered.value =
        read.value =
        markedRead.value =
        missed.value =
          0;
    },
  };
}
