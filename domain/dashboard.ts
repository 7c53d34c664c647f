/**
 * The services that the dashboard's server-rendered pages use. The pages are bundled apart from the
 * server and have their own copies of every module, so main.ts passes the services on
 * `globalThis[DASHBOARD]`; the pages import only these types.
 */
import type { BusinessHours } from "../protocol/analytics.ts";
import type {
  ContextRule,
  Conversation,
  Label,
  Message,
  User,
  WidgetConfig,
} from "../protocol/model.ts";
import type { AgentPreferences } from "../protocol/agent_preferences.ts";
import type { AuditList } from "../protocol/audit.ts";
import type { CannedResponse, CannedResponseSettings } from "../protocol/canned_responses.ts";
import type { ContactList, ContactProfile, ContactQuery } from "../protocol/contacts.ts";
import type { Draft } from "../protocol/drafts.ts";
import type { QueueSettings } from "../protocol/queue.ts";
import type { ApiKey } from "../protocol/programs.ts";
import type { ConversationFilter, ConversationList } from "../protocol/rest.ts";
import type { SavedView } from "../protocol/views.ts";
import type { Team } from "../protocol/teams.ts";

export const DASHBOARD = Symbol.for("parley.dashboard");

export interface Dashboard {
  /** Version of the product, e.g. "0.1.0". */
  version: string;
  /** Whether this is `deno task dev`. */
  development: boolean;
  /** The agent whose session cookie the request carries, or null. Does not rotate the cookie. */
  agent(request: Request): Promise<User | null>;
  /** True until the first admin exists. */
  needsSetup(): Promise<boolean>;
  /** The inbox list as this agent sees it, newest activity first. */
  conversations(
    user: User,
    query: ConversationFilter & { limit?: number },
  ): Promise<ConversationList>;
  /** The ETag of the API's response with this content. */
  etagOf(content: unknown): Promise<string>;
  /** One conversation as this agent sees it, or null. */
  conversation(user: User, id: string): Promise<Conversation | null>;
  /** The newest messages of a conversation, in the order of seq. */
  messages(
    user: User,
    conversationId: string,
  ): Promise<{ messages: Message[]; hasMore: boolean }>;
  /** Messages that this agent has not read, over all conversations that are not resolved. */
  totalUnread(user: User): Promise<number>;
  /** What this agent has written and not sent, the last changed first. */
  drafts(user: User): Promise<Draft[]>;
  /** How this agent wants the dashboard to behave. */
  preferences(user: User): Promise<AgentPreferences>;
  /** How many of their notifications this agent has not read. */
  unreadNotifications(user: User): Promise<number>;
  /** All agents who can be assigned. */
  users(): Promise<User[]>;
  /** All agents, also those who are disabled, by name. */
  allUsers(): Promise<User[]>;
  /** All API keys, newest first, for an admin; none for others. */
  apiKeys(user: User): Promise<ApiKey[]>;
  /** The newest of the audit log, for an admin; nothing for others. */
  audit(user: User): Promise<AuditList>;
  /** All labels, by name. */
  labels(): Promise<Label[]>;
  /** All teams, by name. */
  teams(): Promise<Team[]>;
  /** The saved views that this agent sees, by name. */
  views(user: User): Promise<SavedView[]>;
  /** This agent's canned replies and macros, and who manages those for everybody. */
  cannedReplies(
    user: User,
  ): Promise<{ replies: CannedResponse[]; settings: CannedResponseSettings }>;
  /** The first page of contacts. */
  contacts(query: ContactQuery): Promise<ContactList>;
  /** What is known about a contact; null: there is none with this id. */
  contactProfile(id: string): Promise<ContactProfile | null>;
  /** When agents are available; null: always. */
  businessHours(): Promise<BusinessHours>;
  /** How conversations come to agents. */
  queueSettings(): Promise<QueueSettings>;
  /** All context rules in their order. */
  rules(): Promise<ContextRule[]>;
  /** All widgets, oldest first. */
  widgets(): Promise<WidgetConfig[]>;
  /** Key of the widget that /demo shows: the oldest enabled one, or null. */
  demoWidgetKey(): Promise<string | null>;
  /** The limits and times that are in force, in the order of the documentation. */
  limits(): Limit[];
}

/** One limit as it is configured. */
export interface Limit {
  /** The name of the setting, such as "MAX_MESSAGE_BYTES". */
  name: string;
  about: string;
  value: number;
  isDefault: boolean;
}

/** The dashboard services of this process; throws where no server set them. */
export function dashboard(): Dashboard {
  const services = (globalThis as Record<symbol, unknown>)[DASHBOARD] as Dashboard | undefined;
  if (services === undefined) {
    throw new Error("Cannot render the dashboard: the server did not start it");
  }
  return services;
}
