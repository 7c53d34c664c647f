/** What `createRealtime` needs of the other folders, and what they use of it. */
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
import type { Broker, BrokerStats } from "./broker.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { DisconnectTarget } from "./disconnect.ts";
import type { Absence } from "./presence.ts";

export interface RealtimeOptions {
  /** Name of this node, different from every other's. */
  node: string;
  bus: EventBus;
  broker: Broker;
  metrics: Metrics;
  services: RealtimeServices;
  queries: RealtimeQueries;
  access: RealtimeAccess;
  people: RealtimePeople;
  /** Bounds of each connection. */
  limits: ConnectionLimits;
  admission: AdmissionSettings;
  timeouts: RealtimeTimeouts;
  recovery: RecoverySettings;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

/** The services of the domain whose commands and events connections use. */
export interface RealtimeServices {
  conversations: Conversations;
  workspaceChat: WorkspaceChat;
  documents: Documents;
  tables: Tables;
  analytics: Pick<Analytics, "live" | "ofConversations">;
  counters: Pick<ProcessCounters, "delivered" | "answered">;
}

/** What is read of conversations. */
export interface RealtimeQueries {
  /**
   * The log of a conversation, or of the workspace's chat, after a position; or a first part of it.
   */
  logAfter: (conversationId: string, seq: number) => Promise<LogEntry[]>;
  /** The last `seq` of each of these conversations. */
  positions: (conversationIds: string[]) => Promise<Map<string, number>>;
  /** A visitor's conversation; null: there is none. */
  conversationOf: (contactId: string) => Promise<string | null>;
  /** The conversation of a context; it is opened if there is none. */
  openContext: (principal: Principal, contextId: string) => Promise<string>;
  /** The conversation of a context; null: there is none. */
  contextConversation: (contextId: string) => Promise<string | null>;
  /** Unread messages of an agent. */
  totalUnread: (userId: string) => Promise<number>;
  /** For how long people can edit and withdraw their messages. */
  editWindowMs: () => Promise<number>;
  /** The same for each of these agents, by platform. */
  unreadCounts: (userIds: string[]) => Promise<Map<string, Record<string, number>>>;
}

/** Who connects, and whether they may. */
export interface RealtimeAccess {
  peer: PeerReader;
  /** Whether a page of this origin may open a socket. */
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  /** Origins besides the server's own from which agents may connect. */
  agentOrigins: readonly string[];
  agentByToken: (token: string) => Promise<Principal>;
  /** An agent's token, or a participant's. */
  principalByToken: (token: string) => Promise<Principal>;
  visitorBySession: (sessionId: string) => Promise<Principal>;
}

/** What is recorded of people. */
export interface RealtimePeople {
  recordPage: (visitor: VisitorPrincipal, page: Page) => Promise<void>;
  /** The grace after the last connection of a person to this node is over. */
  onGone: (userId: string, kind: "agent" | "visitor") => void;
  /** An agent has come to this node, or is not away any more. */
  onHere: (userId: string) => void;
}

/** Which sockets are accepted. */
export interface AdmissionSettings {
  /** New sockets a minute and network. */
  connectionsPerMinute: number;
  /** Whether clients on this machine are exempt from it. */
  exemptLoopback: boolean;
  /** Sockets and Engine.IO sessions that are not authenticated, at a time. */
  unauthenticated: { total: number; perNetwork: number; exemptLoopback: boolean };
  connectionsPerUser: number;
}

/** In milliseconds. */
export interface RealtimeTimeouts {
  authMs: number;
  heartbeatMs: number;
  typingMs: number;
  presenceGraceMs: number;
  tokenGraceMs: number;
  /** Silence after which another node is gone, with the people connected to it. */
  nodeMs: number;
  drainMs: number;
}

/** Recovery of interrupted Socket.IO connections. */
export interface RecoverySettings {
  /** Milliseconds within which a client has to reconnect. 0: nothing is recovered. */
  timeoutMs: number;
  /** Interrupted connections that can be recovered at a time. */
  maxSuspended: number;
  /** Events that one client may have missed. */
  maxReplayEvents: number;
}

/** The connections of one protocol. */
export interface ProtocolStats {
  protocol: string;
  /** Not authenticated. */
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
  /** null: there can be no other node; false: other nodes cannot be reached now. */
  nodesConnected: boolean | null;
  /** The number of nodes, with this one, and the longest silence of another; 0: there is none. */
  nodes: { count: number; silenceMs: number };
  /** null: nothing between the nodes can fail. */
  broker: Readonly<BrokerStats> | null;
  slowClosed: number;
  /** Sockets and Engine.IO sessions that count as not authenticated, also lingering ones. */
  unauthenticated: number;
  /** Sockets that the server has closed and whose peer has not; the runtime still holds them. */
  lingering: number;
  broadcasts: number;
  deliveries: number;
}

/** The interface that other folders use. */
export interface Realtime {
  /** Whether there are sockets at this path. */
  serves(path: string): boolean;
  /** Answers a request at one of these paths. */
  upgrade(request: Request, remote: string): Promise<Response>;
  stats(): RealtimeStats;
  /**
   * While memory is short, new sockets are refused. When it becomes short, the connections that are
   * not authenticated are closed. @returns how many those were.
   */
  setMemoryPressure(isShort: boolean): number;
  /** Iterates over all connections: for a scrape from time to time. */
  traffic(): { byProtocol: ProtocolStats[]; queueBytes: number };
  /**
   * Ends every connection of a user, a visitor's session, a sign-in or a single token, on every
   * node. @returns how many; those of a node that does not reply are not counted.
   */
  disconnect(target: DisconnectTarget): Promise<number>;
  /**
   * Sends an event to every connection of a user or contact, on every node, with a name that the
   * sender chooses (`EventName`). It is not stored for people who are not connected.
   */
  sendToUser(userId: string, event: string, data: Record<string, unknown>): void;
  /** The same to every connected agent, or to all that follow a conversation. */
  sendToRoom(
    room: "agents" | { conversationId: string },
    event: string,
    data: Record<string, unknown>,
  ): void;
  /** How many connections a user or contact has, on all nodes that reply. */
  connectionsOf(userId: string): Promise<number>;
  /** Since when an agent is away or offline, on all nodes; null: the agent is online. */
  absenceOf(userId: string): Absence | null;
  /** Connections and people, on all nodes that reply. */
  connectionStats(): Promise<ConnectionStats>;
  /** Present values for analytics, on all nodes that reply. */
  gauges(): Promise<Gauges>;
  /** Refuses new sockets, asks every client to reconnect, and closes their connections. */
  drain(): Promise<void>;
  /** After the drain, when nothing more is published to other nodes. */
  close(): Promise<void>;
  readonly draining: boolean;
}
