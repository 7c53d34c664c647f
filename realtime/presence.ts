import type { Page, Presence } from "../protocol/model.ts";
import type { Member } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { TimerWheel } from "./timer_wheel.ts";

interface Present {
  presence: Presence;
  connections: Set<Connection>;
  /** Cancels the pending departure. */
  stay: (() => void) | null;
}

interface Inside {
  member: Member;
  count: number;
  stay: (() => void) | null;
}

export interface PresenceOptions {
  hub: Hub;
  wheel: TimerWheel;
  /** Milliseconds without a connection before someone counts as gone. */
  graceMs: number;
  onGone?: (userId: string, role: Presence["role"]) => void;
  now?: () => Date;
}

export interface PresenceTracker {
  enter(connection: Connection): void;
  /** An agent's own choice; ignored for others. */
  setStatus(userId: string, status: "online" | "away"): void;
  setPage(userId: string, page: Page): void;
  rename(userId: string, userName: string): void;
  /** A page of who is online, agents first; the cursor of the last page goes on behind it. */
  page(query: PresenceQuery): { presence: Presence[]; presenceCursor: string | null };
  count(): { agents: number; visitors: number };
  join(connection: Connection, conversationId: string, mode: MembersMode): void;
  leave(connection: Connection, conversationId: string): void;
  members(
    conversationId: string,
    query: { cursor?: string | undefined; limit: number },
  ): { members: Member[]; memberCount: number; membersCursor: string | null };
}

export type MembersMode = "list" | "count" | "none";

export interface PresenceQuery {
  role?: "agent" | "visitor" | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** How often the number of a conversation's members is told at most. */
const COUNT_EVERY_MS = 1000;

/**
 * Who is there, by person and not by connection: a second tab changes nothing, and a page change
 * does not make anybody flicker, because leaving counts only after a grace.
 */
export function createPresence(options: PresenceOptions): PresenceTracker {
  const { hub, wheel, graceMs, onGone, now = () => new Date() } = options;
  // Apart, because everybody who comes is told of the agents, and agents are few.
  const people = { agent: new Map<string, Present>(), visitor: new Map<string, Present>() };
  const find = (userId: string) => people.agent.get(userId) ?? people.visitor.get(userId);
  const inside = new Map<string, Map<string, Inside>>();
  const counting = new Set<string>();

  function announce(presence: Presence): void {
    const event = { type: "presence", timestamp: now().toISOString(), data: presence } as const;
    hub.publish({ room: ROOMS.agents, forAgents: event, forVisitors: null });
    if (presence.role === "agent") {
      hub.publish({ room: ROOMS.visitors, forAgents: null, forVisitors: event });
    }
  }

  function change(userId: string, changes: Partial<Presence>): void {
    const person = find(userId);
    if (person === undefined) return;
    const since = changes.status !== undefined && changes.status !== person.presence.status
      ? now().toISOString()
      : person.presence.since;
    person.presence = { ...person.presence, ...changes, since };
    announce(person.presence);
  }

  function gone(userId: string): void {
    const person = find(userId);
    if (person === undefined || person.connections.size > 0) return;
    people.agent.delete(userId);
    people.visitor.delete(userId);
    announce({ ...person.presence, status: "offline", since: now().toISOString() });
    onGone?.(userId, person.presence.role);
  }

  function publishMember(type: "user_joined" | "user_left", id: string, member: Member): void {
    const event = {
      type,
      timestamp: now().toISOString(),
      data: { conversationId: id, ...member },
    } as const;
    hub.publish({
      room: ROOMS.members(id),
      forAgents: event,
      forVisitors: event,
      exceptUser: member.userId,
    });
    publishCount(id);
  }

  /** However many come and go, their number is told once a second. */
  function publishCount(id: string): void {
    if (counting.has(id)) return;
    counting.add(id);
    wheel.after(COUNT_EVERY_MS, () => {
      counting.delete(id);
      const event = {
        type: "member_count",
        timestamp: now().toISOString(),
        data: { conversationId: id, count: inside.get(id)?.size ?? 0 },
      } as const;
      hub.publish({ room: ROOMS.memberCount(id), forAgents: event, forVisitors: event });
    });
  }

  return {
    enter(connection) {
      const { principal } = connection;
      if (principal === null) return;
      const { userId, userName, kind } = principal;
      const known = find(userId);
      if (known !== undefined) {
        known.stay?.();
        known.stay = null;
        known.connections.add(connection);
      } else {
        const presence: Presence = {
          userId,
          userName,
          role: kind,
          status: "online",
          since: now().toISOString(),
        };
        people[kind].set(userId, { presence, connections: new Set([connection]), stay: null });
        announce(presence);
      }
      connection.cleanups.push(() => {
        const person = find(userId);
        if (person === undefined || !person.connections.delete(connection)) return;
        if (person.connections.size === 0) {
          person.stay = wheel.after(graceMs, () => gone(userId));
        }
      });
    },

    setStatus(userId, status) {
      if (find(userId)?.presence.role === "agent") change(userId, { status });
    },
    setPage: (userId, page) => change(userId, { page }),
    rename: (userId, userName) => change(userId, { userName }),

    page({ role, cursor, limit }) {
      const agents = role === "visitor" ? [] : byRole("agent");
      const visitors = role === "agent" ? [] : byRole("visitor");
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
    count() {
      return { agents: people.agent.size, visitors: people.visitor.size };
    },

    join(connection, conversationId, mode) {
      const { principal } = connection;
      if (principal === null) return;
      for (const room of [ROOMS.members(conversationId), ROOMS.memberCount(conversationId)]) {
        hub.leave(connection, room);
      }
      if (mode === "list") hub.join(connection, ROOMS.members(conversationId));
      if (mode === "count") hub.join(connection, ROOMS.memberCount(conversationId));
      if (connection.conversations.has(conversationId)) return;
      connection.conversations.add(conversationId);
      const here = inside.get(conversationId) ?? new Map<string, Inside>();
      inside.set(conversationId, here);
      const known = here.get(principal.userId);
      if (known !== undefined) {
        known.stay?.();
        known.stay = null;
        known.count++;
        return;
      }
      const { userId, userName, kind } = principal;
      const member: Member = { userId, userName, role: kind };
      here.set(userId, { member, count: 1, stay: null });
      publishMember("user_joined", conversationId, member);
    },

    leave(connection, conversationId) {
      const { principal } = connection;
      if (principal === null || !connection.conversations.delete(conversationId)) return;
      hub.leave(connection, ROOMS.members(conversationId));
      hub.leave(connection, ROOMS.memberCount(conversationId));
      const here = inside.get(conversationId);
      const person = here?.get(principal.userId);
      if (here === undefined || person === undefined || --person.count > 0) return;
      person.stay = wheel.after(graceMs, () => {
        if (person.count > 0) return;
        here.delete(principal.userId);
        if (here.size === 0) inside.delete(conversationId);
        publishMember("user_left", conversationId, person.member);
      });
    },

    members(conversationId, { cursor, limit }) {
      const all = [...(inside.get(conversationId)?.values() ?? [])].map((one) => one.member);
      return pageOf(all, (one) => one.userId, cursor, limit, (items, next) => ({
        members: items,
        memberCount: all.length,
        membersCursor: next,
      }));
    },
  };

  function byRole(role: "agent" | "visitor"): Presence[] {
    return [...people[role].values()].map((one) => one.presence);
  }
}

/**
 * One page in the order of the list, which is the order of coming: who comes later stands behind
 * the cursor, so walking the pages misses nobody who stays.
 */
function pageOf<T, R>(
  all: T[],
  keyOf: (one: T) => string,
  cursor: string | undefined,
  limit: number,
  make: (items: T[], next: string | null) => R,
): R {
  const start = cursor === undefined ? 0 : all.findIndex((one) => keyOf(one) === cursor) + 1;
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  const more = last !== undefined && start + limit < all.length;
  return make(items, more ? keyOf(last) : null);
}
