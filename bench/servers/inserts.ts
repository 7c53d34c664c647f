/**
 * Baseline for durable messages: without sockets and protocol, one transaction per message with the
 * minimum that stores it, as many at once as the pool has connections.
 */
import { sql } from "kysely";
import { openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { readSettings } from "../../settings.ts";

const { database } = readSettings(Deno.env.toObject());
const { db, engine, close } = await openDatabase({
  url: database.url,
  dataDir: database.dataDir,
  pool: database.pool,
});
const CONTENT = "x".repeat(200);
const workers = engine === "pglite" ? 1 : database.pool;
const conversations = Number(Deno.env.get("BENCH_CONVERSATIONS"));
const seconds = Number(Deno.env.get("BENCH_SECONDS"));

async function store(conversation: number): Promise<void> {
  const id = `00000000-0000-4000-9000-${conversation.toString(16).padStart(12, "0")}`;
  const now = new Date();
  await db.transaction().execute(async (trx) => {
    const updated = await sql<{ last_seq: number; contact_id: string; inbound_count: number }>`
      update conversations set last_seq = last_seq + 1, inbound_count = inbound_count + 1,
        last_message_seq = last_seq + 1, last_message_preview = ${CONTENT},
        last_message_role = 'visitor', last_message_at = ${now}, last_activity_at = ${now},
        updated_at = ${now}
      where id = ${id} returning last_seq, contact_id, inbound_count`.execute(trx);
    const row = updated.rows[0]!;
    await trx.insertInto("chat_messages").values({
      id: uuidv7(),
      conversation_id: id,
      seq: row.last_seq,
      session_id: null,
      client_message_id: crypto.randomUUID(),
      sender_id: row.contact_id,
      sender_role: "visitor",
      sender_name: "Visitor",
      type: "text",
      content: CONTENT,
      is_private: false,
      platform: "web",
      inbound_count: row.inbound_count,
      outbound_count: 0,
      created_at: now,
    }).execute();
  });
}

async function during(ms: number): Promise<number> {
  const end = performance.now() + ms;
  let stored = 0;
  let next = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (performance.now() < end) {
      await store(next++ % conversations);
      stored++;
    }
  }));
  return stored;
}

await during(1000);
const start = performance.now();
const stored = await during(seconds * 1000);
console.log(JSON.stringify({ perSecond: stored / (performance.now() - start) * 1000 }));
await close();
