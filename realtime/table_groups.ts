import type { Change, TableQuery, Tables } from "../domain/tables/service.ts";
import { ownersOf } from "../domain/tables/catalogue.ts";
import type { Principal } from "../domain/principal.ts";
import type { TableName } from "../protocol/tables.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";

/**
 * Changes since a member joined that wait for its start position. null: too many, it has to
 * restart.
 */
export interface Joining {
  held: { id: number; event: HubEvent }[] | null;
}

export interface Member {
  /** The principal whose rights were checked last. */
  principal: Principal;
  /** Changes up to this one are not sent. */
  from: number;
  joining: Joining | null;
  /** The connection subscribed to it by a command, and knows its id. */
  isRequested: boolean;
}

/** All members on this node that follow the same rows with the same rights. */
export interface Group {
  /** The id of the subscription, the same for all of them. */
  id: string;
  query: TableQuery;
  members: Map<Connection, Member>;
  /** Resolves when the feed delivers changes of these rows. */
  started: Promise<() => void>;
}

interface TableIndex {
  /** Groups that see the rows of all owners. */
  ofAll: Set<Group>;
  /** The others by the owners whose rows they see. */
  byOwner: Map<string, Set<Group>>;
}

export type TableGroups = ReturnType<typeof createTableGroups>;

export function createTableGroups(tables: Pick<Tables, "hold">, node: string) {
  const byKey = new Map<string, Group>();
  const byTable = new Map<TableName, TableIndex>();
  const byConnection = new Map<Connection, Map<string, Group>>();
  let lastNumber = 0;

  function indexOf(table: TableName): TableIndex {
    let index = byTable.get(table);
    if (index === undefined) {
      byTable.set(table, index = { ofAll: new Set(), byOwner: new Map() });
    }
    return index;
  }

  function create(query: TableQuery): Group {
    const group: Group = {
      id: `${node}-t${++lastNumber}`,
      query,
      members: new Map(),
      started: tables.hold(query),
    };
    // Members that wait for it handle its failure. Without any, it must not end the process.
    group.started.catch(() => {});
    byKey.set(query.key, group);
    const { ofAll, byOwner } = indexOf(query.table);
    if (query.readers.owners === null) ofAll.add(group);
    for (const owner of query.readers.owners ?? []) {
      const groups = byOwner.get(owner) ?? new Set();
      byOwner.set(owner, groups.add(group));
    }
    return group;
  }

  function discard(group: Group): void {
    if (group.members.size > 0 || byKey.get(group.query.key) !== group) return;
    byKey.delete(group.query.key);
    const { ofAll, byOwner } = indexOf(group.query.table);
    ofAll.delete(group);
    for (const owner of group.query.readers.owners ?? []) {
      const groups = byOwner.get(owner);
      if (groups?.delete(group) === true && groups.size === 0) byOwner.delete(owner);
    }
    group.started.then((release) => release(), () => {});
  }

  return {
    all: () => byKey.values(),

    /** The groups of a connection, by the ids of its subscriptions. */
    of(connection: Connection): ReadonlyMap<string, Group> {
      return byConnection.get(connection) ?? new Map();
    },

    join(connection: Connection, query: TableQuery, member: Member): Group {
      const group = byKey.get(query.key) ?? create(query);
      group.members.set(connection, member);
      let own = byConnection.get(connection);
      if (own === undefined) {
        byConnection.set(connection, own = new Map());
        connection.cleanups.push(() => {
          for (const left of [...byConnection.get(connection)?.values() ?? []]) {
            left.members.delete(connection);
            discard(left);
          }
          byConnection.delete(connection);
        });
      }
      own.set(group.id, group);
      return group;
    },

    leave(connection: Connection, group: Group): void {
      group.members.delete(connection);
      byConnection.get(connection)?.delete(group.id);
      discard(group);
    },

    /** Groups that may see a change, each once. */
    *candidates(change: Change): Generator<Group> {
      const table = change.table as TableName;
      const index = byTable.get(table);
      if (index === undefined) return;
      yield* index.ofAll;
      if (index.byOwner.size === 0) return;
      const owners = new Set([...ownersOf(table, change.old), ...ownersOf(table, change.new)]);
      const found = new Set<Group>();
      for (const owner of owners) {
        for (const group of index.byOwner.get(owner) ?? []) found.add(group);
      }
      yield* found;
    },
  };
}
