import { ParleyError } from "../protocol/errors.ts";
import { MAX_MEMBERS, type SessionMember } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import { ROOMS } from "./rooms.ts";
import { createReplicatedMap } from "./replicated_map.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface DocumentName {
  documentId: string;
  /** The name that the context gives it; null for documents that belong to something else. */
  sessionId: string | null;
}

export interface DocumentMembers {
  /**
   * @returns all members, with the one that joins.
   *
   * @throws {ParleyError} `too_many_subscriptions`.
   */
  join(
    connection: Connection,
    name: DocumentName,
    label: string,
  ): { members: SessionMember[]; memberCount: number };
  /** @throws {ParleyError} `not_joined`. */
  leave(connection: Connection, documentId: string): void;
}

interface Membership extends DocumentName {
  room: string;
  member: SessionMember;
}

/**
 * Who works on each shared document, by person, on all nodes. A member whose connection is lost
 * leaves after a grace; a member that sends `leave_session` leaves at once.
 */
export function createDocumentMembers(options: {
  hub: Hub;
  nodes: Nodes;
  wheel: TimerWheel;
  graceMs: number;
  now?: () => Date;
}): DocumentMembers {
  const { hub, nodes, wheel, graceMs, now = () => new Date() } = options;
  const byRoom = new Map<string, Map<string, SessionMember>>();
  /** By "room userId": connections to this node, and what cancels a pending departure. */
  const local = new Map<
    string,
    { connections: Set<Connection>; cancelLeave: (() => void) | null }
  >();
  const joined = new WeakMap<Connection, Set<string>>();
  const memberships = createReplicatedMap<Membership>({
    nodes,
    name: "sessions",
    onAdded: (_key, membership) => set(membership),
    onChanged: (_key, membership) => set(membership),
    onRemoved(_key, membership) {
      const members = byRoom.get(membership.room);
      members?.delete(membership.member.userId);
      if (members?.size === 0) byRoom.delete(membership.room);
      announce("session_left", membership);
    },
  });

  function set(membership: Membership): void {
    const { room, member } = membership;
    const members = byRoom.get(room) ?? new Map<string, SessionMember>();
    byRoom.set(room, members.set(member.userId, member));
    announce("session_joined", membership);
  }

  /** Each node informs its own clients, as soon as it knows. */
  function announce(type: "session_joined" | "session_left", membership: Membership): void {
    const { room, documentId, sessionId, member } = membership;
    const data = { documentId, sessionId, ...member };
    const event = { type, timestamp: now().toISOString(), data } as const;
    hub.publishLocal({ room, forAgents: event, forVisitors: event, exceptUser: member.userId });
  }

  function roomsOf(connection: Connection): Set<string> {
    let rooms = joined.get(connection);
    if (rooms === undefined) {
      rooms = new Set();
      joined.set(connection, rooms);
      connection.cleanups.push(() => {
        for (const room of rooms!) remove(connection, room, graceMs);
      });
    }
    return rooms;
  }

  function remove(connection: Connection, room: string, afterMs: number): void {
    const key = keyOf(room, connection);
    const person = local.get(key);
    if (!person?.connections.delete(connection) || person.connections.size > 0) return;
    const leave = () => {
      local.delete(key);
      memberships.remove(key);
    };
    if (afterMs === 0) leave();
    else person.cancelLeave = wheel.after(afterMs, leave);
  }

  const keyOf = (room: string, { principal }: Connection) => `${room} ${principal!.userId}`;

  return {
    join(connection, { documentId, sessionId }, label) {
      const room = ROOMS.documentMembers(documentId);
      const rooms = roomsOf(connection);
      const { subscriptions } = connection.limits;
      if (!rooms.has(room) && rooms.size >= subscriptions) {
        throw new ParleyError(
          "too_many_subscriptions",
          `Cannot join: this connection is in ${subscriptions} sessions already`,
          { limit: "MAX_SUBSCRIPTIONS" },
        );
      }
      rooms.add(room);
      hub.join(connection, room);
      const { userId, userName, kind } = connection.principal!;
      const member: SessionMember = { userId, userName, role: kind, label };
      const key = keyOf(room, connection);
      const known = local.get(key);
      known?.cancelLeave?.();
      const connections = (known?.connections ?? new Set<Connection>()).add(connection);
      local.set(key, { connections, cancelLeave: null });
      memberships.add(key, { room, documentId, sessionId, member });
      if (memberships.get(key)!.member.label !== label) {
        memberships.update(key, (membership) => ({ ...membership, member }));
      }
      const members = [...byRoom.get(room)!.values()];
      return { members: members.slice(0, MAX_MEMBERS), memberCount: members.length };
    },

    leave(connection, documentId) {
      const room = ROOMS.documentMembers(documentId);
      if (!joined.get(connection)?.delete(room)) {
        throw new ParleyError("not_joined", "Cannot leave: join the session first");
      }
      hub.leave(connection, room);
      remove(connection, room, 0);
    },
  };
}
