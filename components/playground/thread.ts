/** The messages of one side of the test page, as lines of a thread. */
import type { TestMessage } from "./adapter.ts";

export interface Line {
  key: string;
  /** Null until the server has stored it. */
  seq: number | null;
  from: TestMessage["from"];
  userName: string;
  content: string;
  /** ISO 8601; for a pending message by this device's clock. */
  createdAt: string;
  clientMessageId: string | null;
  state: "sending" | "failed" | "stored";
  /** Why it failed, as a sentence. */
  error: string | null;
  /** It was written while this side was away. */
  missed: boolean;
}

const MAX_LINES = 200;

/** Stored lines by `seq`, then pending ones in the order of writing. */
function inOrder(lines: Line[]): Line[] {
  return lines.toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0).slice(-MAX_LINES);
}

/** Adds a message that was just written here. */
export function withPending(
  lines: readonly Line[],
  written: Pick<Line, "from" | "content" | "createdAt"> & { clientMessageId: string },
): Line[] {
  return inOrder([...lines, {
    ...written,
    key: written.clientMessageId,
    seq: null,
    userName: "",
    state: "sending",
    error: null,
    missed: false,
  }]);
}

/**
 * Adds a message from the server. A side's own messages come back, too; where a protocol does not
 * repeat the sender's id, they are matched by their text, oldest first. Returns the same lines
 * where the message is known already.
 */
export function withMessage(
  lines: Line[],
  message: TestMessage,
  missed: boolean,
): Line[] {
  if (lines.some(({ seq }) => seq === message.seq)) return lines;
  const waiting = (line: Line) => line.seq === null && line.from === message.from;
  const own =
    lines.find((line) => waiting(line) && line.clientMessageId === message.clientMessageId) ??
      (message.clientMessageId === null
        ? lines.find((line) => waiting(line) && line.content === message.content)
        : undefined);
  const { seq, from, userName, content, createdAt, clientMessageId } = message;
  const line: Line = {
    key: own?.key ?? `seq-${seq}`,
    seq,
    from,
    userName,
    content,
    createdAt,
    clientMessageId: own?.clientMessageId ?? clientMessageId,
    state: "stored",
    error: null,
    missed: missed && own === undefined,
  };
  return inOrder([...lines.filter((one) => one !== own), line]);
}

/** Applies the acknowledgement of the server. */
export function withStored(lines: readonly Line[], clientMessageId: string, seq: number): Line[] {
  // The message itself may have arrived before.
  const known = lines.some((line) => line.seq === seq);
  return inOrder(lines.flatMap((line): Line[] => {
    if (line.clientMessageId !== clientMessageId || line.seq !== null) return [line];
    return known ? [] : [{ ...line, seq, state: "stored", error: null }];
  }));
}

/** Applies a refusal of the server, or (`sending`) another try. */
export function withState(
  lines: readonly Line[],
  clientMessageId: string,
  state: "sending" | "failed",
  error: string | null,
): Line[] {
  return lines.map((line) =>
    line.clientMessageId === clientMessageId && line.seq === null ? { ...line, state, error } : line
  );
}

export function withoutLine(lines: readonly Line[], clientMessageId: string): Line[] {
  return lines.filter((line) => line.clientMessageId !== clientMessageId || line.seq !== null);
}
