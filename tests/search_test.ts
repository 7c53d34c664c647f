import assert from "node:assert/strict";
import { sql } from "kysely";
import type { Conversation } from "../protocol/model.ts";
import type { Problem } from "../protocol/rest.ts";
import type { Marked, SearchResponse } from "../protocol/search.ts";
import { type Db, openDatabase } from "../db/database.ts";
import { fold } from "../domain/search/highlights.ts";
import { generate, wordAt } from "../bench/generate.ts";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { connect } from "./support/socket.ts";
import { makeDatabase, onBothEngines, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";

async function search(server: TestServer, token: string, query: Record<string, string>) {
  const path = `/api/search?${new URLSearchParams(query)}`;
  const { status, body } = await call<SearchResponse>(server, "GET", path, { token });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function texts(server: TestServer, token: string, q: string): Promise<string[]> {
  const { messages } = await search(server, token, { q, kind: "messages" });
  return messages!.items.map(({ snippet }) => snippet.text);
}

const markedParts = ({ text, ranges }: Marked) =>
  ranges.map(({ start, end }) => text.slice(start, end));

/** Another visitor with a conversation of their own. */
async function newVisitor(server: TestServer, token: string, person: Record<string, string> = {}) {
  const key = await widgetKey(server, token);
  const session = await openSession(server, key);
  const { body } = await call<Conversation>(server, "POST", "/api/conversations", {
    token: session.sessionId,
    body: {},
  });
  if (Object.keys(person).length > 0) {
    const path = `/api/contacts/${session.contact.id}`;
    const { status } = await call(server, "PATCH", path, { token, body: person });
    assert.equal(status, 200);
  }
  return { session, conversation: body };
}

onBothEngines("half a word finds a message, with highlights", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const sent = await post(
    server,
    visitor.sessionId,
    conversation.id,
    "Grüße! Wo ist meine Bestellung 4711-88? <b>Danke</b> für die Übergröße in der Straße",
  );
  await post(server, agent.token, conversation.id, "It has left our warehouse.");

  for (
    const q of [
      "bestell",
      "BESTELLUNG grusse",
      "4711",
      "88",
      "ubergro",
      "strasse",
      "b danke",
      "stellung",
      "711",
      "471188",
      "4711 88",
      "rosse",
    ]
  ) {
    const { messages } = await search(server, agent.token, { q });
    assert.deepEqual(messages!.items.map(({ id }) => id), [sent.id], q);
  }
  for (const q of ["bestellungen", "bestell warehouse", "an", "884711"]) {
    assert.deepEqual(await texts(server, agent.token, q), [], q);
  }
  const { messages } = await search(server, agent.token, { q: "danke BEST" });
  const hit = messages!.items[0]!;
  assert.deepEqual(markedParts(hit.snippet), ["Best", "Danke"]);
  assert.ok(hit.snippet.text.includes("<b>"), "it is text and no HTML");
  assert.equal(hit.seq, sent.seq);
  assert.equal(hit.sender.role, "visitor");
  assert.equal(hit.conversation.id, conversation.id);
  assert.equal(hit.conversation.contact.id, visitor.contact.id);
});

onBothEngines("scripts of the world are found", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const lines = {
    "請問日本語の説明書はありますか": ["日本", "説明書", "日本語の"],
    "Где мой ЗАКАЗ, Алёна?": ["заказ", "алена", "зак"],
    "배송은 언제 도착하나요": ["배송", "도착"],
    "Πού είναι η παραγγελία μου; ΟΔΟΣ": ["παραγγελια", "οδος"],
    "أين طلبي رقم ٤٥": ["طلبي"],
    "สินค้าของฉันอยู่ที่ไหน": ["ฉัน"],
    "מתי תגיע ההזמנה": ["ההזמ"],
    "मेरा ऑर्डर कहाँ है": ["मेरा"],
    "İstanbul'a kargo": ["istanbul"],
    "o'clock e-mail x_y_z": ["clock", "mail", "y", "oclock", "email", "o’clock", "e‑mail", "cloc"],
    "They said dont, and re open": ["don't", "re-open", "said"],
    "السَّلَامُ عَلَيْكُم": ["السلام", "سلام", "عليكم", "السَّلَام", "ليك"],
    "שָׁלוֹם לכולם": ["שלום", "לום", "שָׁלוֹם"],
    "मुझे ऑर्डर की ज़रूरत है": ["मुझे", "रूरत", "ज़रूरत"],
    "Перепродаю чайник": ["продаю", "айник"],
    "고객센터에 문의": ["센터"],
    "L’appartement d'été": ["appart", "partement", "lappart", "ete"],
    "Donaudampfschifffahrtsgesellschaftskapitän": ["schifffahrt", "gesellschaftskapitan"],
  };
  for (const text of Object.keys(lines)) {
    await post(server, visitor.sessionId, conversation.id, text);
  }
  for (const [text, queries] of Object.entries(lines)) {
    for (const q of queries) {
      const { messages } = await search(server, agent.token, { q });
      assert.deepEqual(messages!.items.map(({ snippet }) => snippet.text), [text], q);
      assert.ok(messages!.items[0]!.snippet.ranges.length > 0, `"${q}" is marked in "${text}"`);
    }
  }
  assert.deepEqual(await texts(server, agent.token, "本日"), [], "characters in another order");
});

onBothEngines(
  "one conversation is searched alone, by what is indexed and what is not",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const { token } = agent;
    const other = await newVisitor(server, token);
    await post(server, other.session.sessionId, other.conversation.id, "another teapot");
    const sent: string[] = [];
    for (const text of ["a teapot", "the Wasserkocher", "two teapots, e-mail me"]) {
      sent.push((await post(server, visitor.sessionId, conversation.id, text)).id);
    }
    const inside = async (q: string, more: Record<string, string> = {}) => {
      const query = { q, kind: "messages", conversation: conversation.id, ...more };
      const { items, nextCursor } = (await search(server, token, query)).messages!;
      return { ids: items.map(({ id }) => id), nextCursor };
    };
    for (const round of ["waiting", "indexed"]) {
      assert.deepEqual((await inside("apot")).ids, [sent[2], sent[0]], round);
      assert.deepEqual((await inside("kocher")).ids, [sent[1]], round);
      assert.deepEqual((await inside("email two")).ids, [sent[2]], round);
      const first = await inside("teap", { limit: "1" });
      const second = await inside("teap", { limit: "1", cursor: first.nextCursor! });
      assert.deepEqual([...first.ids, ...second.ids], [sent[2], sent[0]], round);
      // The indexer begins a second after the messages.
      if (round === "waiting") await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    for (
      const query of ["q=a&conversation=x&kind=messages", `q=a&conversation=${conversation.id}`]
    ) {
      const bad = await call<Problem>(server, "GET", `/api/search?${query}`, { token });
      assert.deepEqual([bad.status, bad.body.fields![0]!.path], [422, "conversation"]);
    }
  },
);

onBothEngines("what was edited or deleted is found as it is now", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { id: messageId } = await post(
    server,
    visitor.sessionId,
    conversation.id,
    "my secret is marmalade",
  );
  await post(server, visitor.sessionId, conversation.id, "marmalade again");
  assert.equal((await texts(server, agent.token, "marmalade")).length, 2);

  const socket = await connect(server, { sessionId: visitor.sessionId });
  const place = { conversationId: conversation.id, messageId };
  await socket.ack("edit_message", { ...place, content: "my secret is honey" });
  assert.deepEqual(await texts(server, agent.token, "marmalade"), ["marmalade again"]);
  assert.deepEqual(await texts(server, agent.token, "honey"), ["my secret is honey"]);
  await socket.ack("delete_message", place);
  for (const q of ["honey", "secret", "my"]) {
    assert.deepEqual(await texts(server, agent.token, q), [], q);
  }
  await socket.close();

  // Neither does a conversation that was resolved vanish, nor are its activity lines found.
  const path = `/api/conversations/${conversation.id}`;
  await call(server, "PATCH", path, { token: agent.token, body: { status: "resolved" } });
  const { messages } = await search(server, agent.token, { q: "again" });
  assert.equal(messages!.items[0]!.conversation.status, "resolved");
  assert.deepEqual(await texts(server, agent.token, "resolved"), []);
});

onBothEngines("private notes are found by agents, and visitors find nothing", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  await call(server, "POST", `/api/conversations/${conversation.id}/messages`, {
    token: agent.token,
    body: { content: "clearly a gooseberry", clientMessageId: "n1", isPrivate: true },
  });
  const { messages } = await search(server, agent.token, { q: "goose" });
  assert.deepEqual(messages!.items.map(({ isPrivate }) => isPrivate), [true]);

  const denied = await call<Problem>(server, "GET", "/api/search?q=goose", {
    token: visitor.sessionId,
  });
  assert.equal(denied.status, 403);
  assert.equal(denied.body.code, "forbidden");
  const nobody = await call<Problem>(server, "GET", "/api/search?q=goose");
  assert.equal(nobody.status, 401);
});

onBothEngines("people are found by name and address, with their conversation", async (server) => {
  const { token } = await login(server);
  const maria = await newVisitor(server, token, {
    name: "María José López",
    email: "maria.lopez@example.com",
  });
  await newVisitor(server, token, { name: "Mario Berg", email: "berg@example.org" });

  for (const q of ["maria", "jose lop", "lopez@exam", "MARIA.LOPEZ@example.com"]) {
    const { contacts, conversations } = await search(server, token, { q });
    assert.deepEqual(contacts!.items.map(({ id }) => id), [maria.session.contact.id], q);
    assert.equal(contacts!.items[0]!.conversationId, maria.conversation.id);
    assert.deepEqual(conversations!.items.map(({ id }) => id), [maria.conversation.id], q);
  }
  const { contacts } = await search(server, token, { q: "mari lope", kind: "contacts" });
  assert.deepEqual(markedParts(contacts!.items[0]!.name), ["Marí", "Lópe"]);
  assert.deepEqual(markedParts(contacts!.items[0]!.email!), ["mari", "lope"]);
  const both = await search(server, token, { q: "mari" });
  assert.equal(both.contacts!.items.length, 2);
  assert.equal(both.conversations!.items.length, 2);
});

onBothEngines("pages follow each other without gap and repetition", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const sent: string[] = [];
  for (let i = 0; i < 7; i++) {
    sent.push((await post(server, visitor.sessionId, conversation.id, `plum number ${i}`)).id);
  }
  const others = [];
  for (let i = 0; i < 4; i++) {
    others.push(await newVisitor(server, agent.token, { name: `Plum ${i}` }));
  }
  for (const kind of ["messages", "contacts", "conversations"] as const) {
    const found: string[] = [];
    let pages = 0;
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { q: "plum", kind, limit: "2" };
      const answer = await search(
        server,
        agent.token,
        cursor === null ? query : {
          ...query,
          cursor,
        },
      );
      assert.deepEqual(Object.keys(answer), [kind]);
      const page: { items: { id: string }[]; nextCursor: string | null } = answer[kind]!;
      assert.ok(page.items.length <= 2);
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== null);
    const expected: string[] = kind === "messages"
      ? sent
      : others.map((one) => kind === "contacts" ? one.session.contact.id : one.conversation.id);
    assert.deepEqual(found, expected.toReversed(), kind);
    // None is empty: a full page that is the last one says so.
    assert.equal(pages, Math.ceil(expected.length / 2), kind);
    const query = { q: "plum", kind, limit: String(expected.length) };
    const all = (await search(server, agent.token, query))[kind]!;
    assert.deepEqual([all.items.length, all.nextCursor], [expected.length, null]);
  }
});

onBothEngines("odd queries are answered, bad ones are refused", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const word = "x".repeat(3000);
  await post(
    server,
    visitor.sessionId,
    conversation.id,
    `begin ${word} 'quoted' \\ end & | ! <-> :*`,
  );
  const { token } = agent;
  const odd = [
    "'",
    "a & b | !c",
    "x:*",
    "\\",
    "<->",
    "--",
    "%",
    "*",
    "👍",
    "'; drop table users",
    "()",
  ];
  for (const q of [...odd, "\u202e", "\ud800", "x".repeat(200), "a ".repeat(100)]) {
    await search(server, token, { q });
  }
  assert.equal((await texts(server, token, "begin quot end")).length, 1);
  assert.equal((await texts(server, token, "'quoted' & end")).length, 1);
  const empty = await search(server, token, { q: "!!!" });
  for (const page of Object.values(empty)) assert.deepEqual(page, { items: [], nextCursor: null });

  const zero = await call<Problem>(server, "GET", "/api/search?q=a%00b", { token });
  assert.equal(zero.status, 422);

  const other = btoa("2026-13-45T99:00:00.000000Z 00000000-0000-0000-0000-000000000000");
  const bad: Record<string, string>[] = [
    {},
    { q: "" },
    { q: "   " },
    { q: "x".repeat(201) },
    { q: "a", kind: "secrets" },
    { q: "a", limit: "0" },
    { q: "a", limit: "51" },
    { q: "a", limit: "many" },
    { q: "a", cursor: btoa("x") },
    { q: "a", kind: "messages", cursor: "%%%" },
    { q: "a", kind: "messages", cursor: btoa("not an id") },
    { q: "a", kind: "conversations", cursor: btoa(conversation.id) },
    { q: "a", kind: "conversations", cursor: other },
    { q: "a", extra: "1" },
  ];
  for (const query of bad) {
    const path = `/api/search?${new URLSearchParams(query)}`;
    const { status, body } = await call<Problem>(server, "GET", path, { token });
    assert.equal(status, 422, JSON.stringify(query));
    assert.equal(body.code, "invalid");
    assert.ok(body.fields!.length > 0);
  }
});

testWith(["postgres"], "letters are folded alike in the database and in highlights", async () => {
  const made = await makeDatabase();
  const { db, close } = await openDatabase({ url: made.url, dataDir: "/nonexistent", pool: 1 });
  try {
    // All letters of Latin, Greek and Cyrillic with their accents; each between two x.
    const letters: string[] = [];
    for (let code = 0xc0; code < 0x530; code++) {
      const letter = String.fromCodePoint(code);
      // Two modifier letters stand for apostrophes.
      if (/\p{L}/u.test(letter) && /^(?:(?![ʹʼ])\p{L})+$/u.test(fold(letter))) letters.push(letter);
    }
    const { rows } = await sql<{ letter: string; words: string }>`
      select letter, search_fold('x' || letter || 'x') as words
      from unnest(${letters}::text[]) letter`.execute(db);
    assert.ok(rows.length > 800);
    const different = rows.filter(({ letter, words }) => words !== fold(`x${letter}x`));
    assert.deepEqual(different, []);
  } finally {
    await close();
    await made.drop();
  }
});

testWith(["postgres"], "at size, pages and search read indexes and not the tables", async () => {
  const made = await makeDatabase();
  const { db, close } = await openDatabase({ url: made.url, dataDir: "/nonexistent", pool: 1 });
  try {
    await generate(db, { conversations: 2_000, messages: 30_000 });
    const last = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    // Found among the newest few, among some more, in a part of the table, and in all of it.
    for (const word of [wordAt(1), wordAt(60), wordAt(700), wordAt(12_000), "refund"]) {
      // The function, asked again with the plain truth.
      const { rows: found } = await sql<{ id: string }>`
        select * from find_messages(${word}, ${last}, 30) as f(id)`.execute(db);
      const { rows: all } = await sql<{ id: string }>`select id from chat_messages
        where content like ${`%${word}%`} order by id desc limit 30`.execute(db);
      assert.deepEqual(found, all, word);
      assert.ok(all.length > 0, word);
    }
    await db.transaction().execute(async (trx) => {
      const before = await scansOf(trx);
      for (const word of [wordAt(1), wordAt(12_000), "refund", "maria", "visitor", "nothing"]) {
        await sql`select find_messages(${word}, ${last}, 20), find_contacts(${word}, ${last}, 20),
          find_conversations(${word}, 'infinity', ${last}, 20)`.execute(trx);
      }
      const after = await scansOf(trx);
      assert.deepEqual(after.map(({ tables }) => tables), before.map(({ tables }) => tables));
      assert.ok(after.every(({ indexes }, i) => indexes > before[i]!.indexes));
    });
  } finally {
    await close();
    await made.drop();
  }
});

/** How often this connection read tables as a whole, and by their indexes. */
async function scansOf(db: Db) {
  const { rows } = await sql<{ name: string; tables: number; indexes: number }>`
    select relname as name, seq_scan::int as tables, idx_scan::int as indexes
    from pg_stat_xact_user_tables
    where relname in ('chat_messages', 'contacts', 'conversations', 'message_words')
    order by 1`.execute(db);
  assert.equal(rows.length, 4);
  return rows;
}
