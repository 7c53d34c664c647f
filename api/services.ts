/** What the API's routes are given. */
import type { Passwords } from "../domain/agents/passwords.ts";
import type { SignIn } from "../domain/agents/sign_in.ts";
import type { Analytics } from "../domain/analytics/service.ts";
import type { Actor } from "../domain/audit.ts";
import type { Bot } from "../domain/bot/engine.ts";
import type { HandOvers } from "../domain/conversations/hand_over.ts";
import type { ScheduledMessages } from "../domain/conversations/scheduled.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { EventBus } from "../domain/events.ts";
import type { TeamService } from "../domain/teams/service.ts";
import type { FileService } from "../domain/files/types.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { NotificationService } from "../domain/notifications/service.ts";
import type { Principal, ProgramPrincipal, VisitorPrincipal } from "../domain/principal.ts";
import type { QueueSettingsStore } from "../domain/workspace/queue_settings.ts";
import type { Renames } from "../domain/visitors/contacts.ts";
import type { Erased } from "../domain/visitors/erasure.ts";
import type { Pages } from "../domain/visitors/pages.ts";
import type { ParticipantTokens } from "../domain/visitors/participants.ts";
import type { Db } from "../db/database.ts";
import type { PeerReader } from "../realtime/address.ts";
import type { Realtime } from "../realtime/types.ts";
import type { OpenRequestLimits } from "./open_requests.ts";
import type { Workers } from "./workers.ts";

export interface ApiServices {
  version: string;
  engine: string;
  metrics: Metrics;
  /** The other workers of this process; null: there are none. */
  workers: Workers | null;
  /** Folder of the embedded database and of generated secrets; undefined: neither is on a disk. */
  dataDir: string | undefined;
  /** Allows to read /metrics from anywhere; undefined: only private addresses may. */
  metricsToken: string | undefined;
  db: Db;
  bus: EventBus;
  signIn: SignIn;
  passwords: Passwords;
  conversations: Conversations;
  files: FileService;
  pages: Pages;
  handOvers: HandOvers;
  scheduled: ScheduledMessages;
  queueSettings: QueueSettingsStore;
  teams: TeamService;
  bot: Pick<Bot, "pages">;
  notifications: NotificationService;
  participantTokens: ParticipantTokens;
  realtime: Realtime;
  analytics: Analytics;
  peer: PeerReader;
  agentOrigins: readonly string[];
  visitorBySession: (sessionId: string) => Promise<VisitorPrincipal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  programByKey: (key: string) => Promise<ProgramPrincipal>;
  /** How often a contact may get another name. */
  renames: Renames;
  /** Erases a person with all their data. */
  eraseContact: (actor: Actor, contactId: string) => Promise<Erased>;
  /** Whether an enabled widget or a setting allows the origin. */
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  sessionLifeMs: number;
  sessionsPerMinute: number;
  loginsPerMinute: number;
  maxBodyBytes: number;
  /** Milliseconds that a body may take to arrive. */
  bodyTimeoutMs: number;
  openRequests: OpenRequestLimits;
  secureCookies: boolean | undefined;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}
