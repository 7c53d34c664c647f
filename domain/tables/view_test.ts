import assert from "node:assert/strict";
import type { Change, ChangedRow } from "../../db/change_feed.ts";
import type { Db } from "../../db/database.ts";
import { TABLES } from "../../protocol/tables.ts";
import type { Principal, VisitorPrincipal } from "../principal.ts";
import { type Readers, readersKey, readersOf } from "./readers.ts";
import { CATALOGUE } from "./catalogue.ts";
import { seenBy } from "./view.ts";

const ID = "01a1fe5f-eb6d-7000-b840-c36a92e813da";
/** What follows needs no database: nobody here has a session. */
const NONE = null as unknown as Db;

const PARTICIPANT: VisitorPrincipal = {
  kind: "visitor",
  userId: "contact-1",
  userName: "Pat",
  sessionHash: null,
  widgetId: null,
  allowedOrigins: [],
  contexts: ["context_123", ID],
  expiresAt: null,
};

function change(table: Change["table"], old: ChangedRow | null, after: ChangedRow | null): Change {
  const event = old === null ? "INSERT" : after === null ? "DELETE" : "UPDATE";
  return { id: 1, table, event, old, new: after, at: new Date(0) };
}
const message = (more: ChangedRow): ChangedRow => ({
  id: "m",
  content: "Hello",
  is_private: false,
  deleted_at: null,
  created_at: "2026-03-01T14:00:00.123456+02:00",
  contact_id: "contact-1",
  context_id: null,
  conversation_id: "c",
  ...more,
});

Deno.test("a participant sees the contexts that the token names, and nothing else", async () => {
  const readers = await readersOf(NONE, PARTICIPANT, "chat_messages");
  const sees = (more: ChangedRow) =>
    seenBy(change("chat_messages", null, message(more)), readers) !== null;
  assert.equal(sees({ context_id: "context_123" }), true);
  assert.equal(sees({ conversation_id: ID }), true);
  // Not even what they opened with another token.
  assert.equal(sees({}), false);
  assert.equal(sees({ context_id: "context_124" }), false);
  assert.equal(sees({ context_id: "context_123", is_private: true }), false);
  const sessions = await readersOf(NONE, PARTICIPANT, "chat_sessions");
  assert.equal(seenBy(change("chat_sessions", null, { id: "s" }), sessions), null);
});

Deno.test("another token is another readers, another name is not", () => {
  const key = (more: Partial<VisitorPrincipal>) =>
    readersKey({ ...PARTICIPANT, ...more }, "conversations");
  assert.equal(key({ userName: "Patricia" }), key({}));
  assert.equal(key({ contexts: [ID, "context_123"] }), key({}));
  assert.notEqual(key({ contexts: [ID] }), key({}));
  const visitor = { contexts: undefined, sessionHash: "h1" } as Partial<VisitorPrincipal>;
  assert.notEqual(key(visitor), key({}));
  assert.notEqual(key({ ...visitor, sessionHash: "h2" }), key(visitor));
  assert.equal(readersKey(PARTICIPANT, "context_rules"), null);
});

Deno.test("policies name columns that there are, and no policy a secret", () => {
  for (const table of TABLES) {
    const { columns, owners, agents, visitors } = CATALOGUE[table];
    for (const policy of [agents, visitors]) {
      for (const column of policy?.columns ?? []) assert.ok(Object.hasOwn(columns, column));
    }
    for (const column of Object.keys(owners)) assert.ok(Object.hasOwn(columns, column));
    assert.doesNotMatch(Object.keys(columns).join(), /secret|hash|password|token/);
  }
});

Deno.test("rows have the reader's columns, times in UTC, and no deleted text", async () => {
  const agent: Principal = {
    kind: "agent",
    userId: "u",
    userName: "U",
    role: "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
  const readers: Readers = await readersOf(NONE, agent, "chat_messages");
  const deleted = message({ deleted_at: "2026-03-01T12:00:01Z", content: "", unknown: "hidden" });
  const seen = seenBy(change("chat_messages", message({}), deleted), readers)!;
  assert.equal(seen.old!["created_at"], "2026-03-01T12:00:00.123Z");
  assert.equal(seen.new!["deleted_at"], "2026-03-01T12:00:01.000Z");
  assert.deepEqual([seen.old!["content"], seen.new!["content"]], ["", ""]);
  assert.equal(seen.new!["sender_id"], null);
  assert.deepEqual(Object.keys(seen.new!), readers.policy.columns);
  // What cannot be read as a time is left as it is.
  const odd = seenBy(change("chat_messages", null, message({ created_at: "infinity" })), readers)!;
  assert.equal(odd.data["created_at"], "infinity");
});
