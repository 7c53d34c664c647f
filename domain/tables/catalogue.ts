/**
 * The tables that can be followed: their columns with types, and which rows and columns agents and
 * visitors may see. Other columns are sent to nobody; secrets and hashes are not even in the feed
 * (db/migrations/004_change_feed.ts).
 */
import type { ChangedRow } from "../../db/change_feed.ts";
import type { TableName } from "../../protocol/tables.ts";

/** The type of a column, by which filters compare its values. */
export type ColumnType = "id" | "session" | "text" | "number" | "boolean" | "time" | "json";

export interface Policy {
  /** `own`: rows that belong to the reader, see `ownersOf`. */
  rows: "all" | "own";
  /** Selects among these rows; default: all. */
  only?: (row: ChangedRow) => boolean;
  columns: readonly string[];
}

export interface Table {
  columns: Readonly<Record<string, ColumnType>>;
  /** Columns with an owner of the row, and the kind of owner. */
  owners: Readonly<Record<string, "contact" | "context" | "conversation" | "session" | "user">>;
  /** null: may not follow the table at all. */
  agents: Policy | null;
  visitors: Policy | null;
}

const MESSAGES = {
  id: "id",
  conversation_id: "id",
  seq: "number",
  session_id: "session",
  client_message_id: "text",
  sender_id: "text",
  sender_role: "text",
  sender_name: "text",
  type: "text",
  content: "text",
  is_private: "boolean",
  platform: "text",
  inbound_count: "number",
  outbound_count: "number",
  created_at: "time",
  edited_at: "time",
  deleted_at: "time",
  files: "json",
  contact_id: "id",
  context_id: "text",
} as const;

const SESSIONS = {
  id: "id",
  session_id: "session",
  widget_id: "id",
  contact_id: "id",
  origin: "text",
  user_agent: "text",
  locale: "text",
  page_url: "text",
  page_title: "text",
  created_at: "time",
  last_seen_at: "time",
  expires_at: "time",
  ended_at: "time",
} as const;

const CONVERSATIONS = {
  id: "id",
  contact_id: "id",
  context_id: "text",
  platform: "text",
  channel_id: "id",
  status: "text",
  assignee_id: "id",
  last_seq: "number",
  inbound_count: "number",
  outbound_count: "number",
  agent_delivered_seq: "number",
  agent_read_seq: "number",
  contact_delivered_seq: "number",
  contact_read_seq: "number",
  last_message_seq: "number",
  last_message_preview: "text",
  last_message_role: "text",
  last_message_sender_id: "text",
  last_message_sender_name: "text",
  last_message_private: "boolean",
  last_message_at: "time",
  last_activity_at: "time",
  waiting_since: "time",
  snoozed_until: "time",
  priority: "number",
  team_id: "id",
  created_at: "time",
  updated_at: "time",
  resolved_at: "time",
} as const;

const RULES = {
  id: "id",
  user_id: "id",
  name: "text",
  enabled: "boolean",
  position: "number",
  conditions: "json",
  actions: "json",
  created_at: "time",
  updated_at: "time",
} as const;

const WIDGETS = {
  id: "id",
  user_id: "id",
  name: "text",
  widget_key: "text",
  allowed_origins: "json",
  enabled: "boolean",
  appearance: "json",
  created_at: "time",
  updated_at: "time",
} as const;

const NOTIFICATIONS = {
  id: "id",
  user_id: "id",
  kind: "text",
  title: "text",
  body: "text",
  conversation_id: "id",
  data: "json",
  read_at: "time",
  created_at: "time",
} as const;

const LABELS = {
  id: "id",
  name: "text",
  color: "text",
  description: "text",
  created_at: "time",
  updated_at: "time",
} as const;

function all(columns: object): string[] {
  return Object.keys(columns);
}

function without<T extends object>(columns: T, ...names: (keyof T)[]): string[] {
  return Object.keys(columns).filter((name) => !names.includes(name as keyof T));
}

export const CATALOGUE: Readonly<Record<TableName, Table>> = {
  chat_messages: {
    columns: MESSAGES,
    owners: { contact_id: "contact", context_id: "context", conversation_id: "conversation" },
    agents: { rows: "all", columns: all(MESSAGES) },
    visitors: {
      rows: "own",
      // Notes and activity lines are for agents.
      only: (row) => row["is_private"] === false,
      columns: without(MESSAGES, "is_private", "inbound_count", "outbound_count"),
    },
  },
  chat_sessions: {
    columns: SESSIONS,
    owners: { id: "session" },
    agents: { rows: "all", columns: all(SESSIONS) },
    visitors: { rows: "own", columns: all(SESSIONS) },
  },
  conversations: {
    columns: CONVERSATIONS,
    owners: { contact_id: "contact", context_id: "context", id: "conversation" },
    agents: { rows: "all", columns: all(CONVERSATIONS) },
    visitors: {
      rows: "own",
      // The last message may be a note.
      columns: without(
        CONVERSATIONS,
        "channel_id",
        "last_message_seq",
        "last_message_preview",
        "last_message_role",
        "last_message_sender_id",
        "last_message_sender_name",
        "last_message_private",
        "last_message_at",
        "snoozed_until",
        "priority",
        "team_id",
      ),
    },
  },
  context_rules: {
    columns: RULES,
    owners: {},
    agents: { rows: "all", columns: all(RULES) },
    visitors: null,
  },
  widget_configs: {
    columns: WIDGETS,
    owners: {},
    agents: { rows: "all", columns: all(WIDGETS) },
    visitors: null,
  },
  notifications: {
    columns: NOTIFICATIONS,
    owners: { user_id: "user" },
    agents: { rows: "own", columns: all(NOTIFICATIONS) },
    visitors: null,
  },
  labels: {
    columns: LABELS,
    owners: {},
    agents: { rows: "all", columns: all(LABELS) },
    visitors: null,
  },
};

/** The owners of a row as "kind:id". A row may have several, and each of them may see it. */
export function ownersOf(table: TableName, row: ChangedRow | null): string[] {
  if (row === null) return [];
  return Object.entries(CATALOGUE[table].owners).flatMap(([column, kind]) => {
    const value = row[column];
    return typeof value === "string" ? [`${kind}:${value}`] : [];
  });
}
