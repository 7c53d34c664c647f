import { ParleyError } from "../protocol/errors.ts";
import { MAX_MEMBERS, type SessionMember } from "../protocol/native.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { Nodes } from "./nodes.ts";
import { ROOMS } from "./rooms.ts";
import { createRoster } from "./roster.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface SessionName {
  documentId: string;
  /** The context's own name of it; null for documents that belong to something else. */
  sessionId: string | null;
}

export interface SessionTracker {
  /** @returns who is there, the joiner included. @throws {ParleyError} `too_many_subscriptions`. */
  join(
    connection: Connection,
    name: SessionName,
    label: string,
  ): { members: SessionMember[]; memberCount: number };
  /** @throws {ParleyError} `not_joined`. */
  leave(connection: Connection, documentId: string): void;
}

interface Inside extends SessionName {
  room: string;
  member: SessionMember;
}

/**
 * Who works on which shared document, by person, on all nodes: a lost connection counts only
 * after a grace, leaving on purpose at once.
 */
export function createSessions(options: {
  hub: Hub;
  nodes: Nodes;
  wheel: TimerWheel;
  graceMs: number;
  now?: () => Date;
}): SessionTracker {
  const { hub, nodes, wheel, graceMs, now = () => new Date() } = options;
  const byRoom = new Map<string, Map<string, SessionMember>>();
  /** Connections of this node by "room userId", and what cancels a departure. */
  const here = new Map<string, { connections: Set<Connection>; stay: (() => void) | null }>();
  const joined = new WeakMap<Connection, Set<string>>();
  const roster = createRoster<Inside>({
    nodes,
    name: "sessions",
    onCame: (_key, inside) => enter(inside),
    onChanged: (_key, inside) => enter(inside),
    onGone(_key, inside) {
      const people = byRoom.get(inside.room);
      people?.delete(inside.member.userId);
      if (people?.size === 0) byRoom.delete(inside.room);
      announce("session_left", inside);
    },
  });

  function enter(inside: Inside): void {
    const people = byRoom.get(inside.room) ?? new Map<string, SessionMember>();
    byRoom.set(inside.room, people.set(inside.member.userId, inside.member));
    announce("session_joined", inside);
  }

  /** Every node tells its own clients, as soon as it knows. */
  function announce(type: "session_joined" | "session_left", inside: Inside): void {
    const { room, documentId, sessionId, member } = inside;
    const data = { documentId, sessionId, ...member };
    const event = { type, timestamp: now().toISOString(), data } as const;
    hub.publishHere({ room, forAgents: event, forVisitors: event, exceptUser: member.userId });
  }

  function roomsOf(connection: Connection): Set<string> {
    let rooms = joined.get(connection);
    if (rooms === undefined) {
      rooms = new Set();
      joined.set(connection, rooms);
      connection.cleanups.push(() => {
        for (const room of rooms!) drop(connection, room, graceMs);
      });
    }
    return rooms;
  }

  function drop(connection: Connection, room: string, afterMs: number): void {
    const key = keyOf(room, connection);
    const person = here.get(key);
    if (!person?.connections.delete(connection) || person.connections.size > 0) return;
    const gone = () => {
      here.delete(key);
      roster.remove(key);
    };
    if (afterMs === 0) gone();
    else person.stay = wheel.after(afterMs, gone);
  }

  const keyOf = (room: string, { principal }: Connection) => `${room} ${principal!.userId}`;

  return {
    join(connection, { documentId, sessionId }, label) {
      const room = ROOMS.session(documentId);
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
      const known = here.get(key);
      known?.stay?.();
      const connections = (known?.connections ?? new Set<Connection>()).add(connection);
      here.set(key, { connections, stay: null });
      roster.add(key, { room, documentId, sessionId, member });
      if (roster.get(key)!.member.label !== label) {
        roster.change(key, (inside) => ({ ...inside, member }));
      }
      const members = [...byRoom.get(room)!.values()];
      return { members: members.slice(0, MAX_MEMBERS), memberCount: members.length };
    },

    leave(connection, documentId) {
      const room = ROOMS.session(documentId);
      if (!joined.get(connection)?.delete(room)) {
        throw new ParleyError("not_joined", "Cannot leave: join the session first");
      }
      hub.leave(connection, room);
      drop(connection, room, 0);
    },
  };
}
