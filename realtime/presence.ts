import type { Page, Presence } from "../protocol/model.ts";
import type { Member } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { createMembers, type MembersMode } from "./members.ts";
import type { Nodes } from "./nodes.ts";
import { pageOf } from "./page_of.ts";
import { ROOMS } from "./rooms.ts";
import { createRoster } from "./roster.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** Since when somebody is away or offline, in milliseconds since the epoch, as this node knows it. */
export interface Absence {
  status: "away" | "offline";
  since: number;
}

/** Of somebody with a connection to this node, or who had one a moment ago. */
interface Here {
  connections: Set<Connection>;
  /** Cancels the pending departure. */
  stay: (() => void) | null;
}

export interface PresenceOptions {
  hub: Hub;
  nodes: Nodes;
  wheel: TimerWheel;
  /** Milliseconds without a connection before someone counts as gone. */
  graceMs: number;
  /** The last connection to this node is over, and the grace too; there may be others elsewhere. */
  onGone?: (userId: string, role: Presence["role"]) => void;
  now?: () => Date;
}

export interface PresenceTracker {
  enter(connection: Connection): void;
  /** An agent's own choice; ignored for others. */
  setStatus(userId: string, status: "online" | "away"): void;
  setPage(userId: string, page: Page): void;
  rename(userId: string, userName: string): void;
  /** Whether somebody has a connection, on any node. */
  has(userId: string): boolean;
  /** null: this agent is there. Who was never seen is offline since this node started. */
  absence(userId: string): Absence | null;
  /** A page of who is online, agents first; the cursor of the last page goes on behind it. */
  page(query: PresenceQuery): { presence: Presence[]; presenceCursor: string | null };
  /** People on all nodes. */
  count(): { agents: number; visitors: number };
  /** People with connections to this node. */
  countHere(): number;
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
 * Who is there, by person and not by connection: a second tab changes nothing, and a page change
 * does not make anybody flicker, because leaving counts only after a grace. Every node knows who is
 * there on any, and tells its own clients.
 */
export function createPresence(options: PresenceOptions): PresenceTracker {
  const { hub, nodes, wheel, graceMs, onGone, now = () => new Date() } = options;
  const started = now().getTime();
  const here = new Map<string, Here>();
  /** Since when agents are not there who were; one who is away and then gone was away all the time. */
  const absentSince = new Map<string, number>();
  // Apart, because everybody who comes is told of the agents, and agents are few.
  const people = { agent: rosterOf("agents"), visitor: rosterOf("visitors") };
  const members = createMembers({ hub, nodes, wheel, graceMs, now });

  function rosterOf(name: string) {
    return createRoster<Presence>({
      nodes,
      name,
      onCame(userId, presence) {
        absentSince.delete(userId);
        announce(presence);
      },
      onChanged: (_userId, presence) => announce(presence),
      onGone(userId, presence) {
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
    hub.publishHere({ room: ROOMS.agents, forAgents: event, forVisitors: null });
    if (presence.role === "agent") {
      hub.publishHere({ room: ROOMS.visitors, forAgents: null, forVisitors: event });
    }
  }

  function change(userId: string, changes: Partial<Presence>): void {
    for (const roster of [people.agent, people.visitor]) {
      roster.change(userId, (presence) => {
        const since = changes.status !== undefined && changes.status !== presence.status
          ? now().toISOString()
          : presence.since;
        return { ...presence, ...changes, since };
      });
    }
  }

  function exit(connection: Connection): void {
    const { userId, kind } = connection.principal!;
    const person = here.get(userId);
    if (person === undefined || !person.connections.delete(connection)) return;
    if (person.connections.size > 0) return;
    person.stay = wheel.after(graceMs, () => {
      here.delete(userId);
      people[kind].remove(userId);
      onGone?.(userId, kind);
    });
  }

  return {
    enter(connection) {
      const { principal } = connection;
      if (principal === null) return;
      const { userId, userName, kind } = principal;
      const known = here.get(userId);
      if (known !== undefined) {
        known.stay?.();
        known.stay = null;
        known.connections.add(connection);
      } else {
        here.set(userId, { connections: new Set([connection]), stay: null });
        const since = now().toISOString();
        people[kind].add(userId, { userId, userName, role: kind, status: "online", since });
      }
      connection.cleanups.push(exit);
    },

    setStatus(userId, status) {
      if (people.agent.get(userId) !== undefined) change(userId, { status });
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
      return pageOf(
        [...agents, ...visitors],
        (one) => one.userId,
        cursor,
        limit,
        (items, next) => ({
          presence: items,
          presenceCursor: next,
        }),
      );
    },
    count: () => ({ agents: people.agent.size, visitors: people.visitor.size }),
    countHere: () => people.agent.sizeHere + people.visitor.sizeHere,

    join: members.join,
    leave: members.leave,
    members: members.page,
  };
}
