/** Payloads of events on the bus, apart from the modules that make them, so that both can import them. */
import type { LoggedEvent } from "../../protocol/native.ts";

/** A stored change of a conversation in the two forms in which people may see it. */
export interface LogEntry {
  seq: number;
  forAgents: LoggedEvent;
  forVisitors: LoggedEvent;
}

/** Messages that became delivered or read by an explicit move of a pointer. */
export interface MessageStatuses {
  role: "agent" | "visitor";
  userId: string;
  status: "delivered" | "read";
  /** Oldest first; of more than the limit the newest. */
  messages: { messageId: string; seq: number }[];
}
