/**
 * Every table as a type: the single source of row shapes. It is a catalogue, in one file although it
 * is long, so that names and columns can be looked up and searched in one place. Tables are created
 * by db/migrations/; a few types are of tables that no migration creates yet.
 */
import type {
  ColumnType,
  Generated,
  Insertable,
  Kysely,
  RawBuilder,
  Selectable,
  Updateable,
} from "kysely";
import type { FormattedNode } from "../protocol/formatting.ts";
import type { MessageFile, Reaction } from "../protocol/model.ts";
import type { AttributeValue, Provenance } from "../protocol/contacts.ts";
import type { MacroActions } from "../protocol/canned_responses.ts";
import type { TextEdit } from "../protocol/text.ts";

/** timestamptz: read as Date, written as Date or ISO 8601. */
type Time = ColumnType<Date, Date | string, Date | string>;
type TimeNow = ColumnType<Date, Date | string | undefined, Date | string>;
type NullTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type Json<T> = ColumnType<T, string, string>;
type JsonOr<T> = ColumnType<T, string | undefined, string>;

/** The handle that every query takes: the database, or a transaction. */
export type Db = Kysely<Database>;

export interface Database {
  server_meta: ServerMeta;
  users: Users;
  contacts: Contacts;
  contact_identities: ContactIdentities;
  contact_merges: ContactMerges;
  contact_pages: ContactPages;
  widget_configs: WidgetConfigs;
  chat_sessions: ChatSessions;
  conversations: Conversations;
  chat_messages: ChatMessages;
  files: Files;
  file_removals: FileRemovals;
  conversation_events: ConversationEvents;
  participants: Participants;
  conversation_receipts: ConversationReceipts;
  sign_ins: SignIns;
  refresh_tokens: RefreshTokens;
  labels: Labels;
  conversation_labels: ConversationLabels;
  teams: Teams;
  team_members: TeamMembers;
  mentions: Mentions;
  saved_views: SavedViews;
  canned_responses: CannedResponses;
  drafts: Drafts;
  scheduled_messages: ScheduledMessages;
  agent_preferences: AgentPreferenceRows;
  context_rules: ContextRules;
  notifications: Notifications;
  notification_preferences: NotificationPreferenceRows;
  waiting_alerts: WaitingAlerts;
  channels: Channels;
  webhook_deliveries: WebhookDeliveries;
  outbound_messages: OutboundMessages;
  collaboration_documents: CollaborationDocuments;
  collaboration_operations: CollaborationOperations;
  workspace_messages: WorkspaceMessages;
  metric_points: MetricPoints;
  metric_facts: MetricFacts;
  metric_conversations: MetricConversations;
  metric_conversation_days: MetricConversationDays;
  conversation_ratings: ConversationRatings;
  change_commits: ChangeCommits;
  changes: Changes;
  api_keys: ApiKeys;
  audit_log: AuditLog;
  scheduled_jobs: ScheduledJobs;
}

/** Facts about this database itself, such as the epoch of its event logs. */
export interface ServerMeta {
  key: string;
  value: string;
}

export interface Users {
  id: string;
  email: string;
  name: string;
  password_hash: string;
  role: "admin" | "agent";
  created_at: TimeNow;
  updated_at: TimeNow;
  last_seen_at: NullTime;
  disabled_at: NullTime;
}

export interface Contacts {
  id: string;
  name: string;
  email: string | null;
  phone: string | null;
  attributes: JsonOr<Record<string, Provenance & { value: AttributeValue }>>;
  /** Who set the other columns. */
  provenance: JsonOr<Partial<Record<"name" | "email", Provenance>>>;
  /** The contact that is the same person, and is no merged one itself. */
  merged_into: string | null;
  /** They may not write. */
  blocked_at: NullTime;
  /** The agent's name. */
  blocked_by: string | null;
  created_at: TimeNow;
  updated_at: TimeNow;
  last_seen_at: NullTime;
}

/** A merge of `from_id`, with what was merged into it before. */
export interface ContactMerges {
  id: string;
  into_id: string;
  from_id: string;
  /** The contacts that moved, as they were. */
  moved: Json<{ id: string; name: string; provenance: Contacts["provenance"]["__select__"] }[]>;
  /** The agent's name. */
  merged_by: string | null;
  merged_at: TimeNow;
  undone_at: NullTime;
}

/** A page that a contact who wrote has seen. */
export interface ContactPages {
  id: string;
  contact_id: string;
  url: string;
  title: string | null;
  /** The page of another site that led to it. */
  referrer: string | null;
  seen_at: Time;
}

export interface ContactIdentities {
  id: string;
  contact_id: string;
  platform: string;
  external_id: string;
  verified: boolean;
  created_at: TimeNow;
}

export interface WidgetConfigs {
  id: string;
  /** Who made it; null for the first one. */
  user_id: string | null;
  name: string;
  /** Public: it is in the website's script tag. */
  widget_key: string;
  /** Signs identity tokens; only admins can read it. */
  secret: string;
  allowed_origins: ColumnType<string[], string[], string[]>;
  enabled: Generated<boolean>;
  appearance: Json<Record<string, unknown>>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface ChatSessions {
  id: string;
  /** SHA-256 in hex of the secret that the visitor's browser holds. */
  session_id: string;
  widget_id: string;
  contact_id: string;
  origin: string | null;
  user_agent: string | null;
  locale: string | null;
  page_url: string | null;
  page_title: string | null;
  created_at: TimeNow;
  last_seen_at: TimeNow;
  expires_at: Time;
  ended_at: NullTime;
}

export interface Conversations {
  id: string;
  contact_id: string;
  platform: Generated<string>;
  channel_id: string | null;
  /** The website's own name of a conversation of several people; null for all others. */
  context_id: string | null;
  status: Generated<"open" | "pending" | "snoozed" | "resolved">;
  assignee_id: string | null;
  last_seq: Generated<number>;
  /** Messages from the contact, and public messages to the contact, so far. */
  inbound_count: Generated<number>;
  outbound_count: Generated<number>;
  agent_delivered_seq: Generated<number>;
  agent_read_seq: Generated<number>;
  contact_delivered_seq: Generated<number>;
  contact_read_seq: Generated<number>;
  last_message_seq: Generated<number>;
  last_message_preview: string | null;
  last_message_role: string | null;
  last_message_sender_id: string | null;
  last_message_sender_name: string | null;
  last_message_private: Generated<boolean>;
  last_message_at: NullTime;
  last_activity_at: TimeNow;
  waiting_since: NullTime;
  snoozed_until: NullTime;
  /** 0 is none, 4 is urgent. */
  priority: ColumnType<number, number | undefined, number>;
  /** Without a foreign key: see 080_teams.ts. */
  team_id: string | null;
  created_at: TimeNow;
  updated_at: TimeNow;
  resolved_at: NullTime;
}

export interface ChatMessages {
  id: string;
  conversation_id: string;
  seq: number;
  session_id: string | null;
  client_message_id: string | null;
  sender_id: string;
  sender_role: "agent" | "visitor" | "bot" | "system";
  sender_name: string;
  type: "text" | "activity";
  content: string;
  is_private: boolean;
  platform: string;
  /** The conversation's counters with this message included. */
  inbound_count: number;
  outbound_count: number;
  created_at: Time;
  edited_at: NullTime;
  deleted_at: NullTime;
  /** What is shown of its files; null where there are none. */
  files: ColumnType<MessageFile[] | null, string | null | undefined, string | null>;
  /** The content with its Markdown as elements; null where it has none. */
  formatted: ColumnType<FormattedNode[] | null, string | null | undefined, string | null>;
  reply_to_id: string | null;
  /** Null where there are none. */
  reactions: ColumnType<Reaction[] | null, string | null | undefined, string | null>;
}

/** What a reply shows of the message that it replies to. */
export type QuotedRow =
  & Pick<MessageRow, "seq" | "sender_id" | "sender_role" | "sender_name" | "content" | "files">
  & { is_deleted: boolean };

/** An uploaded file; its bytes are in the store of domain/files/. */
export interface Files {
  id: string;
  uploader_kind: "agent" | "visitor" | "program";
  uploader_id: string;
  /** The client's own id of the upload. */
  upload_id: string;
  storage_key: string;
  state: Generated<"uploading" | "stored">;
  name: string;
  media_type: Generated<string>;
  size: Generated<number>;
  width: number | null;
  height: number | null;
  duration_ms: number | null;
  /** Both are null until a message has it. */
  conversation_id: string | null;
  message_id: string | null;
  created_at: TimeNow;
}

/** Bytes whose row was deleted, by a trigger. */
export interface FileRemovals {
  storage_key: string;
  taken_until: Time;
}

/** The ordered log of a conversation. An event has the id of its message, and no copy of it. */
export interface ConversationEvents {
  conversation_id: string;
  seq: number;
  type: "message" | "message_updated" | "message_deleted" | "conversation_changed";
  message_id: string | null;
  is_private: boolean;
  payload: Json<Record<string, unknown>>;
  created_at: Time;
}

export interface Participants {
  conversation_id: string;
  /** A user's or a contact's id. */
  user_id: string;
  role: "agent" | "visitor";
  delivered_seq: Generated<number>;
  read_seq: Generated<number>;
  /** The conversation's counters at read_seq: unread is the difference to now. */
  read_inbound: Generated<number>;
  read_outbound: Generated<number>;
  updated_at: TimeNow;
}

/** The last move of a pointer that does not follow from a message: one row for each side and event. */
export interface ConversationReceipts {
  conversation_id: string;
  role: "agent" | "visitor";
  event: "delivered" | "read";
  /** Counts the moves of the conversation, 1, 2, 3, … */
  number: number;
  /** The last event of the log when it moved; the receipt comes directly after it. */
  at_seq: number;
  /** The pointer's new position. */
  seq: number;
  /** Who moved it. */
  user_id: string;
  created_at: Time;
}

export interface SignIns {
  id: string;
  user_id: string;
  /** Of the last request that refreshed it. */
  address: string | null;
  user_agent: string | null;
  created_at: Time;
  last_used_at: Time;
  expires_at: Time;
  ended_at: NullTime;
  end_reason: string | null;
}

export interface RefreshTokens {
  id: string;
  user_id: string;
  /** The sign-in that it belongs to. */
  family_id: string;
  /** The token that it replaced. */
  parent_id: string | null;
  token_hash: string;
  user_agent: string | null;
  created_at: TimeNow;
  expires_at: Time;
  used_at: NullTime;
  revoked_at: NullTime;
}

export interface Labels {
  id: string;
  /** Unique, case-insensitively. */
  name: string;
  /** A LabelColor of protocol/model.ts. */
  color: string;
  description: string | null;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface Teams {
  id: string;
  /** Unique, case-insensitively. */
  name: string;
  assignment: Generated<"none" | "round_robin" | "least_busy">;
  capacity: number | null;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface TeamMembers {
  team_id: string;
  user_id: string;
  /** Grows with every conversation that the team's assignment gives to the member. */
  last_turn: Generated<number>;
}

/** Who was mentioned where. */
export interface Mentions {
  user_id: string;
  conversation_id: string;
  message_id: string;
  created_at: Time;
}

export interface SavedViews {
  id: string;
  /** Who made it. */
  user_id: string;
  name: string;
  /** A ConversationFilter of protocol/rest.ts. */
  filter: Json<Record<string, unknown>>;
  shared_with: Generated<"nobody" | "team" | "everybody">;
  team_id: string | null;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface ConversationLabels {
  conversation_id: string;
  label_id: string;
  created_at: TimeNow;
}

/** A reply for a later time. */
export interface ScheduledMessages {
  id: string;
  conversation_id: string;
  user_id: string;
  content: string;
  send_at: Time;
  /** Why it could not be sent. */
  error: ColumnType<string | null, string | null | undefined, string | null>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface AgentPreferenceRows {
  user_id: string;
  /** What differs from the default, see protocol/agent_preferences.ts. */
  preferences: JsonOr<Record<string, unknown>>;
  updated_at: TimeNow;
}

/** What an agent has written and not sent. */
export interface Drafts {
  user_id: string;
  conversation_id: string;
  mode: "reply" | "note";
  content: string;
  /** From the sequence draft_versions: grows with every change of any draft. */
  version: ColumnType<number, RawBuilder<number>, RawBuilder<number>>;
  updated_at: TimeNow;
}

export interface CannedResponses {
  id: string;
  user_id: string | null;
  /** Of those for everybody; of one's own ones a text that is no short code. */
  short_code: string;
  /** The short code of one's own ones; null: for everybody. */
  own_code: string | null;
  folder: string | null;
  content: string;
  /** MacroActions, see protocol/canned_responses.ts; null: it only inserts text. */
  actions: ColumnType<MacroActions | null, string | null | undefined, string | null>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface ContextRules {
  id: string;
  /** Who made it. */
  user_id: string | null;
  name: string;
  enabled: Generated<boolean>;
  /** Rules are tried in this order. */
  position: Generated<number>;
  /** RuleCondition[] and RuleAction[] of protocol/model.ts. */
  conditions: JsonOr<unknown[]>;
  actions: JsonOr<unknown[]>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface Notifications {
  id: string;
  user_id: string;
  kind: string;
  title: string;
  body: Generated<string>;
  conversation_id: string | null;
  data: JsonOr<Record<string, unknown>>;
  /** Unique for each user, so that the same cause notifies once; null for messages. */
  cause: string | null;
  read_at: NullTime;
  created_at: TimeNow;
}

export interface NotificationPreferenceRows {
  user_id: string;
  /** What differs from the default, by kind: see protocol/notifications.ts. */
  kinds: JsonOr<Record<string, Record<string, boolean>>>;
  updated_at: TimeNow;
}

/** The wait of a contact of which agents were notified. */
export interface WaitingAlerts {
  conversation_id: string;
  waiting_since: Time;
  /** False: only the assignee was notified. */
  to_team: Generated<boolean>;
}

export interface Channels {
  id: string;
  platform: string;
  name: string;
  enabled: Generated<boolean>;
  settings: JsonOr<Record<string, unknown>>;
  secrets: JsonOr<Record<string, unknown>>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

export interface WebhookDeliveries {
  id: string;
  channel_id: string;
  provider_event_id: string;
  body: string;
  received_at: TimeNow;
  processed_at: NullTime;
  error: string | null;
}

export interface OutboundMessages {
  id: string;
  message_id: string;
  channel_id: string;
  attempts: Generated<number>;
  next_attempt_at: NullTime;
  provider_message_id: string | null;
  status: string;
  error: string | null;
  created_at: TimeNow;
}

/** A shared text at `snapshot_version`; the edits since then lead to the current text. */
export interface CollaborationDocuments {
  id: string;
  kind: "conversation" | "contact" | "context";
  /** Whose it is: an id, or the context and its session as JSON. */
  subject_id: string;
  version: Generated<number>;
  snapshot_version: Generated<number>;
  content: Generated<string>;
  /** The last command of each recent client: see domain/collaboration/document.ts. */
  clients: JsonOr<unknown[]>;
  created_at: TimeNow;
  updated_at: TimeNow;
}

/** One edit, which made `version` of the version before. */
export interface CollaborationOperations {
  document_id: string;
  version: number;
  client_id: string;
  client_seq: number | null;
  author_id: string;
  author_name: string;
  author_role: "agent" | "visitor";
  operation: Json<TextEdit>;
  created_at: TimeNow;
}

/** One message of the chat that all agents share; `seq` has no gaps. */
export interface WorkspaceMessages {
  seq: number;
  id: string;
  client_message_id: string;
  sender_id: string;
  sender_name: string;
  content: string;
  created_at: Time;
}

/** Single events that metrics count, see domain/analytics/fold.ts. */
export interface MetricFacts {
  kind: string;
  subject: string;
  seq: number;
  at: Time;
  conversation_id: string | null;
  agent_id: string | null;
  channel: string | null;
  seconds: number | null;
  open_seconds: number | null;
  /** The bucket of the time in its histogram. */
  bucket: number | null;
  /** Of a resolution: public messages. Of a start: 1 where the contact had an earlier one. */
  amount: number | null;
}

export interface MetricConversations {
  conversation_id: string;
  /** Messages up to here are in metric_conversation_days. */
  counted_seq: number;
}

/** Public messages of a conversation within a day of UTC. */
export interface MetricConversationDays {
  day: Time;
  metric: "messages_in" | "messages_out";
  conversation_id: string;
  /** The agent who wrote; empty for others. */
  agent_id: string;
  channel: string;
  messages: number;
  last_at: Time;
}

export interface MetricPoints {
  metric: string;
  dimension: "all" | "agent" | "channel";
  key: string;
  resolution: "minute" | "quarter" | "hour" | "day";
  at: Time;
  /** Of a histogram: the sum of its buckets. */
  value: number;
  /** The count of each bucket; null for a plain count. */
  histogram: Json<Record<string, number> | null>;
}

export interface ConversationRatings {
  conversation_id: string;
  /** The event that resolved the conversation: one rating for each time. */
  resolved_seq: number;
  rating: number;
  comment: Generated<string>;
  /** The agent who wrote last before it. */
  agent_id: string | null;
  channel: string;
  created_at: TimeNow;
  updated_at: TimeNow;
}

/** A transaction of the change feed, with its position. Triggers write it, see 004_change_feed.ts. */
export interface ChangeCommits {
  xid: string;
  count: number;
  /** The id of its last change; the others have the ids just before it. */
  last: number;
  committed_at: Time;
}

/** The change feed: one row for each change of a followed table. */
export interface Changes {
  xid: string;
  /** Its number within the transaction, from 0. */
  n: number;
  table_name: string;
  event: "INSERT" | "UPDATE" | "DELETE";
  old_row: Json<Record<string, unknown> | null>;
  new_row: Json<Record<string, unknown> | null>;
}

export interface ApiKeys {
  id: string;
  name: string;
  /** Its first characters, for people. */
  prefix: string;
  key_hash: string;
  scopes: string[];
  created_by: string | null;
  created_at: TimeNow;
  last_used_at: NullTime;
  /** null: does not end by itself. */
  expires_at: NullTime;
  revoked_at: NullTime;
}

export interface AuditLog {
  id: string;
  actor_id: string | null;
  action: string;
  subject: string | null;
  data: Json<Record<string, unknown>>;
  address: string | null;
  created_at: TimeNow;
  actor_kind: ColumnType<string, string | undefined, string>;
  actor_name: string | null;
  subject_name: string | null;
  user_agent: string | null;
  result: ColumnType<string, string | undefined, string>;
}

/** Work for later; see domain/jobs/. */
export interface ScheduledJobs {
  id: string;
  kind: string;
  /** Unique among the jobs of a kind. */
  key: string | null;
  payload: Json<Record<string, unknown>>;
  /** When it is due; while it runs, when its lease ends. */
  run_at: Time;
  attempts: number;
  last_error: string | null;
  created_at: TimeNow;
  /** It is not tried again. */
  failed_at: NullTime;
}

export type ScheduledJobRow = Selectable<ScheduledJobs>;
export type SignInRow = Selectable<SignIns>;
export type AuditRow = Selectable<AuditLog>;
export type UserRow = Selectable<Users>;
export type ContactRow = Selectable<Contacts>;
export type WidgetRow = Selectable<WidgetConfigs>;
export type SessionRow = Selectable<ChatSessions>;
export type ContextRuleRow = Selectable<ContextRules>;
export type ConversationRow = Selectable<Conversations>;
export type MessageRow = Selectable<ChatMessages> & {
  /** Of the message that it replies to, where it was read with it; null: that is gone. */
  quoted?: QuotedRow | null;
};
export type FileRow = Selectable<Files>;
export type WorkspaceMessageRow = Selectable<WorkspaceMessages>;
export type NewMessageRow = Insertable<ChatMessages>;
export type EventRow = Selectable<ConversationEvents>;
export type ReceiptRow = Selectable<ConversationReceipts>;
export type ParticipantRow = Selectable<Participants>;
export type UserUpdate = Updateable<Users>;
export type ApiKeyRow = Selectable<ApiKeys>;
export type ScheduledMessageRow = Selectable<ScheduledMessages>;
export type DraftRow = Selectable<Drafts>;
export type CannedResponseRow = Selectable<CannedResponses>;
export type ChannelRow = Selectable<Channels>;
export type LabelRow = Selectable<Labels>;
export type TeamRow = Selectable<Teams>;
