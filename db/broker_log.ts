/**
 * A table as the message log between the nodes of one installation, for `realtime/broker_postgres.ts`,
 * where Postgres is the only shared service.
 */
import { sql } from "kysely";
import type { Db } from "./types.ts";
import type { Listen, Listening } from "./listen.ts";

export interface BrokerLogOptions {
  /** Connections of its own, so that slow queries elsewhere do not delay broadcasts. */
  db: Db;
  listen: Listen;
  /** Nodes with different names do not read each other. */
  installation: string;
  /** This node's name, different from every other's. */
  node: string;
}

export interface BrokerLogEntry {
  node: string;
  /** Number of the entry among those of its node, from 1. */
  n: number;
  items: string;
}

const CHANNEL = "parley_broker";

/** Node of the marker row, which shows whether rows of the table were lost. */
const NOBODY = "";

export function createBrokerLog({ db, listen, installation, node }: BrokerLogOptions) {
  const mark = sql`(select items from broker_log
    where installation = ${installation} and node = ${NOBODY} and n = 0)`;

  return {
    /** The current end of the log. */
    async begin(): Promise<{ mark: string; positions: Map<string, number> }> {
      await sql`insert into broker_log (installation, node, n, items)
        values (${installation}, ${NOBODY}, 0, ${crypto.randomUUID()})
        on conflict do nothing`.execute(db);
      const { rows } = await sql<{ mark: string | null; node: string; last: number }>`
        select ${mark} as mark, node, max(n) as last from broker_log
        where installation = ${installation} group by node`.execute(db);
      return {
        mark: rows[0]?.mark ?? "",
        positions: new Map(
          rows.filter((row) => row.node !== NOBODY).map((row) => [row.node, row.last]),
        ),
      };
    },

    /**
     * Appends an entry. Repeating it with the same number changes nothing, so it can be repeated when
     * the outcome is not known.
     *
     * @param forget own entries up to this number are deleted
     */
    async append(n: number, items: string, forget: number): Promise<void> {
      const gone = sql`gone as (delete from broker_log where installation = ${installation}
        and node = ${node} and n <= ${forget}::bigint),`;
      await sql`with ${forget > 0 ? gone : sql``} put as (
          insert into broker_log (installation, node, n, items)
          values (${installation}, ${node}, ${n}, ${items}) on conflict do nothing returning n
        ) select pg_notify(${CHANNEL}, ${node}) from put`.execute(db);
    },

    /** Entries of other nodes after these positions, in order for each node, of one moment. */
    async read(
      after: ReadonlyMap<string, number>,
      limit: number,
    ): Promise<{ mark: string; entries: BrokerLogEntry[] }> {
      const { rows } = await sql<BrokerLogEntry & { mark: string | null }>`
        with recursive others as (
          (select node from broker_log where installation = ${installation}
            and node > ${NOBODY} order by node limit 1)
          union all
          select (select b.node from broker_log b where b.installation = ${installation}
            and b.node > others.node order by b.node limit 1)
          from others where others.node is not null
        ), known as (
          select * from unnest(${[...after.keys()]}::text[], ${[...after.values()]}::bigint[])
            as k (node, n)
        )
        select ${mark} as mark, e.* from (values (1)) as one left join lateral (
          select b.node, b.n, b.items from others cross join lateral (
            select node, n, items from broker_log
            where installation = ${installation} and node = others.node
              and n > coalesce((select k.n from known k where k.node = others.node), 0)
            order by n limit ${limit}
          ) b where others.node <> ${node} order by b.node, b.n limit ${limit}
        ) e on true`.execute(db);
      return {
        mark: rows[0]!.mark ?? "",
        entries: rows.filter((row) => row.n !== null),
      };
    },

    /** Deletes entries of all nodes that are older than this, in milliseconds. */
    async forgetOld(ageMs: number): Promise<void> {
      await sql`delete from broker_log where node <> ${NOBODY}
        and at < now() - make_interval(secs => ${ageMs / 1000})`.execute(db);
    },

    /** Closes the connections. */
    close: () => db.destroy(),

    /** Calls back with the node that appended an entry, or without one when some may be missed. */
    listen: (onAppended: (node?: string) => void): Promise<Listening> =>
      listen(CHANNEL, onAppended),
  };
}
