import { createRowFilter, type Row } from "./chat_json_filter.ts";
import { MessageType, type WebSocketMessage } from "./chat_json_types.ts";
import { protect } from "./emitter.ts";

export type ChangeEvent = "INSERT" | "UPDATE" | "DELETE";
export type TableName =
  | "chat_messages"
  | "chat_sessions"
  | "conversations"
  | "context_rules"
  | "widget_configs"
  | "notifications"
  | "labels";

/** A `database_change`. `event` and `eventType` are equal: the protocol has both names. */
export interface TableChange<T = Row> {
  type: "database_change";
  table: string;
  event: ChangeEvent;
  eventType: ChangeEvent;
  /** The current row; for a DELETE the row before it. */
  data: T;
  /** For a DELETE only the row's `id`. */
  new: T;
  /** Null for an INSERT. */
  old: T | null;
  timestamp?: string;
  [field: string]: unknown;
}

export type TableChangeCallback<T = Row> = (change: TableChange<T>) => unknown;
export type NotificationCallback<T = Row> = (notification: T) => unknown;
export interface RealtimeSubscription {
  unsubscribe(): void;
}

/** The part of a `WebSocketService` that is used here. */
export interface ChangeSource {
  onMessage(handler: (message: WebSocketMessage) => unknown): () => void;
  ownsSession?(sessionId: string): boolean;
}

const ALL_EVENTS: readonly ChangeEvent[] = ["INSERT", "UPDATE", "DELETE"];

/**
 * Changes of tables, taken from the messages of a connection. The server sends each connection what
 * its user may see; a subscription filters that, and survives reconnections. Changes that happen
 * while the connection is away are not sent later: fetch the data again in `service.onConnect`.
 */
export class RealtimeService {
  #service: ChangeSource;

  /** @param service a `WebSocketService`, which has to be connected */
  constructor(service: ChangeSource) {
    this.#service = service;
  }

  /**
   * Calls back for each change of the table that is one of `events` and fits `filter`, such as
   * `session_id=…`, `seq>=10` or `status in (open, pending)`; the grammar is `createRowFilter`'s.
   *
   * @throws {ParleyClientError} `invalid` for a filter that cannot be parsed
   */
  subscribeToTable<T = Row>(
    tableName: TableName,
    callback: TableChangeCallback<T>,
    events: readonly ChangeEvent[] = ALL_EVENTS,
    filter?: string,
  ): RealtimeSubscription {
    const all = filter === undefined || filter.trim() === "";
    return this.#listen(tableName, callback, events, all ? () => true : createRowFilter(filter));
  }

  #listen<T>(
    tableName: TableName,
    callback: TableChangeCallback<T>,
    events: readonly ChangeEvent[],
    fits: (row: Row) => boolean,
  ): RealtimeSubscription {
    const unsubscribe = this.#service.onMessage((message) => {
      const change = changeOf(message);
      if (change === null || change.table !== tableName || !events.includes(change.event)) return;
      if (!fits(change.data)) return;
      protect(() => callback(change as TableChange<T>));
    });
    return { unsubscribe };
  }

  /**
   * New messages of a session. An agent passes the session's id as it is in the rows, a visitor the
   * `sessionId` of the connection; a visitor never receives rows of other sessions.
   */
  subscribeToChatMessages<T = Row>(
    sessionId: string,
    callback: TableChangeCallback<T>,
  ): RealtimeSubscription {
    return this.#listen("chat_messages", callback, ["INSERT"], this.#ofSession(sessionId));
  }

  subscribeToChatSession<T = Row>(
    sessionId: string,
    callback: TableChangeCallback<T>,
  ): RealtimeSubscription {
    return this.#listen("chat_sessions", callback, ["UPDATE"], this.#ofSession(sessionId));
  }

  /** Rows do not contain the secret that the visitor has, but another id of the session. */
  #ofSession(sessionId: string): (row: Row) => boolean {
    const fits = createRowFilter(is("session_id", sessionId));
    return (row) => this.#service.ownsSession?.(sessionId) === true || fits(row);
  }

  subscribeToContextRules<T = Row>(callback: TableChangeCallback<T>): RealtimeSubscription {
    return this.subscribeToTable("context_rules", callback);
  }

  subscribeToWidgetConfigs<T = Row>(
    userId: string,
    callback: TableChangeCallback<T>,
  ): RealtimeSubscription {
    return this.subscribeToTable("widget_configs", callback, ALL_EVENTS, is("user_id", userId));
  }

  /**
   * New notifications of a user. Returns a function that ends it; without a user it does nothing.
   */
  subscribeToNotifications<T = Row>(
    userId: string,
    callback: NotificationCallback<T>,
  ): () => void {
    if (!userId) return () => {};
    return this.subscribeToTable<T>(
      "notifications",
      ({ data }) => callback(data),
      ["INSERT"],
      is("user_id", userId),
    ).unsubscribe;
  }
}

/** Quotes any string as a value of a filter. No id contains both kinds of quotes. */
function is(column: string, value: string): string {
  return value.includes('"') ? `${column}='${value}'` : `${column}="${value}"`;
}

/**
 * The change with both names of each field, whichever the server sent; null where it is not a
 * change.
 */
function changeOf(message: WebSocketMessage): TableChange | null {
  if (message.type !== MessageType.DATABASE_CHANGE) return null;
  const { table, data } = message;
  const event = (message["event"] ?? message["eventType"]) as ChangeEvent;
  const isDelete = event === "DELETE";
  const row = data ?? message["new"] ?? message["old"];
  if (typeof table !== "string" || !ALL_EVENTS.includes(event)) return null;
  if (typeof row !== "object" || row === null) return null;
  return {
    ...message,
    type: "database_change",
    table,
    event,
    eventType: event,
    data: row as Row,
    new: (message["new"] ?? (isDelete ? { id: (row as Row)["id"] } : row)) as Row,
    old: (message["old"] ?? (isDelete ? row : null)) as Row | null,
  };
}
