/** Sockets: the realtime part, with the broker and the services that it needs. */
import { touchUser } from "../domain/agents/users.ts";
import { findContextConversation, openContext } from "../domain/conversations/contexts.ts";
import { logAfter } from "../domain/conversations/log.ts";
import { positionsOf } from "../domain/conversations/queries.ts";
import { unreadCounts } from "../domain/conversations/unread.ts";
import { createLoader } from "../domain/loader.ts";
import { touchContact } from "../domain/visitors/contacts.ts";
import { webConversationsOf } from "../domain/visitors/sessions.ts";
import { WORKSPACE_CHAT } from "../domain/workspace/chat.ts";
import { type BrokerKind, openBroker } from "../process/open_broker.ts";
import type { FileService } from "../domain/files/types.ts";
import type { Realtime } from "../realtime/types.ts";
import { createRealtime } from "../realtime/server.ts";
import type { Access } from "./access.ts";
import { agentPrincipal } from "./agent_principal.ts";
import type { Core } from "./core.ts";
import type { Services } from "./services.ts";

/** @throws {SettingsError} when the broker refuses what the settings say. */
export async function startRealtime(
  core: Core,
  access: Access,
  services: Services,
  broker: BrokerKind,
  files: Pick<FileService, "maxBytes">,
): Promise<Realtime> {
  const { settings, database, bus, metrics, node, onError } = core;
  const { capacity, rates, timeouts, given } = settings;
  const { db, epoch } = database;
  const { bot, conversations, pages, queueSettings, workspaceChat } = services;
  return createRealtime({
    node,
    bus,
    broker: await openBroker(broker, settings.broker, { name: epoch, node, onError }, database),
    metrics,
    services: { ...services, tables: services.changes.tables },
    access,
    queries: {
      logAfter: (id, seq) =>
        id === WORKSPACE_CHAT
          ? workspaceChat.logAfter(seq)
          : logAfter(db, id, seq, capacity.replayEvents),
      positions: (ids) => positionsOf(db, ids),
      conversationOf: createLoader((contactIds: string[]) => webConversationsOf(db, contactIds)),
      openContext: (principal, contextId) => openContext(db, bus, principal, contextId),
      contextConversation: (contextId) => findContextConversation(db, contextId),
      totalUnread: (userId) => conversations.totalUnread(agentPrincipal({ id: userId })),
      editWindowMs: async () => (await queueSettings.current()).editMinutes * 60_000,
      unreadCounts: (userIds) => unreadCounts(db, userIds),
    },
    people: {
      async recordPage(visitor, page) {
        const { sessionHash, userId: contactId } = visitor;
        if (sessionHash !== null) await pages.seen({ contactId, sessionHash }, page);
        bot.visited(visitor, page);
      },
      onGone(id, kind) {
        (kind === "agent" ? touchUser(db, id) : touchContact(db, id)).catch(onError);
      },
      onHere: () => services.teams.arrived(),
    },
    limits: {
      messageBytes: capacity.messageBytes,
      preAuthBytes: capacity.preAuthBytes,
      preAuthMessages: capacity.preAuthMessages,
      queueBytes: capacity.queueBytes,
      pendingFrames: capacity.pendingCommands,
      messagesPerMinute: rates.messages,
      typingPerMinute: rates.typing,
      editsPerMinute: rates.edits,
      cursorsPerMinute: rates.cursors,
      subscriptions: capacity.subscriptions,
      fileBytes: files.maxBytes,
    },
    admission: {
      connectionsPerMinute: rates.connections,
      exemptLoopback: !given.has("LIMIT_CONNECTIONS_PER_MINUTE"),
      unauthenticated: {
        total: capacity.unauthenticatedSockets,
        perNetwork: capacity.unauthenticatedSocketsPerNetwork,
        exemptLoopback: !given.has("MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK"),
      },
      connectionsPerUser: capacity.connectionsPerUser,
    },
    timeouts: {
      ...timeouts,
      nodeMs: settings.broker.nodeTimeoutMs,
      drainMs: settings.server.drainMs,
    },
    recovery: {
      timeoutMs: timeouts.recoveryMs,
      maxSuspended: capacity.recoverable,
      maxReplayEvents: capacity.replayEvents,
    },
    onError,
  });
}
