import type { Connection } from "./connection.ts";

/** One encoded event; the same object for all that receive it. */
export interface Line {
  text: string;
}

/** Characters in one frame; a single line that is longer is a frame of its own. */
const FRAME = 64 * 1024;

/**
 * Collects the lines of each connection in order, and sends them: several lines in one frame if the
 * protocol allows that. A frame is built once for all connections with the same lines.
 */
export function createTableLines() {
  const lines = new Map<Connection, Line[]>();
  const numbers = new Map<Line, number>();

  return {
    add(connection: Connection, line: Line): void {
      if (!numbers.has(line)) numbers.set(line, numbers.size);
      const own = lines.get(connection);
      if (own === undefined) lines.set(connection, [line]);
      else own.push(line);
    },

    send(): void {
      const frames = new Map<string, string[]>();
      for (const [connection, own] of lines) {
        if (!connection.protocol.batching || own.length === 1) {
          for (const { text } of own) connection.send(text);
          continue;
        }
        const key = own.map((line) => numbers.get(line)).join();
        let joined = frames.get(key);
        if (joined === undefined) frames.set(key, joined = framesOf(own));
        for (const frame of joined) connection.send(frame);
      }
    },
  };
}

function framesOf(lines: readonly Line[]): string[] {
  const frames: string[] = [];
  let frame: string[] = [];
  let length = 0;
  for (const { text } of lines) {
    if (frame.length > 0 && length + text.length > FRAME) {
      frames.push(frame.join("\n"));
      frame = [];
      length = 0;
    }
    frame.push(text);
    length += text.length + 1;
  }
  return [...frames, frame.join("\n")];
}
