import type { Member } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import { paginate } from "./paginate.ts";
import { ROOMS } from "./rooms.ts";
import { createReplicatedMap } from "./replicated_map.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/**
 * What a connection receives about the members of a conversation: each one, their number, or
 * nothing.
 */
export type MembersMode = "list" | "count" | "none";

export interface Members {
  join(connection: Connection, conversationId: string, mode: MembersMode): void;
  leave(connection: Connection, conversationId: string): void;
  page(
    conversationId: string,
    query: { cursor?: string | undefined; limit: number },
  ): { members: Member[]; memberCount: number; membersCursor: string | null };
}

export interface MembersOptions {
  hub: Hub;
  nodes: Nodes;
  wheel: TimerWheel;
  /** Milliseconds without a connection after which a member has left. */
  graceMs: number;
  now: () => Date;
}

/** The number of a conversation's members is sent once in this time at most. */
const COUNT_INTERVAL_MS = 1000;

interface Membership {
  conversationId: string;
  member: Member;
}

/** The members of each conversation, by person, on all nodes. */
export function createMembers({ hub, nodes, wheel, graceMs, now }: MembersOptions): Members {
  const byConversation = new Map<string, Map<string, Member>>();
  /** By "conversationId userId": connections to this node, and what cancels a pending departure. */
  const local = new Map<string, { count: number; cancelLeave: (() => void) | null }>();
  /** Conversations whose number of members will be sent. */
  const countPending = new Set<string>();
  const memberships = createReplicatedMap<Membership>({
    nodes,
    name: "members",
    onAdded(_key, { conversationId, member }) {
      const members = byConversation.get(conversationId) ?? new Map<string, Member>();
      byConversation.set(conversationId, members.set(member.userId, member));
      announce("user_joined", conversationId, member);
    },
    onChanged: () => {},
    onRemoved(_key, { conversationId, member }) {
      const members = byConversation.get(conversationId);
      members?.delete(member.userId);
      if (members?.size === 0) byConversation.delete(conversationId);
      announce("user_left", conversationId, member);
    },
  });

  /** Each node informs its own clients, as soon as it knows. */
  function announce(type: "user_joined" | "user_left", id: string, member: Member): void {
    const timestamp = now().toISOString();
    const event = { type, timestamp, data: { conversationId: id, ...member } } as const;
    hub.publishLocal({
      room: ROOMS.members(id),
      forAgents: event,
      forVisitors: event,
      exceptUser: member.userId,
    });
    announceCount(id);
  }

  /** Once a second at most, however many members join and leave. */
  function announceCount(id: string): void {
    if (countPending.has(id)) return;
    countPending.add(id);
    wheel.after(COUNT_INTERVAL_MS, () => {
      countPending.delete(id);
      const event = {
        type: "member_count",
        timestamp: now().toISOString(),
        data: { conversationId: id, count: byConversation.get(id)?.size ?? 0 },
      } as const;
      hub.publishLocal({ room: ROOMS.memberCount(id), forAgents: event, forVisitors: event });
    });
  }

  return {
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
      const { userId, userName, kind } = principal;
      const key = `${conversationId} ${userId}`;
      const known = local.get(key);
      if (known !== undefined) {
        known.cancelLeave?.();
        known.cancelLeave = null;
        known.count++;
        return;
      }
      local.set(key, { count: 1, cancelLeave: null });
      memberships.add(key, { conversationId, member: { userId, userName, role: kind } });
    },

    leave(connection, conversationId) {
      const { principal } = connection;
      if (principal === null || !connection.conversations.delete(conversationId)) return;
      hub.leave(connection, ROOMS.members(conversationId));
      hub.leave(connection, ROOMS.memberCount(conversationId));
      const key = `${conversationId} ${principal.userId}`;
      const person = local.get(key);
      if (person === undefined || --person.count > 0) return;
      person.cancelLeave = wheel.after(graceMs, () => {
        if (person.count > 0) return;
        local.delete(key);
        memberships.remove(key);
      });
    },

    page(conversationId, { cursor, limit }) {
      const all = [...(byConversation.get(conversationId)?.values() ?? [])];
      return paginate(all, (member) => member.userId, cursor, limit, (items, next) => ({
        members: items,
        memberCount: all.length,
        membersCursor: next,
      }));
    },
  };
}
