import type { Member } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import { pageOf } from "./page_of.ts";
import { ROOMS } from "./rooms.ts";
import { createRoster } from "./roster.ts";
import type { TimerWheel } from "./timer_wheel.ts";

/** What a connection hears of the others in a conversation: each one, their number, or nothing. */
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
  /** Milliseconds without a connection before someone has left. */
  graceMs: number;
  now: () => Date;
}

/** How often the number of a conversation's members is told at most. */
const COUNT_EVERY_MS = 1000;

interface Inside {
  conversationId: string;
  member: Member;
}

/** Who is in which conversation, by person, on all nodes. */
export function createMembers({ hub, nodes, wheel, graceMs, now }: MembersOptions): Members {
  const byConversation = new Map<string, Map<string, Member>>();
  /** Connections of this node by "conversationId userId", and what cancels a departure. */
  const here = new Map<string, { count: number; stay: (() => void) | null }>();
  const counting = new Set<string>();
  const roster = createRoster<Inside>({
    nodes,
    name: "members",
    onCame(_key, { conversationId, member }) {
      const members = byConversation.get(conversationId) ?? new Map<string, Member>();
      byConversation.set(conversationId, members.set(member.userId, member));
      announce("user_joined", conversationId, member);
    },
    onChanged: () => {},
    onGone(_key, { conversationId, member }) {
      const members = byConversation.get(conversationId);
      members?.delete(member.userId);
      if (members?.size === 0) byConversation.delete(conversationId);
      announce("user_left", conversationId, member);
    },
  });

  /** Every node tells its own clients, as soon as it knows. */
  function announce(type: "user_joined" | "user_left", id: string, member: Member): void {
    const timestamp = now().toISOString();
    const event = { type, timestamp, data: { conversationId: id, ...member } } as const;
    hub.publishHere({
      room: ROOMS.members(id),
      forAgents: event,
      forVisitors: event,
      exceptUser: member.userId,
    });
    announceCount(id);
  }

  /** However many come and go, their number is told once a second. */
  function announceCount(id: string): void {
    if (counting.has(id)) return;
    counting.add(id);
    wheel.after(COUNT_EVERY_MS, () => {
      counting.delete(id);
      const event = {
        type: "member_count",
        timestamp: now().toISOString(),
        data: { conversationId: id, count: byConversation.get(id)?.size ?? 0 },
      } as const;
      hub.publishHere({ room: ROOMS.memberCount(id), forAgents: event, forVisitors: event });
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
      const known = here.get(key);
      if (known !== undefined) {
        known.stay?.();
        known.stay = null;
        known.count++;
        return;
      }
      here.set(key, { count: 1, stay: null });
      roster.add(key, { conversationId, member: { userId, userName, role: kind } });
    },

    leave(connection, conversationId) {
      const { principal } = connection;
      if (principal === null || !connection.conversations.delete(conversationId)) return;
      hub.leave(connection, ROOMS.members(conversationId));
      hub.leave(connection, ROOMS.memberCount(conversationId));
      const key = `${conversationId} ${principal.userId}`;
      const person = here.get(key);
      if (person === undefined || --person.count > 0) return;
      person.stay = wheel.after(graceMs, () => {
        if (person.count > 0) return;
        here.delete(key);
        roster.remove(key);
      });
    },

    page(conversationId, { cursor, limit }) {
      const all = [...(byConversation.get(conversationId)?.values() ?? [])];
      return pageOf(all, (one) => one.userId, cursor, limit, (items, next) => ({
        members: items,
        memberCount: all.length,
        membersCursor: next,
      }));
    },
  };
}
