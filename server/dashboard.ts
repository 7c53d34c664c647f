/** What the dashboard's pages may ask of the server; they get it by `globalThis[DASHBOARD]`. */
import { REFRESH_COOKIE } from "../api/cookies.ts";
import { digestTag } from "../api/etag.ts";
import {
  listCannedResponses,
  readCannedResponseSettings,
} from "../domain/agents/canned_responses.ts";
import { listDrafts } from "../domain/agents/drafts.ts";
import { readAgentPreferences } from "../domain/agents/preferences.ts";
import { countUsers, listUsers } from "../domain/agents/users.ts";
import { listAudit } from "../domain/audit.ts";
import { listRules } from "../domain/bot/rules.ts";
import { listLabels } from "../domain/conversations/labels.ts";
import { DASHBOARD, type Dashboard } from "../domain/dashboard.ts";
import { listTeams } from "../domain/teams/teams.ts";
import { listApiKeys } from "../domain/programs/api_keys.ts";
import { listViews } from "../domain/views/views.ts";
import { listContacts } from "../domain/visitors/list.ts";
import { readProfile } from "../domain/visitors/profile.ts";
import { listWidgets } from "../domain/visitors/widgets.ts";
import { MAX_OWN_RESPONSES, MAX_SHARED_RESPONSES } from "../protocol/canned_responses.ts";
import { Id } from "../protocol/model.ts";
import { VERSION } from "../process/version.ts";
import { limitsOf } from "../settings.ts";
import type { Access } from "./access.ts";
import { agentPrincipal } from "./agent_principal.ts";
import type { Core } from "./core.ts";
import type { Services } from "./services.ts";

/** Drafts that the inbox is rendered with. The connection brings the others. */
const FIRST_DRAFTS = 50;
/** Contacts on the first page. */
const CONTACTS = 50;

export function publishDashboard(core: Core, access: Access, services: Services): void {
  (globalThis as Record<symbol, unknown>)[DASHBOARD] = createDashboard(core, access, services);
}

function createDashboard(
  { settings, database: { db } }: Core,
  { signIn }: Access,
  { conversations, notifications, analytics, pages, queueSettings }: Services,
): Dashboard {
  return {
    version: VERSION,
    development: settings.server.devReload,
    async agent(request) {
      const token = cookieOf(request, `__Host-${REFRESH_COOKIE}`) ??
        cookieOf(request, REFRESH_COOKIE);
      return token === undefined ? null : await signIn.peek(token);
    },
    needsSetup: async () => await countUsers(db) === 0,
    conversations: (user, query) => conversations.list(agentPrincipal(user), query),
    etagOf: (content) => digestTag(new TextEncoder().encode(JSON.stringify(content))),
    conversation: (user, id) => orNull(conversations.get(agentPrincipal(user), id)),
    messages: (user, id) => conversations.history(agentPrincipal(user), id, {}),
    totalUnread: (user) => conversations.totalUnread(agentPrincipal(user)),
    drafts: async (user) => (await listDrafts(db, user.id, { limit: FIRST_DRAFTS })).items,
    preferences: (user) => readAgentPreferences(db, user.id),
    unreadNotifications: (user) => notifications.unread(agentPrincipal(user)),
    users: async () => (await listUsers(db)).filter((user) => user.disabledAt === null),
    allUsers: () => listUsers(db),
    apiKeys: (user) => user.role === "admin" ? listApiKeys(db) : Promise.resolve([]),
    audit: (user) =>
      user.role === "admin"
        ? listAudit(db, { limit: 50 })
        : Promise.resolve({ items: [], nextCursor: null }),
    labels: () => listLabels(db),
    teams: () => listTeams(db),
    views: (user) => listViews(db, agentPrincipal(user)),
    async cannedReplies(user) {
      const agent = agentPrincipal(user);
      const [{ items }, settings] = await Promise.all([
        listCannedResponses(db, agent, { limit: MAX_SHARED_RESPONSES + MAX_OWN_RESPONSES }),
        readCannedResponseSettings(db),
      ]);
      return { replies: items, settings };
    },
    contacts: (query) => listContacts(db, { ...query, limit: CONTACTS }),
    contactProfile: (id) =>
      Id.safeParse(id).success ? orNull(readProfile(db, pages, id)) : Promise.resolve(null),
    businessHours: () => analytics.businessHours(),
    queueSettings: () => queueSettings.read(),
    rules: () => listRules(db),
    widgets: () => listWidgets(db),
    async demoWidgetKey() {
      const widgets = await listWidgets(db);
      return widgets.find((widget) => widget.enabled)?.widgetKey ?? null;
    },
    limits: () => limitsOf(settings),
  };
}

function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return undefined;
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if ((error as { code?: string }).code === "not_found") return null;
    throw error;
  }
}
