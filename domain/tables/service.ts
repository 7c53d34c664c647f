/** Subscriptions to tables: who may have which, what they match, and what was missed. */
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
import { type Audience, readersOf, sessionByHash } from "./audience.ts";
import { CATALOGUE, type ColumnType } from "./catalogue.ts";
import { canonical, type Condition, fits, parseFilter, refuse } from "./filter.ts";
import { mask } from "./masks.ts";
import { seenBy } from "./view.ts";

export type { Change };

/** What somebody follows. Everybody with the same `key` gets the same changes. */
export interface TableQuery {
  key: string;
  table: TableName;
  audience: Audience;
  events: readonly ChangeEvent[];
  conditions: readonly Condition[];
}

export interface Tables {
  /**
   * @throws {ParleyError} `forbidden` for a table, or rows, that are not the principal's to see,
   * `invalid` for a filter with an unknown column or a bad value.
   */
  query(principal: Principal, request: Omit<Subscribe, "after">): Promise<TableQuery>;
  /** The change as whoever follows this sees it; null where it does not match. */
  match(query: TableQuery, change: Change): DatabaseChange | null;
  /** The position of the last commit: every later change has a higher id. */
  position(): Promise<number>;
  /** A position as clients have it. */
  nameOf(position: number): string;
  /**
   * What was missed after `after`, an id or position as clients have it, up to `upTo`. null: that
   * is not known any more, or too much.
   */
  missed(query: TableQuery, after: string, upTo: number): Promise<DatabaseChange[] | null>;
  /** Lets its changes flow until the returned function is called; see `ChangeFeed.hold`. */
  hold(query: TableQuery): Promise<() => void>;
}

export interface TablesOptions {
  db: Db;
  feed: ChangeFeed;
  epoch: string;
  /** Changes in one answer. */
  maxReplay: number;
}

/** Changes of all tables that are looked through for one answer. */
const MAX_SCAN = 20_000;

export function createTables(options: TablesOptions): Tables {
  const { db, feed, epoch, maxReplay } = options;
  const nameOf = (position: number) => `${epoch}-${position}`;

  function match(query: TableQuery, change: Change): DatabaseChange | null {
    const seen = seenBy(change, query.audience);
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
      const audience = await readersOf(db, principal, table);
      const visible = audience.policy.columns.map((
        column,
      ): [string, ColumnType] => [column, CATALOGUE[table].columns[column]!]);
      const columns = Object.fromEntries(visible);
      const conditions = await resolveSessions(db, parseFilter(filter, columns), columns);
      refuseForeign(table, audience, conditions);
      const wanted = CHANGE_EVENTS.filter((event) => events.includes(event));
      const key = JSON.stringify([table, audience.key, wanted, canonical(conditions)]);
      return { key, table, audience, events: wanted, conditions };
    },

    async missed(query, after, upTo) {
      const from = positionIn(after, epoch);
      if (from === null || from > upTo || upTo - from > MAX_SCAN) return null;
      const changes = await feed.between(query.table, from, upTo, hintsOf(query));
      if (changes === null) return null;
      const masked = await mask(db, query.table, changes, query.audience.policy);
      const missed = masked.flatMap((change) => match(query, change) ?? []);
      return missed.length > maxReplay ? null : missed;
    },
  };
}

/** The tables whose changes are needed to follow one, rightly. */
function neededBy({ table, audience }: TableQuery): TableName[] {
  const needed = new Set<TableName>([table]);
  // A message that is deleted has to go out of the previews that were recorded, too.
  if (table === "conversations") needed.add("chat_messages");
  // A visitor's subscription ends with their session.
  if (audience.owners !== null) needed.add("chat_sessions");
  return [...needed];
}

/** null: of another history. @throws {ParleyError} `invalid` */
function positionIn(after: string, epoch: string): number | null {
  const [, prefix, digits] = /^([0-9a-f]+)-(\d{1,15})$/.exec(after) ?? [];
  if (prefix === undefined) {
    throw new ParleyError("invalid", `Cannot subscribe: "after" is "${after}", which is no id`, {
      fields: [{ path: "after", message: "must be the id of a change, or a position" }],
    });
  }
  return prefix === epoch ? Number(digits) : null;
}

/** Rows show the id of a session; its visitor knows the secret, which a filter may name instead. */
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
      // Not quoted: it may be a secret all the same.
      if (id === null) throw refuse(`"${condition.column}" names no session that there is`);
      return id;
    }));
    return { ...condition, values };
  }));
}

/** Who asks for somebody else's rows is told so, instead of waiting for them in vain. */
function refuseForeign(
  table: TableName,
  { owners }: Audience,
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

/** What the database can sort out before rows are looked at one by one. */
function hintsOf({ table, audience, conditions }: TableQuery): Hint[] {
  const hints: Hint[] = [];
  const { owners } = audience;
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
