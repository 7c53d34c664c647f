import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { Notification } from "../../protocol/model.ts";
import { ADMIN, makeDatabase } from "../../tests/support/server.ts";
import { testWith } from "../../tests/support/services.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createUser } from "../agents/users.ts";
import { createEventBus } from "../events.ts";
import { createDispatcher } from "./dispatcher.ts";
import { notifyOfWaiting } from "./waiting.ts";

/** More than two transactions tell of, and the last of them is full. */
const WAITING = 300;

for (const engine of ["pglite", "postgres"] as const) {
  testWith(
    engine === "postgres" ? ["postgres"] : [],
    `however many wait, one look tells of all of them [${engine}]`,
    async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const { db, close } = await openDatabase({ url: made?.url, dataDir, pool: 2 });
      const onError = (error: unknown) => assert.fail(String(error));
      const bus = createEventBus(onError);
      const dispatcher = createDispatcher({ db, bus, maxPending: 1000, onError });
      try {
        const ada = await createUser(db, { ...ADMIN, name: "Ada", role: "admin" });
        const ids = Array.from({ length: WAITING }, () => uuidv7());
        await db.insertInto("contacts").values(ids.map((id) => ({ id, name: "Vi" }))).execute();
        const waiting_since = new Date(Date.now() - 60_000);
        await db.insertInto("conversations")
          .values(ids.map((id) => ({ id, contact_id: id, waiting_since }))).execute();
        const announced: Notification[] = [];
        let unread = 0;
        bus.on("notification.made", (event) => {
          announced.push(event.notification);
          unread = event.unread;
        });
        await notifyOfWaiting(db, dispatcher, 1000);
        // Within a short time they are one notification, which grows with each transaction.
        const { data, userId } = announced.at(-1)!;
        assert.equal(data["count"], WAITING);
        const named = Object.keys(data["conversations"]!);
        assert.equal(named.length + Number(data["more"]), WAITING);
        assert.ok(named.every((id) => ids.includes(id)));
        assert.deepEqual(new Set(announced.map(({ id }) => id)).size, 1);
        assert.equal(userId, ada.id);
        assert.equal(unread, 1);
        // Each wait is announced once.
        const before = announced.length;
        await notifyOfWaiting(db, dispatcher, 1000);
        assert.equal(announced.length, before);
      } finally {
        await dispatcher.stop();
        await close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    },
  );
}
