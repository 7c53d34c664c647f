import { type Authenticator, createAuthenticator } from "./authenticator.ts";
import { type Collaboration, createCollaboration } from "./collaboration.ts";
import { type Commands, createCommands } from "./commands.ts";
import { type ConnectionCounts, createConnectionCounts } from "./connection_counts.ts";
import { leaveConversation } from "./conversation_commands.ts";
import type { Core } from "./core.ts";
import { createDocumentMembers } from "./document_members.ts";
import { createLatencyProbes, type LatencyProbes } from "./latency_probes.ts";
import { createMetricSubscriptions, type MetricSubscriptions } from "./metrics.ts";
import { createPrincipalRefresh } from "./principal_refresh.ts";
import { createTableSubscriptions, type TableSubscriptions } from "./tables.ts";
import type { RealtimeOptions } from "./types.ts";

/** What connections use: authentication, and the commands of all protocols. */
export interface Services {
  authenticator: Authenticator;
  tables: TableSubscriptions;
  collaboration: Collaboration;
  metricSubscriptions: MetricSubscriptions;
  counts: ConnectionCounts;
  commands: Commands;
}

export function createServices(options: RealtimeOptions, core: Core): Services {
  const { bus, metrics, node, timeouts } = options;
  const { conversations, documents } = options.services;
  const { hub, nodes, wheel, presence, typing } = core;
  const authenticator = startAuthenticator(options, core);
  const tables = createTableSubscriptions({ bus, tables: options.services.tables, node });
  const collaboration = createCollaboration({
    hub,
    bus,
    documents,
    members: createDocumentMembers({ hub, nodes, wheel, graceMs: timeouts.presenceGraceMs }),
  });
  const counts = createConnectionCounts({ hub, nodes, presence, typing });
  const metricSubscriptions = startMetricSubscriptions(options, core, counts);
  return {
    authenticator,
    tables,
    collaboration,
    metricSubscriptions,
    counts,
    commands: createCommands({
      hub,
      conversations,
      presence,
      typing,
      metrics,
      authenticator,
      tables,
      metricSubscriptions,
      collaboration,
      probes: startLatencyProbes(options, core),
      recordPage: options.people.recordPage,
    }),
  };
}

function startAuthenticator(options: RealtimeOptions, core: Core): Authenticator {
  const { hub, wheel, presence, typing, events, reportRefusal } = core;
  const { access, queries, timeouts } = options;
  return createAuthenticator({
    reportRefusal,
    hub,
    wheel,
    presence,
    agentByToken: access.agentByToken,
    principalByToken: access.principalByToken,
    visitorBySession: access.visitorBySession,
    conversationOf: queries.conversationOf,
    totalUnread: queries.totalUnread,
    editWindowMs: queries.editWindowMs,
    onLeave: (connection, id) => leaveConversation({ typing, presence }, connection, id),
    refreshPrincipal: createPrincipalRefresh(events),
    agentOrigins: access.agentOrigins,
    timeoutMs: timeouts.authMs,
    tokenGraceMs: timeouts.tokenGraceMs,
    expiryAheadMs: 3 * timeouts.heartbeatMs,
    maxConnectionsPerUser: options.admission.connectionsPerUser,
  });
}

function startMetricSubscriptions(
  { services, queries, onError }: RealtimeOptions,
  { presence, wheel }: Core,
  counts: ConnectionCounts,
): MetricSubscriptions {
  return createMetricSubscriptions({
    analytics: services.analytics,
    gauges: counts.gauges,
    contextConversation: queries.contextConversation,
    peopleIn(conversationId) {
      const { members } = presence.members(conversationId, { limit: Number.MAX_SAFE_INTEGER });
      const agents = members.filter(({ role }) => role === "agent").length;
      return { agents, visitors: members.length - agents };
    },
    wheel,
    onError,
  });
}

function startLatencyProbes({ services }: RealtimeOptions, { hub }: Core): LatencyProbes {
  const { counters } = services;
  const probes = createLatencyProbes({ hub, onAnswer: counters.answered });
  hub.onDelivered((broadcast) => {
    const { forAgents } = broadcast;
    if (forAgents?.type !== "message") return;
    const committedAt = counters.delivered(forAgents.data.conversationId, forAgents.data.seq);
    if (committedAt !== undefined) probes.onDelivered(broadcast, committedAt);
  });
  return probes;
}
