/** The list of contacts: found by words, filtered, sorted, in pages. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ContactRow } from "../../db/types.ts";
import type { ContactEntry, ContactList, ContactQuery } from "../../protocol/contacts.ts";
import {
  cutPage,
  decodeCursor,
  exactTime,
  idOfCursor,
  refuseCursor,
  timeOfCursor,
  toCursor,
} from "../cursor.ts";
import { toContact } from "./contacts.ts";

type Row =
  & Pick<ContactRow, "id" | "name" | "email" | "created_at" | "last_seen_at" | "blocked_at">
  & { position: string; conversation_id: string | null; preview: string | null };

/** Each has an index (db/migrations/101_contact_groups.ts). */
const SEEN = sql`coalesce(k.last_seen_at, k.created_at)`;
const NAME = sql`left(lower(k.name), 24)`;

/** @throws {ParleyError} `invalid` for a cursor of another order. */
export async function listContacts(
  db: Db,
  query: Omit<ContactQuery, "limit"> & { limit: number },
): Promise<ContactList> {
  const { q, view = "all", hasEmail, limit } = query;
  const order = ORDERS[query.sort ?? "newest"];
  const conditions: RawBuilder<unknown>[] = [sql`k.merged_into is null`];
  if (view === "blocked") conditions.push(sql`k.blocked_at is not null`);
  if (view === "wrote") {
    conditions.push(sql`exists (select 1 from conversations w
      where w.inbound_count > 0 and w.contact_id in (
        select m.id from contacts m where m.id = k.id or m.merged_into = k.id))`);
  }
  if (hasEmail !== undefined) {
    conditions.push(hasEmail === "true" ? sql`k.email is not null` : sql`k.email is null`);
  }
  if (q !== undefined && q.trim() !== "") {
    conditions.push(
      sql`contact_document(k.name, k.email, k.phone) @@ (select search_query(${q}))`,
    );
  }
  if (query.cursor !== undefined) conditions.push(order.after(query.cursor));
  const { rows } = await sql<Row>`
    select p.*, c.id as conversation_id, c.last_message_preview as preview from (
      select k.id, k.name, k.email, k.created_at, k.last_seen_at, k.blocked_at,
        ${order.position} as position, row_number() over (order by ${order.by}) as n
      from contacts k where ${sql.join(conditions, sql` and `)}
      order by ${order.by} limit ${limit + 1}
    ) p left join lateral (
      select x.id, x.last_message_preview from conversations x
      where x.contact_id in (select m.id from contacts m where m.id = p.id or m.merged_into = p.id)
      order by x.last_activity_at desc limit 1
    ) c on true order by p.n`.execute(db);
  const page = cutPage(rows, limit, ({ id }) => id);
  const last = page.rows.at(-1);
  return {
    items: page.rows.map(toEntry),
    nextCursor: page.nextCursor === null ? null : order.cursor(last!),
  };
}

function toEntry(row: Row): ContactEntry {
  return {
    ...toContact(row),
    blockedAt: row.blocked_at?.toISOString() ?? null,
    conversationId: row.conversation_id,
    preview: row.preview,
  };
}

interface Order {
  by: RawBuilder<unknown>;
  /** What a cursor has besides the id. */
  position: RawBuilder<unknown>;
  cursor(row: Row): string;
  after(cursor: string): RawBuilder<unknown>;
}

const ORDERS: Record<NonNullable<ContactQuery["sort"]>, Order> = {
  // UUIDv7 sorts by creation.
  newest: {
    by: sql`k.id desc`,
    position: sql`''`,
    cursor: ({ id }) => toCursor(id),
    after: (cursor) => sql`k.id < ${idOfCursor(cursor)!}`,
  },
  recent: {
    by: sql`${SEEN} desc, k.id desc`,
    position: exactTime(SEEN),
    cursor: ({ id, position }) => toCursor({ at: position, id }),
    after(cursor) {
      const { at, id } = timeOfCursor(cursor)!;
      return sql`(${SEEN}, k.id) < (${at}::timestamptz, ${id}::uuid)`;
    },
  },
  name: {
    by: sql`${NAME}, k.id`,
    position: NAME,
    cursor: ({ id, position }) => toCursor(`${id} ${position}`),
    after(cursor) {
      const [, id, name] = /^([0-9a-f-]{36}) (.*)$/s.exec(decodeCursor(cursor)) ??
        refuseCursor(cursor);
      return sql`(${NAME}, k.id) > (${name}, ${idOfCursor(id)!}::uuid)`;
    },
  },
};
