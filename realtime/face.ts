/** What the realtime part needs of the rest of the house, and what the rest sees of it. */
import type { Gauges } from "../domain/analytics/registry.ts";
import type { Analytics } from "../domain/analytics/service.ts";
import type { ProcessCounters } from "../domain/analytics/process_counters.ts";
import type { Documents } from "../domain/collaboration/service.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { EventBus, LogEntry } from "../domain/events.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { Principal, VisitorPrincipal } from "../domain/principal.ts";
import type { Tables } from "../domain/tables/service.ts";
import type { WorkspaceChat } from "../domain/workspace/chat.ts";
import type { Page } from "../protocol/model.ts";
import type { ConnectionStats } from "../protocol/programs.ts";
import type { PeerReader } from "./address.ts";
import type { Broker, BrokerTroubles } from "./broker.ts";
import type { ConnectionLimits } from "./connection.ts";
import type { Absence } from "./presence.ts";
import type { Disconnect } from "./rights.ts";

export interface RealtimeOptions {
  metrics: Metrics;
  bus: EventBus;
  broker: Broker;
  conversations: Conversations;
  tables: Tables;
  analytics: Pick<Analytics, "live" | "ofConversations">;
  counters: Pick<ProcessCounters, "delivered" | "answered">;
  documents: Documents;
  workspaceChat: WorkspaceChat;
  /** Name of this node, different from every other's. */
  node: string;
  /** Milliseconds of silence after which another node is gone, with the people who were there. */
  nodeTimeoutMs: number;
  /** The log of a conversation, or of the workspace's chat, after a position; or its first part. */
  logAfter: (conversationId: string, seq: number) => Promise<LogEntry[]>;
  limits: ConnectionLimits;
  /** New sockets a minute and network. */
  connectionsPerMinute: number;
  exemptLoopback: boolean;
  /** Sockets and Engine.IO sessions that are not authenticated, at a time. */
  unauthenticated: { total: number; perNetwork: number; exemptLoopback: boolean };
  maxConnectionsPerUser: number;
  authTimeoutMs: number;
  heartbeatMs: number;
  typingMs: number;
  presenceGraceMs: number;
  tokenGraceMs: number;
  /** Milliseconds for which a Socket.IO connection that was cut can be recovered, and how many. */
  recoveryMs: number;
  maxRecoverable: number;
  maxReplayEvents: number;
  drainMs: number;
  agentOrigins: readonly string[];
  peer: PeerReader;
  /** Whether a web page of this origin may open a socket at all. */
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  agentByToken: (token: string) => Promise<Principal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  /** The conversation of a context, which is opened where there is none. */
  openContext: (principal: Principal, contextId: string) => Promise<string>;
  /** The same, null where there is none. */
  contextConversation: (contextId: string) => Promise<string | null>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
  conversationOf: (contactId: string) => Promise<string | null>;
  /** Where the logs of conversations stand. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
  /** Someone has no connection any more, and the grace is over. */
  onGone: (userId: string, kind: "agent" | "visitor") => void;
  totalUnread: (userId: string) => Promise<number>;
  /** The same of each of these users, by platform. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, Record<string, number>>>;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

/** The connections of one protocol. */
export interface ProtocolStats {
  protocol: string;
  /** Not authenticated yet. */
  pending: number;
  agents: number;
  visitors: number;
  /** Frames since the start. */
  received: number;
  sent: number;
}

export interface RealtimeStats {
  connections: number;
  authenticatedUsers: number;
  rooms: number;
  /** null: there is no other node; false: others cannot be reached now. */
  nodesConnected: boolean | null;
  /** This one and those that it knows of, and the longest silence of another; 0: there is none. */
  nodes: { count: number; silenceMs: number };
  /** null: nothing is between the nodes that could be away. */
  broker: Readonly<BrokerTroubles> | null;
  slowClosed: number;
  /** Sockets and Engine.IO sessions that count as not authenticated, also when they linger. */
  unauthenticated: number;
  /** Sockets that the server has ended and whose peer does not let go; the runtime cannot. */
  lingering: number;
  broadcasts: number;
  deliveries: number;
}

/** The narrow face that the rest of the house sees. */
export interface Realtime {
  /** Whether sockets are opened at this path. */
  serves(path: string): boolean;
  /** Answers an upgrade request at one of its paths. */
  upgrade(request: Request, remote: string): Promise<Response>;
  stats(): RealtimeStats;
  /**
   * While it is on, new sockets are refused; when it begins, those that are not authenticated are
   * let go. @returns how many those were.
   */
  press(isOn: boolean): number;
  /** Looks at every connection: for a scrape now and then. */
  traffic(): { byProtocol: ProtocolStats[]; queueBytes: number };
  /**
   * Ends every connection of a user, a visitor's session, a sign-in or a single token, on every
   * node. @returns how many; those of a node that does not answer are not counted.
   */
  disconnect(whose: Disconnect): Promise<number>;
  /**
   * Sends an event to every connection of a user or contact, on every node, under a name of the
   * sender's own (`EventName`). Who is not connected does not get it.
   */
  sendToUser(userId: string, event: string, data: Record<string, unknown>): void;
  /** The same to every connected agent, or to everybody who follows a conversation. */
  sendToRoom(
    room: "agents" | { conversationId: string },
    event: string,
    data: Record<string, unknown>,
  ): void;
  /** How many connections a user or contact has, on all nodes that answer. */
  connectionsOf(userId: string): Promise<number>;
  /** Since when an agent is away or offline, on all nodes; null: they are there. */
  absenceOf(userId: string): Absence | null;
  /** Connections and people, on all nodes that answer. */
  connectionStats(): Promise<ConnectionStats>;
  /** What analytics knows of this moment, on all nodes that answer. */
  gauges(): Promise<Gauges>;
  /** Refuses new sockets, asks every client to come back in its own time, and closes them. */
  drain(): Promise<void>;
  /** After the drain, when nothing more will be told to other nodes. */
  close(): Promise<void>;
  readonly draining: boolean;
}
