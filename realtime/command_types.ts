import type { Acks, CommandData, CommandType } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";

export type Handler<T extends CommandType> = (
  connection: Connection,
  data: CommandData<T>,
  /** Sends the ack at once, for a command whose events must follow its answer. */
  accept: (result: Acks[T]) => void,
) => Promise<Acks[T]> | Acks[T];

/**
 * Every command of the hub, the same for each protocol. Each one checks the connection's rights.
 */
export type Commands = { [T in CommandType]: Handler<T> };

/** The answer of commands without a result. */
export const DONE = {};
