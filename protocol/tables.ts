/**
 * Changes of tables, as clients follow them: `subscribe`, `database_change`.
 * docs/protocols/native.md describes them.
 */
import { z } from "zod";

export const TABLES = [
  "chat_messages",
  "chat_sessions",
  "conversations",
  "context_rules",
  "widget_configs",
  "notifications",
  "labels",
] as const;
export const TableName = z.enum(TABLES);
export type TableName = z.infer<typeof TableName>;

export const CHANGE_EVENTS = ["INSERT", "UPDATE", "DELETE"] as const;
export const ChangeEvent = z.enum(CHANGE_EVENTS);
export type ChangeEvent = z.infer<typeof ChangeEvent>;

/** Longest filter, in UTF-16 code units. */
export const MAX_FILTER = 2000;

export const Subscribe = z.strictObject({
  table: TableName,
  /** Default: all three. */
  events: z.array(ChangeEvent).min(1).max(10).optional(),
  /** Such as `status=open & last_seq>=10`; of several, all have to match. */
  filter: z.union([z.string().max(MAX_FILTER), z.array(z.string().max(MAX_FILTER)).max(10)])
    .optional(),
  /** The id of the last known change, or the position of an earlier response. */
  after: z.string().min(1).max(64).optional(),
});
export type Subscribe = z.infer<typeof Subscribe>;

/** A row by column, as the reader may see it: numbers, text, booleans, JSON, times in ISO 8601. */
export type TableRow = Record<string, unknown>;

export interface DatabaseChange {
  /** Grows in the order of commits; what `after` takes. */
  id: string;
  table: TableName;
  event: ChangeEvent;
  /** The same as `event`. */
  eventType: ChangeEvent;
  /** `new`, or of a DELETE `old`. */
  data: TableRow;
  new: TableRow | null;
  old: TableRow | null;
  /** When it was committed. */
  timestamp: string;
}

export interface Subscribed {
  /** Identifies the subscription in `unsubscribe` and in its changes. */
  subscription: string;
  /** Every change after this one follows. */
  position: string;
  /**
   * Only where `after` was given. True: `changes` are exactly those that were missed. False: they are
   * no longer known; read the table again.
   */
  recovered?: boolean;
  changes?: DatabaseChange[];
}
