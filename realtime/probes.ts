/**
 * How long a message takes to its readers. A runtime does not say when a peer has received what was
 * sent, so now and then a reader is asked to answer: the question follows a message on the same
 * socket, and the answer comes when the client has handled both. It counts with its way back.
 */
import { setImmediate } from "node:timers";
import { SUBPROTOCOL } from "../protocol/native.ts";
import type { Broadcast } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

export interface Probes {
  /** A message was handed to the sockets of a room; some reader may be asked. */
  handedOut(broadcast: Broadcast, committedAt: number): void;
  /** What a client sent with its `ping`. */
  answered(connection: Connection, data: unknown): void;
}

/** Milliseconds between two questions of this node, and of those to one connection. */
const EVERY_MS = 1000;
const EACH_MS = 10_000;
/** An answer that takes longer says that the page slept. */
const PATIENCE_MS = 60_000;
/** Members that are looked at for one who can be asked. */
const LOOKED_AT = 20;

interface Question {
  echo: string;
  committedAt: number;
  askedAt: number;
}

export function createProbes(options: {
  hub: Pick<Hub, "members">;
  /** From the commit until the answer was here, in milliseconds. */
  onAnswer: (ms: number) => void;
  now?: () => number;
  random?: () => number;
}): Probes {
  const { hub, onAnswer, now = () => performance.now(), random = Math.random } = options;
  const questions = new WeakMap<Connection, Question>();
  let askedAt = -Infinity;
  let count = 0;

  function mayAsk(connection: Connection, { exceptUser, exceptConnection }: Broadcast): boolean {
    const { principal, protocol, id, isOver } = connection;
    if (principal === null || isOver || protocol.name !== SUBPROTOCOL) return false;
    if (id === exceptConnection || principal.userId === exceptUser) return false;
    return now() - (questions.get(connection)?.askedAt ?? -Infinity) >= EACH_MS;
  }

  /** Some member, not always the first. */
  function choose(broadcast: Broadcast): Connection | undefined {
    const members = hub.members(broadcast.room);
    let skipped = Math.floor(random() * Math.max(1, Math.min(LOOKED_AT, members.size)));
    let looked = 0;
    let last: Connection | undefined;
    for (const connection of members) {
      if (looked++ >= LOOKED_AT) break;
      if (!mayAsk(connection, broadcast)) continue;
      last = connection;
      if (skipped-- <= 0) break;
    }
    return last;
  }

  return {
    handedOut(broadcast, committedAt) {
      if (now() - askedAt < EVERY_MS) return;
      const connection = choose(broadcast);
      if (connection === undefined) return;
      askedAt = now();
      const echo = String(++count);
      questions.set(connection, { echo, committedAt, askedAt });
      // What follows the first of a burst goes out at the end of this turn, and the question after.
      setImmediate(() => {
        const timestamp = new Date().toISOString();
        const data = { serverTime: timestamp, positions: {}, echo };
        if (!connection.isOver) connection.sendEvent({ type: "heartbeat", timestamp, data });
      });
    },

    answered(connection, data) {
      const question = questions.get(connection);
      const { echo } = (data ?? {}) as { echo?: unknown };
      if (question === undefined || echo !== question.echo) return;
      question.echo = "";
      const at = now();
      if (at - question.askedAt <= PATIENCE_MS) onAnswer(at - question.committedAt);
    },
  };
}
