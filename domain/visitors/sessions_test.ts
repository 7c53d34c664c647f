import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus } from "../events.ts";
import { createSessionCheck, openSession } from "./sessions.ts";
import { createWidget } from "./widgets.ts";

Deno.test("a session that is used never ends, one that is not does, and only its hash is stored", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  try {
    const day = 86_400_000;
    let now = Date.now();
    const renames = { take: () => 0 };
    const pages = { seen: async () => {} };
    const options = { lifeMs: 10 * day, renames, pages, now: () => now };
    const bus = createEventBus((error) => assert.fail(String(error)));
    const { widgetKey } = await createWidget(db, null, { name: "Website" });
    const from = { origin: null, self: "", userAgent: null };
    const { sessionId } = await openSession(db, bus, { widgetKey }, from, options);
    const rows = await db.selectFrom("chat_sessions").selectAll().execute();
    assert.ok(!JSON.stringify(rows).includes(sessionId));
    const check = createSessionCheck(db, options);
    for (let i = 0; i < 5; i++) {
      now += 7 * day;
      const { expiresAt } = await check(sessionId);
      assert.equal(expiresAt, now + 10 * day);
    }
    now += 10 * day + 1;
    await assert.rejects(check(sessionId), { code: "invalid_session" });
    const next = await openSession(db, bus, { widgetKey, sessionId }, from, options);
    assert.notEqual(next.sessionId, sessionId);
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
});
