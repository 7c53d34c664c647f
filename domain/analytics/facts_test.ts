import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { type Fact, insertFacts } from "./facts.ts";

const fact = (conversation_id: string | null): Fact => ({
  kind: "started",
  subject: uuidv7(),
  seq: 1,
  at: new Date(),
  conversation_id,
  agent_id: null,
  channel: "web",
  seconds: null,
  open_seconds: null,
  bucket: null,
  amount: null,
});

Deno.test("facts of a conversation that was deleted while they were counted are left out", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  try {
    const there = uuidv7();
    await db.insertInto("contacts").values({ id: there, name: "Vi" }).execute();
    await db.insertInto("conversations").values({ id: there, contact_id: there }).execute();
    const facts = [fact(there), fact(uuidv7()), fact(null)];
    const stored = await insertFacts(db, facts);
    assert.deepEqual(
      [...stored].sort(),
      [facts[0]!, facts[2]!].map((f) => `${f.subject} 1`).sort(),
    );
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
});
