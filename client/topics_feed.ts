import type { ConversationEvent } from "../protocol/topics.ts";

interface Place {
  /** "" until the first answer names it, for a feed that began at `START`. */
  epoch: string;
  /** The last known event of the log, and the last receipt after it; undefined: no receipt yet. */
  seq: number;
  number: number | undefined;
}

/** The position before everything, as in protocol/topics.ts. */
const START = "0";

export type Feed = ReturnType<typeof createFeed>;

/**
 * The events of one conversation, from a socket and from pages, each once. A live event has to be
 * the next one; a page or a replay omits what this reader may not see, and older receipts.
 */
export function createFeed(conversationID: string, deliver: (event: ConversationEvent) => void) {
  let place: Place | null = null;
  /** The socket's events up to this position are a replay. */
  let replay = { seq: 0, number: 0 };

  function parse(text: string): Place {
    if (text === START) return { epoch: "", seq: 0, number: 0 };
    const [, epoch = "", seq, number] = text.split(".");
    return { epoch, seq: Number(seq), number: number === undefined ? undefined : Number(number) };
  }
  /** Whether the position is in the log that is known here. */
  function belongs({ epoch }: Place): boolean {
    if (place === null) return false;
    if (place.epoch === "") place.epoch = epoch;
    return epoch === place.epoch;
  }
  function take(id: string, event: ConversationEvent | null, live: boolean): boolean {
    const at = parse(id);
    if (place === null || !belongs(at)) return false;
    const { seq, number } = at;
    const isReceipt = number !== undefined;
    const [next, known, end] = isReceipt
      ? [number, place.number, replay.number]
      : [seq, place.seq, replay.seq];
    if (known !== undefined) {
      if (next <= known) return true;
      if (live && next !== known + 1 && next > end) return false;
    }
    // A receipt comes after its event.
    if (live && isReceipt && seq > place.seq) return false;
    place[isReceipt ? "number" : "seq"] = next;
    if (event !== null) deliver(event);
    return true;
  }

  return {
    /** The position to continue from; undefined while nothing is known. */
    get after(): string | undefined {
      if (place === null) return undefined;
      if (place.epoch === "" && place.seq === 0) return START;
      const { epoch, seq, number } = place;
      return `${conversationID}.${epoch}.${seq}${number === undefined ? "" : `.${number}`}`;
    },
    /** Continues from this position, whatever was known before. */
    begin(position: string) {
      place = parse(position);
    },
    /** The socket answered: a replay up to this position follows, unless it was too long. */
    subscribed(position: string, reset: boolean) {
      replay = { seq: 0, number: 0 };
      if (reset) return;
      const at = parse(position);
      place ??= at;
      replay = { seq: at.seq, number: at.number ?? 0 };
    },
    /**
     * One event of the socket, or the position of a hidden one. False: an event before it is
     * missing.
     */
    live: (id: string, event: ConversationEvent | null = null): boolean => take(id, event, true),
    /** A page that begins at `after`. */
    page(items: readonly ConversationEvent[], nextCursor: string) {
      for (const event of items) take(event.id, event, false);
      const at = parse(nextCursor);
      place ??= at;
      if (!belongs(at)) return;
      place.seq = Math.max(place.seq, at.seq);
      if (at.number !== undefined) place.number = Math.max(place.number ?? 0, at.number);
    },
    /** Whether an event before this position of a heartbeat is missing. */
    isBehind(position: string): boolean {
      const at = parse(position);
      return place !== null && (!belongs(at) || at.seq > place.seq);
    },
  };
}
