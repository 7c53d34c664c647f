/**
 * Subscriptions to tables on this node. Every node reads the change feed itself, so nothing here
 * goes through the broker. Members that follow the same rows with the same rights are one group: a
 * change is matched once for a group, and encoded once for each protocol.
 */
import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Events } from "../protocol/native.ts";
import { type Subscribe, type Subscribed, TABLES } from "../protocol/tables.ts";
import type { EventBus } from "../domain/events.ts";
import { audienceOf } from "../domain/principal.ts";
import { readersKey } from "../domain/tables/readers.ts";
import type { Change, TableQuery, Tables } from "../domain/tables/service.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import { requirePrincipal } from "./require_principal.ts";
import { createTableGroups, type Group, type Joining, type Member } from "./table_groups.ts";
import { createTableLines, type Line } from "./table_lines.ts";

export interface TableSubscriptions {
  /**
   * Starts one, or continues after a position. `accept` sends the answer before later changes.
   *
   * @throws {ParleyError} `forbidden`, `invalid`, `too_many_subscriptions`, `overloaded`.
   */
  subscribe(
    connection: Connection,
    request: Subscribe,
    accept: (result: Subscribed) => void,
  ): Promise<Subscribed>;
  unsubscribe(connection: Connection, subscription: string): void;
  /** Follows everything that the connection may see, for a protocol without subscriptions. */
  followAll(connection: Connection, accept: () => void): Promise<void>;
}

export interface TableSubscriptionsOptions {
  bus: EventBus;
  tables: Tables;
  node: string;
}

type End = Pick<Events["subscription_ended"], "code" | "reason">;

/** Changes that wait for the start position of a member. */
const MAX_HELD = 2000;

export function createTableSubscriptions(options: TableSubscriptionsOptions): TableSubscriptions {
  const { bus, tables, node } = options;
  const groups = createTableGroups(tables, node);

  function end(connection: Connection, group: Group, { code, reason }: End): void {
    const member = group.members.get(connection);
    groups.leave(connection, group);
    // A client without subscriptions cannot subscribe again; it starts again when it reconnects.
    if (code === "overloaded" && member?.isRequested === false) {
      return connection.close(CLOSE.resync);
    }
    const { id: subscription, query: { table } } = group;
    const timestamp = new Date().toISOString();
    const data = { subscription, table, code, reason };
    connection.sendEvent({ type: "subscription_ended", timestamp, data });
  }

  /** Rights may have changed since they were checked. */
  function maySee(connection: Connection, member: Member, { query }: Group): boolean {
    const { principal } = connection;
    if (principal === member.principal) return true;
    if (principal === null || readersKey(principal, query.table) !== query.readers.key) {
      return false;
    }
    member.principal = principal;
    return true;
  }

  function deliver(changes: readonly Change[]): void {
    const lines = createTableLines();
    const ends: [Connection, Group, End][] = [];
    for (const change of changes) {
      for (const group of groups.candidates(change)) {
        const data = tables.match(group.query, change);
        if (data === null) continue;
        const event: HubEvent = {
          type: "database_change",
          timestamp: data.timestamp,
          data: { subscription: group.id, ...data },
        };
        const encoded = new Map<Protocol, Line | null>();
        for (const [connection, member] of group.members) {
          if (!maySee(connection, member, group)) {
            ends.push([connection, group, {
              code: "forbidden",
              reason: `Cannot go on with "${group.query.table}": the rights to it have changed`,
            }]);
          } else if (member.joining !== null) {
            hold(member.joining, change.id, event);
          } else if (change.id > member.from) {
            const line = encodeOnce(encoded, connection, event);
            if (line !== null) lines.add(connection, line);
          }
        }
      }
      ends.push(...endsOf(change));
    }
    lines.send();
    for (const [connection, group, why] of ends) {
      if (group.members.has(connection)) end(connection, group, why);
    }
  }

  /** When a session ends in the table, the subscriptions of its visitor end. */
  function endsOf(change: Change): [Connection, Group, End][] {
    if (change.table !== "chat_sessions" || change.old === null) return [];
    if (change.new !== null && (change.new["ended_at"] ?? null) === null) return [];
    const owner = `session:${change.old["id"]}`;
    return [...groups.all()].filter(({ query }) => query.readers.owners?.includes(owner))
      .flatMap((group) =>
        [...group.members.keys()].map((connection): [Connection, Group, End] => [
          connection,
          group,
          {
            code: "invalid_session",
            reason: `Cannot go on with "${group.query.table}": the session has ended`,
          },
        ])
      );
  }

  /** Joins the groups; `accept` is called with the position where the members start. */
  async function join<T extends { position: number }>(
    connection: Connection,
    queries: TableQuery[],
    isRequested: boolean,
    read: () => Promise<T>,
    accept: (state: T, joined: Group[]) => void,
  ): Promise<void> {
    const principal = requirePrincipal(connection, "subscribe");
    const joining: Joining = { held: [] };
    const joined = queries.map((query) => {
      const member: Member = { principal, from: 0, joining, isRequested };
      return { member, group: groups.join(connection, query, member) };
    });
    try {
      await Promise.all(joined.map(({ group }) => group.started));
      const state = await read();
      if (connection.isOver) return;
      if (joining.held === null) {
        throw new ParleyError("overloaded", "Cannot subscribe: too much changes at this moment", {
          retryAfter: 1000,
        });
      }
      accept(state, joined.map(({ group }) => group));
      for (const { id, event } of joining.held) {
        if (id > state.position) connection.sendEvent(event);
      }
      for (const { member } of joined) {
        member.from = state.position;
        member.joining = null;
      }
    } catch (error) {
      for (const { group, member } of joined) {
        if (group.members.get(connection) === member) groups.leave(connection, group);
      }
      throw error;
    }
  }

  bus.on("table.changed", ({ changes }) => deliver(changes));
  bus.on("table.lost", () => {
    for (const group of [...groups.all()]) {
      for (const connection of [...group.members.keys()]) {
        end(connection, group, {
          code: "overloaded",
          reason: `Cannot go on with "${group.query.table}": changes were lost, read it anew`,
        });
      }
    }
  });

  return {
    async subscribe(connection, { after, ...request }, accept) {
      const query = await tables.query(requirePrincipal(connection, "subscribe"), request);
      const own = groups.of(connection);
      const known = [...own.values()].find((group) => group.query.key === query.key);
      if (known !== undefined && after === undefined) {
        // It continues. A new start would skip the changes that are under way.
        const position = tables.nameOf(await tables.position());
        return { subscription: known.id, position };
      }
      if (known === undefined && own.size >= connection.limits.subscriptions) {
        throw new ParleyError(
          "too_many_subscriptions",
          `Cannot subscribe: this connection follows ${own.size} tables already`,
          { limit: "MAX_SUBSCRIPTIONS" },
        );
      }
      let result: Subscribed | undefined;
      await join(connection, [query], true, async () => {
        const position = await tables.position();
        const changes = after === undefined
          ? undefined
          : await tables.missed(query, after, position);
        return { position, changes };
      }, ({ position, changes }, [group]) => {
        result = { subscription: group!.id, position: tables.nameOf(position) };
        if (changes !== undefined) {
          Object.assign(result, { recovered: changes !== null, changes: changes ?? [] });
        }
        accept(result);
      });
      if (result === undefined) {
        throw new ParleyError("conflict", "Cannot subscribe: the connection is over");
      }
      return result;
    },

    unsubscribe(connection, subscription) {
      const group = groups.of(connection).get(subscription);
      if (group === undefined) {
        throw new ParleyError("not_found", `Cannot find the subscription "${subscription}"`);
      }
      groups.leave(connection, group);
    },

    async followAll(connection, accept) {
      const principal = requirePrincipal(connection, "subscribe");
      const visible = TABLES.filter((table) => readersKey(principal, table) !== null);
      const queries = await Promise.all(visible.map((table) => tables.query(principal, { table })));
      if (connection.isOver) return;
      const read = async () => ({ position: await tables.position() });
      await join(connection, queries, false, read, accept);
    },
  };
}

function hold(joining: Joining, id: number, event: HubEvent): void {
  if (joining.held === null || joining.held.length >= MAX_HELD) joining.held = null;
  else joining.held.push({ id, event });
}

function encodeOnce(
  encoded: Map<Protocol, Line | null>,
  { protocol, principal }: Connection,
  event: HubEvent,
): Line | null {
  let line = encoded.get(protocol);
  if (line === undefined) {
    // The members of a group are either all agents or all visitors.
    const text = principal === null ? null : protocol.encode(event, null, audienceOf(principal));
    encoded.set(protocol, line = text === null ? null : { text });
  }
  return line;
}
