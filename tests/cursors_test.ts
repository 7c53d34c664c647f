import assert from "node:assert/strict";
import { sql } from "kysely";
import { openDatabase } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";
import type { Problem } from "../protocol/rest.ts";
import { call, login } from "./support/http.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";

interface Page {
  items: { id: string }[];
  nextCursor: string | null;
}

/** Every list with a cursor; `key` where its page is a part of the answer. */
const LISTS: { path: string; key?: string }[] = [
  { path: "/api/conversations?view=all" },
  { path: "/api/notifications?unread=false" },
  { path: "/api/contacts?" },
  { path: "/api/channels?" },
  { path: "/api/canned-responses?" },
  { path: "/api/audit?" },
  { path: "/api/search?q=Paged&kind=conversations", key: "conversations" },
  { path: "/api/search?q=Paged&kind=contacts", key: "contacts" },
  { path: "/api/search?q=Paged&kind=messages", key: "messages" },
];

async function pageOf(
  server: TestServer,
  token: string,
  { path, key }: { path: string; key?: string },
  cursor: string | null,
): Promise<Page> {
  const address = `${path}&limit=7${cursor === null ? "" : `&cursor=${cursor}`}`;
  const { status, body } = await call<Record<string, unknown>>(server, "GET", address, { token });
  assert.equal(status, 200, `${address}: ${JSON.stringify(body)}`);
  return (key === undefined ? body : body[key]) as Page;
}

/** The ids on all pages in their order, and the cursors between them. */
async function walk(
  server: TestServer,
  token: string,
  list: { path: string; key?: string },
): Promise<{ ids: string[]; cursors: string[] }> {
  const ids: string[] = [];
  const cursors: string[] = [];
  for (let cursor: string | null = null;;) {
    const page = await pageOf(server, token, list, cursor);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
    if (cursor === null) return { ids, cursors };
    cursors.push(cursor);
    assert.ok(cursors.length < 50, `${list.path} has an end`);
  }
}

const COUNT = 60;
const AT = "2026-01-02T03:04:05.678";
/** Microseconds within one millisecond, several of each, in no order. */
const microseconds = Array.from({ length: COUNT }, (_, i) => i * 37 % 23);

function recordset(rows: readonly unknown[]) {
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
    as r(at timestamptz, id uuid, "contactId" uuid)`;
}

/** As an import does it: rows that differ by microseconds, or not at all. */
async function fill(server: TestServer, userId: string): Promise<Map<string, string[]>> {
  const { db, close } = await openDatabase({
    url: server.env["DATABASE_URL"],
    dataDir: server.env["DATA_DIR"]!,
    pool: 1,
  });
  const order = new Map<string, string[]>();
  const rows = microseconds.map((us) => ({
    at: `${AT}${String(us).padStart(3, "0")}Z`,
    id: crypto.randomUUID() as string,
    contactId: uuidv7(),
  }));
  try {
    await db.insertInto("contacts")
      .values(rows.map(({ contactId }, i) => ({ id: contactId, name: `Paged ${i}` }))).execute();
    await sql`insert into conversations (id, contact_id, last_activity_at)
      select r.id, r."contactId", r.at from ${recordset(rows)}`.execute(db);
    await sql`insert into notifications (id, user_id, kind, title, created_at)
      select r.id, ${userId}::uuid, 'told', 'Paged', r.at from ${recordset(rows)}`.execute(db);
    for (
      const [table, column] of [["conversations", "last_activity_at"], [
        "notifications",
        "created_at",
      ]] as const
    ) {
      const { rows } = await sql<{ id: string }>`select id from ${sql.table(table)}
        where ${sql.ref(column)} < '2026-02-01' order by ${sql.ref(column)} desc, id desc`
        .execute(db);
      order.set(table, rows.map(({ id }) => id));
    }
  } finally {
    await close();
  }
  return order;
}

onBothEngines("rows that differ by microseconds are each on one page", async (server) => {
  const { user, token } = await login(server);
  await server.stop();
  const order = await fill(server, user.id);
  await server.restart();
  for (const list of LISTS) {
    const { ids, cursors } = await walk(server, token, list);
    assert.equal(new Set(ids).size, ids.length, `${list.path} repeats nothing`);
    const table = /conversations|notifications/.exec(list.path)?.[0];
    if (table === undefined) continue;
    const wanted = order.get(table)!;
    assert.equal(wanted.length, COUNT);
    assert.deepEqual(ids.filter((id) => wanted.includes(id)), wanted, list.path);
    assert.ok(cursors.length >= COUNT / 7 - 1, list.path);
  }
});

onBothEngines("what is no cursor is refused in the same way by every list", async (server) => {
  const { token } = await login(server);
  const id = crypto.randomUUID();
  const bad = [
    "",
    "zzz",
    "%25%25%25",
    btoa("not an id"),
    btoa(`2026-02-30T00:00:00.000000Z ${id}`),
    btoa(`0000-01-01T00:00:00.000000Z ${id}`),
    encodeURIComponent(btoa("\xff\xfe\xfd")),
  ];
  for (const { path } of LISTS) {
    for (const cursor of bad) {
      const address = `${path}&cursor=${cursor}`;
      const { status, body } = await call<Problem>(server, "GET", address, { token });
      assert.equal(status, 422, address);
      assert.equal(body.code, "invalid", address);
      assert.match(body.detail, /^Cannot read the list: cursor ".*" is not valid$/, address);
      assert.deepEqual(body.fields, [
        { path: "cursor", message: "must be a nextCursor of the same list" },
      ]);
    }
  }
});
