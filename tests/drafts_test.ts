import assert from "node:assert/strict";
import pg from "pg";
import { type Draft, type DraftList, MAX_DRAFTS } from "../protocol/drafts.ts";
import { type Answer, call, openSession, widgetKey } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Saved = Answer<Draft & { code: string; fields?: { path: string }[] }>;

onBothEngines(
  "a draft is the agent's own, on all of their devices, and none is overwritten",
  async (
    server,
  ) => {
    const [ada, bea] = await colleagues(server, "Bea");
    const { conversationId: id, sessionId } = await newVisitor(server, ada!);
    const save = (body: unknown, token = ada!.token, of = id): Promise<Saved> =>
      call(server, "PATCH", `/api/conversations/${of}/draft`, { token, body });
    const list = async (token = ada!.token, query = "") =>
      (await call<DraftList>(server, "GET", `/api/drafts${query}`, { token })).body;
    const hers = await connect(server, { token: ada!.token });
    const others = await connect(server, { token: bea!.token });

    const first = await save({ mode: "reply", content: "Hello" });
    assert.equal(first.status, 200);
    const { version, updatedAt } = first.body;
    assert.deepEqual(first.body, {
      conversationId: id,
      mode: "reply",
      content: "Hello",
      version,
      updatedAt,
    });
    assert.deepEqual(await hers.event("draft"), { draft: first.body });
    const note = await save({ mode: "note", content: "Late payer" });
    assert.deepEqual((await list()).items, [note.body, first.body]);

    // Two devices know the same version; the second one does not overwrite what the first one wrote.
    const second = await save({ mode: "reply", content: "Hello you", version });
    assert.ok(second.body.version > version);
    const late = await save({ mode: "reply", content: "Hello there", version });
    assert.deepEqual([late.status, late.body.code], [412, "precondition_failed"]);
    assert.equal((await save({ mode: "reply", content: "", version })).status, 412);
    // What is stored already is no change.
    assert.deepEqual(
      (await save({ mode: "reply", content: "Hello you", version })).body,
      second.body,
    );
    assert.equal((await save({ mode: "reply", content: "Over it" })).status, 200);

    // Nobody else sees it.
    assert.deepEqual((await list(bea!.token)).items, []);
    assert.equal((await save({ mode: "reply", content: "Mine" }, bea!.token)).status, 200);
    await others.event("draft", ({ draft }) => draft.content === "Mine");
    assert.equal((await list()).items.length, 2);
    assert.ok(
      !others.received.some((one) => JSON.stringify(one).includes("Late payer")),
    );
    const { body: key } = await call<{ key: string }>(server, "POST", "/api/api-keys", {
      token: ada!.token,
      body: { name: "CRM", scopes: ["conversations:read", "conversations:write"] },
    });
    for (const token of [sessionId, key.key]) {
      assert.equal((await save({ mode: "reply", content: "No" }, token)).status, 403);
      assert.equal((await call(server, "GET", "/api/drafts", { token })).status, 403);
    }

    // Bad input.
    const refusals = [
      { mode: "shout", content: "x" },
      { mode: "reply", content: "x".repeat(20_001) },
      { mode: "reply", content: "x", version: -1 },
      { mode: "reply" },
    ];
    for (const body of refusals) assert.equal((await save(body)).status, 422);
    const nowhere = crypto.randomUUID();
    assert.equal((await save({ mode: "reply", content: "x" }, ada!.token, nowhere)).status, 404);
    assert.equal(
      (await call(server, "GET", "/api/drafts?cursor=x", { token: ada!.token })).status,
      422,
    );

    // Deleted when nothing is left of it, and with its conversation.
    const emptied = await save({ mode: "note", content: " \n" });
    assert.deepEqual([emptied.body.content, emptied.body.version > note.body.version], ["", true]);
    await hers.event("draft", ({ draft }) => draft.version === emptied.body.version);
    assert.equal((await save({ mode: "note", content: "" })).status, 200);
    assert.deepEqual((await list()).items.map(({ mode }) => mode), ["reply"]);
    const { sessionId: other } = await openSession(server, await widgetKey(server, ada!.token));
    const { body: opened } = await call<{ id: string; contact: { id: string } }>(
      server,
      "POST",
      "/api/conversations",
      { token: other, body: {} },
    );
    await save({ mode: "reply", content: "Gone soon" }, ada!.token, opened.id);
    const pages = await list(ada!.token, "?limit=1");
    assert.equal(pages.items[0]!.content, "Gone soon");
    const rest = await list(ada!.token, `?limit=1&cursor=${pages.nextCursor}`);
    assert.deepEqual([rest.items[0]!.content, rest.nextCursor], ["Over it", null]);
    assert.equal((await list(ada!.token, `?conversationId=${id}`)).items.length, 1);
    await call(server, "DELETE", `/api/contacts/${opened.contact.id}`, { token: ada!.token });
    assert.deepEqual((await list()).items.map(({ content }) => content), ["Over it"]);

    // Bounded.
    if (server.engine === "postgres") {
      const database = new pg.Client({ connectionString: server.env["DATABASE_URL"] });
      await database.connect();
      await database.query(
        `with more as (
        insert into conversations (id, contact_id, platform)
        select gen_random_uuid(), contact_id, 'telegram' from conversations,
          generate_series(1, ${MAX_DRAFTS}) where id = $1 returning id
      ) insert into drafts (user_id, conversation_id, mode, content, version)
      select $2, id, 'reply', 'x', nextval('draft_versions') from more`,
        [id, bea!.id],
      );
      await database.end();
      const over = await save({ mode: "note", content: "One more" }, bea!.token);
      assert.deepEqual([over.status, over.body.code], [409, "conflict"]);
      assert.equal((await save({ mode: "reply", content: "Mine still" }, bea!.token)).status, 200);
    }
    await hers.close();
    await others.close();
  },
);
