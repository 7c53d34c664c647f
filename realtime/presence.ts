import type { Page, Presence } from "../protocol/model.ts";
import type { Member } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { createMembers, type MembersMode } from "./members.ts";
import type { Nodes } from "./nodes.ts";
import { paginate } from "./paginate.ts";
import { ROOMS } from "./rooms.ts";
import { createReplicatedMap } from "./replicated_map.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/**
 * Since when an agent is away or offline, in milliseconds since the epoch, as this node knows it.
 */
export interface Absence {
  status: "away" | "offline";
  since: number;
}

/** A person with a connection to this node, or whose last connection ended within the grace. */
interface LocalPerson {
  connections: Set<Connection>;
  /** Cancels a pending departure. */
  cancelLeave: (() => void) | null;
}

export interface PresenceOptions {
  hub: Hub;
  nodes: Nodes;
  wheel: TimerWheel;
  /** Milliseconds without a connection after which a person is offline. */
  graceMs: number;
  /** The grace after the last connection to this node is over; other nodes may have connections. */
  onGone?: (userId: string, role: Presence["role"]) => void;
  /** An agent has come to this node, or says that they are not away any more. */
  onHere?: (userId: string) => void;
  now?: () => Date;
}

export interface PresenceTracker {
  /** The connection is authenticated. */
  add(connection: Connection): void;
  /** The status that an agent has chosen; ignored for other people. */
  setStatus(userId: string, status: "online" | "away"): void;
  setPage(userId: string, page: Page): void;
  rename(userId: string, userName: string): void;
  /** Whether a person has a connection to any node. */
  has(userId: string): boolean;
  /** null: the agent is online. One that this node never saw is offline since it started. */
  absence(userId: string): Absence | null;
  /** A page of the people who are online, agents first. */
  page(query: PresenceQuery): { presence: Presence[]; presenceCursor: string | null };
  /** People on all nodes. */
  count(): { agents: number; visitors: number };
  /** People with connections to this node. */
  localCount(): number;
  join(connection: Connection, conversationId: string, mode: MembersMode): void;
  leave(connection: Connection, conversationId: string): void;
  members(
    conversationId: string,
    query: { cursor?: string | undefined; limit: number },
  ): { members: Member[]; memberCount: number; membersCursor: string | null };
}

export interface PresenceQuery {
  role?: "agent" | "visitor" | undefined;
  cursor?: string | undefined;
  limit: number;
}

/**
 * Presence by person, not by connection: a second tab changes nothing. A person is offline only
 * after a grace without a connection, so a page load is not seen as leaving. Every node knows the
 * people of all nodes, and informs its own clients.
 */
export function createPresence(options: PresenceOptions): PresenceTracker {
  const { hub, nodes, wheel, graceMs, onGone, onHere, now = () => new Date() } = options;
  const started = now().getTime();
  const local = new Map<string, LocalPerson>();
  /** Since when agents that were seen are absent; an agent who was away before keeps that time. */
  const absentSince = new Map<string, number>();
  // Two maps, because everybody who connects gets the list of agents, and agents are few.
  const people = { agent: peopleMap("agents"), visitor: peopleMap("visitors") };
  const members = createMembers({ hub, nodes, wheel, graceMs, now });

  function peopleMap(name: string) {
    return createReplicatedMap<Presence>({
      nodes,
      name,
      onAdded(userId, presence) {
        absentSince.delete(userId);
        announce(presence);
      },
      onChanged: (_userId, presence) => announce(presence),
      onRemoved(userId, presence) {
        const { role, status, since } = presence;
        if (role === "agent") {
          absentSince.set(userId, status === "away" ? Date.parse(since) : now().getTime());
        }
        announce({ ...presence, status: "offline", since: now().toISOString() });
      },
    });
  }

  function announce(presence: Presence): void {
    const event = { type: "presence", timestamp: now().toISOString(), data: presence } as const;
    hub.publishLocal({ room: ROOMS.agents, forAgents: event, forVisitors: null });
    if (presence.role === "agent") {
      hub.publishLocal({ room: ROOMS.visitors, forAgents: null, forVisitors: event });
    }
  }

  function change(userId: string, changes: Partial<Presence>): void {
    for (const map of [people.agent, people.visitor]) {
      map.update(userId, (presence) => {
        const since = changes.status !== undefined && changes.status !== presence.status
          ? now().toISOString()
          : presence.since;
        return { ...presence, ...changes, since };
      });
    }
  }

  function remove(connection: Connection): void {
    const { userId, kind } = connection.principal!;
    const person = local.get(userId);
    if (person === undefined || !person.connections.delete(connection)) return;
    if (person.connections.size > 0) return;
    person.cancelLeave = wheel.after(graceMs, () => {
      local.delete(userId);
      people[kind].remove(userId);
      onGone?.(userId, kind);
    });
  }

  return {
    add(connection) {
      const { principal } = connection;
      if (principal === null) return;
      const { userId, userName, kind } = principal;
      const known = local.get(userId);
      if (known !== undefined) {
        known.cancelLeave?.();
        known.cancelLeave = null;
        known.connections.add(connection);
      } else {
        local.set(userId, { connections: new Set([connection]), cancelLeave: null });
        const since = now().toISOString();
        people[kind].add(userId, { userId, userName, role: kind, status: "online", since });
        if (kind === "agent") onHere?.(userId);
      }
      connection.cleanups.push(remove);
    },

    setStatus(userId, status) {
      if (people.agent.get(userId) === undefined) return;
      change(userId, { status });
      if (status === "online") onHere?.(userId);
    },
    setPage: (userId, page) => change(userId, { page }),
    rename: (userId, userName) => change(userId, { userName }),
    has: (userId) =>
      people.agent.get(userId) !== undefined || people.visitor.get(userId) !== undefined,
    absence(userId) {
      const presence = people.agent.get(userId);
      if (presence === undefined) {
        return { status: "offline", since: absentSince.get(userId) ?? started };
      }
      if (presence.status !== "away") return null;
      return { status: "away", since: Date.parse(presence.since) };
    },

    page({ role, cursor, limit }) {
      const agents = role === "visitor" ? [] : people.agent.values();
      const visitors = role === "agent" ? [] : people.visitor.values();
      return paginate(
        [...agents, ...visitors],
        (person) => person.userId,
        cursor,
        limit,
        (items, next) => ({
          presence: items,
          presenceCursor: next,
        }),
      );
    },
    count: () => ({ agents: people.agent.size, visitors: people.visitor.size }),
    localCount: () => people.agent.localSize + people.visitor.localSize,

    join: members.join,
    leave: members.leave,
    members: members.page,
  };
}
