/** Subscriptions to tables: rights, filters, and missed changes. */
import type { Change, ChangeFeed, Hint } from "../../db/change_feed.ts";
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import {
  CHANGE_EVENTS,
  type ChangeEvent,
  type DatabaseChange,
  type Subscribe,
  type TableName,
} from "../../protocol/tables.ts";
import type { Principal } from "../principal.ts";
import { hashSecret } from "../secrets.ts";
import { type Readers, readersOf, sessionByHash } from "./readers.ts";
import { CATALOGUE, type ColumnType } from "./catalogue.ts";
import { canonical, type Condition, fits, parseFilter, refuse } from "./filter.ts";
import { redact } from "./redaction.ts";
import { seenBy } from "./view.ts";

export type { Change };

/** A subscription. All with the same `key` get the same changes. */
export interface TableQuery {
  key: string;
  table: TableName;
  readers: Readers;
  events: readonly ChangeEvent[];
  conditions: readonly Condition[];
}

export interface Tables {
  /**
   * @throws {ParleyError} `forbidden` for a table or rows that the principal may not see, `invalid` for a filter with an unknown column or a bad value.
   */
  query(principal: Principal, request: Omit<Subscribe, "after">): Promise<TableQuery>;
  /** The change as this subscription sees it; null where it does not match. */
  match(query: TableQuery, change: Change): DatabaseChange | null;
  /** The position of the last commit: every later change has a higher id. */
  position(): Promise<number>;
  /** A position in the form that clients see. */
  nameOf(position: number): string;
  /**
   * Changes after `after`, an id or position that a client sent, up to `upTo`. null: they are no
   * longer known, or too many.
   */
  missed(query: TableQuery, after: string, upTo: number): Promise<DatabaseChange[] | null>;
  /** Delivers its changes until the returned function is called; see `ChangeFeed.hold`. */
  hold(query: TableQuery): Promise<() => void>;
}

export interface TablesOptions {
  db: Db;
  feed: ChangeFeed;
  epoch: string;
  /** Changes in one replay. */
  maxReplay: number;
}

/** Changes of all tables that are scanned for one replay. */
const MAX_SCAN = 20_000;

export function createTables(options: TablesOptions): Tables {
  const { db, feed, epoch, maxReplay } = options;
  const nameOf = (position: number) => `${epoch}-${position}`;

  function match(query: TableQuery, change: Change): DatabaseChange | null {
    const seen = seenBy(change, query.readers);
    if (seen === null || !query.events.includes(seen.event)) return null;
    if (!fits(query.conditions, seen.data)) return null;
    const { event, ...rows } = seen;
    return {
      id: nameOf(change.id),
      table: query.table,
      event,
      eventType: event,
      ...rows,
      timestamp: change.at.toISOString(),
    };
  }

  return {
    match,
    nameOf,
    position: () => feed.position(),
    hold: (query) => feed.hold(neededBy(query)),

    async query(principal, { table, events = CHANGE_EVENTS, filter = "" }) {
      const readers = await readersOf(db, principal, table);
      const visible = readers.policy.columns.map((
        column,
      ): [string, ColumnType] => [column, CATALOGUE[table].columns[column]!]);
      const columns = Object.fromEntries(visible);
      const conditions = await resolveSessions(db, parseFilter(filter, columns), columns);
      refuseForeign(table, readers, conditions);
      const wanted = CHANGE_EVENTS.filter((event) => events.includes(event));
      const key = JSON.stringify([table, readers.key, wanted, canonical(conditions)]);
      return { key, table, readers, events: wanted, conditions };
    },

    async missed(query, after, upTo) {
      const from = positionIn(after, epoch);
      if (from === null || from > upTo || upTo - from > MAX_SCAN) return null;
      const changes = await feed.between(query.table, from, upTo, hintsOf(query));
      if (changes === null) return null;
      const redacted = await redact(db, query.table, changes, query.readers.policy);
      const missed = redacted.flatMap((change) => match(query, change) ?? []);
      return missed.length > maxReplay ? null : missed;
    },
  };
}

/** The tables that have to be recorded to follow one. */
function neededBy({ table, readers }: TableQuery): TableName[] {
  const needed = new Set<TableName>([table]);
  // When a message is deleted, its preview is removed from recorded changes of the conversation.
  if (table === "conversations") needed.add("chat_messages");
  // A visitor's subscription ends with their session.
  if (readers.owners !== null) needed.add("chat_sessions");
  return [...needed];
}

/** null: of another epoch. @throws {ParleyError} `invalid` */
function positionIn(after: string, epoch: string): number | null {
  const [, prefix, digits] = /^([0-9a-f]+)-(\d{1,15})$/.exec(after) ?? [];
  if (prefix === undefined) {
    throw new ParleyError("invalid", `Cannot subscribe: "after" is "${after}", which is no id`, {
      fields: [{ path: "after", message: "must be the id of a change, or a position" }],
    });
  }
  return prefix === epoch ? Number(digits) : null;
}

/** Rows have the public id of a session. A filter may name the secret instead, which visitors know. */
async function resolveSessions(
  db: Db,
  conditions: Condition[],
  columns: Readonly<Record<string, ColumnType>>,
): Promise<Condition[]> {
  const isSecret = (value: unknown) => typeof value === "string" && !/^[0-9a-f-]{36}$/.test(value);
  return await Promise.all(conditions.map(async (condition) => {
    if (columns[condition.column] !== "session" || !condition.values.some(isSecret)) {
      return condition;
    }
    const values = await Promise.all(condition.values.map(async (value) => {
      if (!isSecret(value)) return value;
      const id = await sessionByHash(db, await hashSecret(value as string));
      // The value is not quoted in the error: it may be a secret.
      if (id === null) throw refuse(`"${condition.column}" names no session that there is`);
      return id;
    }));
    return { ...condition, values };
  }));
}

/** Refuses a filter on somebody else's rows, which would never match. */
function refuseForeign(
  table: TableName,
  { owners }: Readers,
  conditions: readonly Condition[],
): void {
  if (owners === null) return;
  const kinds: Record<string, string> = { ...CATALOGUE[table].owners, session_id: "session" };
  for (const { column, operator, values } of conditions) {
    const kind = kinds[column];
    const known = owners.some((owner) => owner.startsWith(`${kind}:`));
    if (operator !== "=" || kind === undefined || !known) continue;
    if (owners.includes(`${kind}:${values[0]}`)) continue;
    throw new ParleyError(
      "forbidden",
      `Cannot subscribe to "${table}": what "${column}" names is somebody else's`,
    );
  }
}

/** Conditions that the database can check before rows are matched one by one. */
function hintsOf({ table, readers, conditions }: TableQuery): Hint[] {
  const hints: Hint[] = [];
  const { owners } = readers;
  if (owners !== null) {
    hints.push(
      Object.entries(CATALOGUE[table].owners).flatMap(([column, kind]) => {
        const values = owners.filter((owner) => owner.startsWith(`${kind}:`))
          .map((owner) => owner.slice(kind.length + 1));
        return values.length === 0 ? [] : [{ column, values }];
      }),
    );
  }
  for (const { column, operator, values } of conditions) {
    const type = CATALOGUE[table].columns[column];
    const exact = type === "id" || type === "session" || type === "text";
    const texts = values.filter((value) => typeof value === "string");
    if (!exact || texts.length < values.length) continue;
    if (operator === "=" || operator === "in") hints.push([{ column, values: texts }]);
  }
  return hints;
}
