import assert from "node:assert/strict";
import { openDatabase } from "../db/database.ts";
import type { ContextRule, User, WidgetConfig } from "../protocol/model.ts";
import type { CannedResponse } from "../protocol/canned_responses.ts";
import type { Channel } from "../protocol/workspace.ts";
import { call, cast, login } from "./support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const GRACE = { email: "grace@example.com", password: "a long enough password" };

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

onEitherEngine(
  "canned responses are the team's: made, found by their start, changed, removed",
  async (
    server,
  ) => {
    const admin = await login(server);
    await call(server, "POST", "/api/users", {
      token: admin.token,
      body: { ...GRACE, name: "Grace", role: "agent" },
    });
    const { token, user } = await login(server, GRACE);
    const path = "/api/canned-responses";
    const make = (shortCode: string, content: string) =>
      call<CannedResponse>(server, "POST", path, { token, body: { shortCode, content } });
    const made = await make(" Thanks ", "Thank you!\nGrace");
    assert.equal(made.status, 201);
    assert.equal(made.body.shortCode, "thanks");
    assert.equal(made.body.content, "Thank you!\nGrace");
    assert.equal(made.body.userId, user.id);
    assert.equal((await make("thanks", "Again")).status, 409);
    await make("thanks-much", "Thank you very much!");
    await make("hi", "Hello!");
    await make("h_i", "An underscore is no wildcard");

    const list = (query: string) =>
      call<Page<CannedResponse>>(server, "GET", `${path}?${query}`, { token: admin.token });
    const found = await list("q=THANKS");
    assert.deepEqual(found.body.items.map(({ shortCode }) => shortCode), ["thanks-much", "thanks"]);
    const wild = await list("q=h_");
    assert.deepEqual(wild.body.items.map(({ shortCode }) => shortCode), ["h_i"]);
    const codes: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Page<CannedResponse> =
        (await list(`limit=3${cursor && `&cursor=${cursor}`}`)).body;
      codes.push(...page.items.map(({ shortCode }) => shortCode));
      cursor = page.nextCursor;
    }
    assert.deepEqual(codes, ["h_i", "hi", "thanks-much", "thanks"]);

    const own = `${path}/${made.body.id}`;
    const change = (body: unknown) => call<CannedResponse>(server, "PATCH", own, { token, body });
    assert.equal((await change({ content: "Thanks!" })).body.content, "Thanks!");
    assert.equal((await change({ shortCode: "hi" })).status, 409);
    assert.equal((await change({ shortCode: "thanks", content: "Thx" })).body.content, "Thx");
    assert.equal((await change({})).status, 422);
    assert.equal((await call(server, "DELETE", own, { token })).status, 204);
    assert.equal((await call(server, "GET", own, { token })).status, 404);
    assert.equal((await call(server, "DELETE", own, { token })).status, 404);
  },
);

onEitherEngine(
  "canned responses may be one's own or managed by admins only, and macros do more than write",
  async (server) => {
    const admin = await login(server);
    await call(server, "POST", "/api/users", {
      token: admin.token,
      body: { ...GRACE, name: "Grace", role: "agent" },
    });
    const { token: grace } = await login(server, GRACE);
    const path = "/api/canned-responses";
    const send = <T = CannedResponse & { code: string; fields?: { path: string }[] }>(
      method: string,
      to: string,
      body?: unknown,
      token = grace,
    ) => call<T>(server, method, to, { token, ...(body === undefined ? {} : { body }) });
    const codes = async (token: string) =>
      (await send<Page<CannedResponse>>("GET", path, undefined, token)).body.items
        .map(({ shortCode, shared }) => `${shortCode} ${shared}`).sort();

    // Her own one is hers alone, admins included; the same short code may be there for everybody.
    const own = await send("POST", path, { shortCode: "Grüße", content: "Hi!", shared: false });
    assert.deepEqual([own.body.shortCode, own.body.shared], ["grüße", false]);
    const body = { shortCode: "grüße", content: "Hello!", folder: "  Small  talk " };
    const shared = await send("POST", path, body, admin.token);
    assert.deepEqual([shared.body.shared, shared.body.folder], [true, "Small talk"]);
    assert.equal((await send("POST", path, { ...body, shared: false })).status, 409);
    assert.deepEqual(await codes(grace), ["grüße false", "grüße true"]);
    assert.deepEqual(await codes(admin.token), ["grüße true"]);
    const hers = `${path}/${own.body.id}`;
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const change = method === "PATCH" ? { content: "Mine" } : undefined;
      assert.equal((await send(method, hers, change, admin.token)).status, 404, method);
    }
    const taken = await send("PATCH", hers, { shared: true });
    assert.deepEqual([taken.status, taken.body.fields?.[0]?.path], [409, "shortCode"]);
    const renamed = await send("PATCH", hers, { shared: true, shortCode: "hallo" });
    assert.deepEqual([renamed.body.shared, renamed.body.shortCode], [true, "hallo"]);
    assert.equal((await send("PATCH", hers, { shared: false }, admin.token)).status, 403);
    assert.equal((await send("PATCH", hers, { shared: false })).body.shared, false);

    // A macro may have no text, but not nothing at all.
    const actions = { assignTo: "me", status: "resolved" };
    const macro = await send("POST", path, { shortCode: "done", content: "", actions });
    assert.deepEqual([macro.status, macro.body.actions], [201, actions]);
    assert.equal((await send("PATCH", `${path}/${macro.body.id}`, { actions: null })).status, 422);
    for (const wrong of [{}, { status: "snoozed" }, { assignTo: "x" }, { shout: true }]) {
      const refused = await send("POST", path, { shortCode: "no", content: "x", actions: wrong });
      assert.equal(refused.status, 422, JSON.stringify(wrong));
    }

    // Those for everybody may be the admins' affair; one's own never are.
    const setting = "/api/canned-response-settings";
    assert.equal((await send("PATCH", setting, { managedBy: "admins" })).status, 403);
    await send("PATCH", setting, { managedBy: "admins" }, admin.token);
    assert.deepEqual((await send("GET", setting)).body, { managedBy: "admins" });
    assert.equal((await send("POST", path, { shortCode: "new", content: "x" })).status, 403);
    const change = { content: "Changed" };
    assert.equal((await send("PATCH", `${path}/${macro.body.id}`, change)).status, 403);
    assert.equal((await send("DELETE", `${path}/${macro.body.id}`)).status, 403);
    assert.equal((await send("PATCH", hers, { shared: true })).status, 403);
    assert.equal((await send("PATCH", hers, change)).status, 200);
    assert.equal((await send("DELETE", hers)).status, 204);
    await send("DELETE", `${path}/${macro.body.id}`, undefined, admin.token);
    assert.deepEqual(await codes(grace), ["grüße true"]);
  },
);

onEitherEngine("channels are listed in pages, the newest first", async (server) => {
  const { token } = await login(server);
  const path = "/api/channels";
  const made: string[] = [];
  for (const name of ["First", "Second", "Third"]) {
    const body = { platform: "telegram", name };
    made.push((await call<Channel>(server, "POST", path, { token, body })).body.id);
  }
  const pages: string[][] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query: string = `limit=1${cursor && `&cursor=${cursor}`}`;
    const { body } = await call<Page<Channel>>(server, "GET", `${path}?${query}`, { token });
    pages.push(body.items.map(({ id }) => id));
    cursor = body.nextCursor;
  }
  // The last page knows that it is the last.
  assert.deepEqual(pages, made.toReversed().map((id) => [id]));
});

onEitherEngine("the last admin may change everything but being one", async (server) => {
  const { token, user: ada } = await login(server);
  const change = (id: string, body: unknown, by = token) =>
    call<User>(server, "PATCH", `/api/users/${id}`, { token: by, body });
  const renamed = await change(ada.id, { name: "Ada L." });
  assert.deepEqual([renamed.status, renamed.body.name], [200, "Ada L."]);
  for (const body of [{ role: "agent" }, { disabled: true }, { role: "agent", name: "Eve" }]) {
    assert.equal((await change(ada.id, body)).status, 409, JSON.stringify(body));
  }
  const { body: grace } = await call<User>(server, "POST", "/api/users", {
    token,
    body: { ...GRACE, name: "Grace", role: "agent" },
  });
  // Others lose what they have beside the last admin, and an admin beside another one.
  assert.equal((await change(grace.id, { disabled: true })).status, 200);
  assert.equal((await change(grace.id, { disabled: false, role: "admin" })).status, 200);
  const demoted = await change(ada.id, { role: "agent" });
  assert.deepEqual([demoted.status, demoted.body.role, demoted.body.name], [
    200,
    "agent",
    "Ada L.",
  ]);
  const last = (await login(server, GRACE)).token;
  assert.equal((await change(grace.id, { role: "agent" }, last)).status, 409);
});

onEitherEngine("a channel without an adapter is kept, and not enabled", async (server) => {
  const { token } = await login(server);
  const path = "/api/channels";
  const body = { platform: "telegram", name: "Support", settings: { bot: "parley_bot" } };
  const early = await call(server, "POST", path, { token, body: { ...body, enabled: true } });
  assert.equal(early.status, 409);
  assert.match(String(early.body["detail"]), /no adapter for "telegram"/);
  const { body: channel, status } = await call<Channel>(server, "POST", path, { token, body });
  assert.equal(status, 201);
  assert.deepEqual({ enabled: channel.enabled, settings: channel.settings }, {
    enabled: false,
    settings: body.settings,
  });
  const own = `${path}/${channel.id}`;
  const change = (body: unknown) => call<Channel>(server, "PATCH", own, { token, body });
  assert.equal((await change({ enabled: true, name: "Lost" })).status, 409);
  const changed = await change({ name: "Sales", enabled: false });
  assert.deepEqual([changed.body.name, changed.body.settings], ["Sales", body.settings]);
  assert.deepEqual((await change({ settings: {} })).body.settings, {});
  const list = await call<Page<Channel>>(server, "GET", path, { token });
  assert.deepEqual(list.body.items.map(({ name }) => name), ["Sales"]);
  assert.equal((await call(server, "DELETE", own, { token })).status, 204);
  assert.equal((await call(server, "GET", own, { token })).status, 404);
});

interface Thing {
  path: string;
  table: "widget_configs" | "context_rules" | "channels" | "canned_responses" | "labels";
  /** Two changes of it. */
  changes: [unknown, unknown];
}

/** One of each kind whose `updatedAt` tells its versions apart. */
async function makeThings(server: TestServer, token: string): Promise<Thing[]> {
  const make = async (
    table: Thing["table"],
    list: string,
    body: unknown,
    changes: Thing["changes"] = [{ name: "A" }, { name: "B" }],
  ): Promise<Thing> => {
    const { headers, body: { id, updatedAt } } = await call<{ id: string; updatedAt: string }>(
      server,
      "POST",
      list,
      { token, body },
    );
    assert.equal(headers.get("etag"), `"${updatedAt}"`, list);
    return { path: `${list}/${id}`, table, changes };
  };
  const rule = {
    name: "Prices",
    conditions: [{ kind: "message", keywords: ["price"] }],
    actions: [{ kind: "bot_message", content: "See /pricing" }],
  };
  const response = { shortCode: "hi", content: "Hello" };
  return [
    await make("widget_configs", "/api/widget-configs", { name: "Shop" }),
    await make("context_rules", "/api/context-rules", rule),
    await make("channels", "/api/channels", { platform: "viber", name: "V" }),
    await make("canned_responses", "/api/canned-responses", response, [
      { content: "A" },
      { content: "B" },
    ]),
    await make("labels", "/api/labels", { name: "VIP" }),
  ];
}

onEitherEngine("a change of a version that is not the newest any more is refused", async (
  server,
) => {
  const { token } = await login(server);
  for (const { path, changes: [first, second] } of await makeThings(server, token)) {
    const seen = (await call(server, "GET", path, { token })).headers.get("etag")!;
    const change = (body: unknown, tag: string) =>
      call<WidgetConfig & ContextRule>(server, "PATCH", path, {
        token,
        body,
        headers: { "if-match": tag },
      });
    const both = await Promise.all([change(first, seen), change(second, seen)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412], path);
    const late = both.find(({ status }) => status === 412)!;
    assert.equal(late.body["code" as never], "precondition_failed");
    const newest = both.find(({ status }) => status === 200)!.headers.get("etag")!;
    assert.notEqual(newest, seen);
    assert.equal((await change(second, `W/${newest}`)).status, 200);
    assert.equal((await change(first, "*")).status, 200);
  }
});

onEitherEngine("a change is a newer version where the clock was set back, too", async (server) => {
  const { token } = await login(server);
  const things = await makeThings(server, token);
  // As if another machine, whose clock is an hour ahead, had changed them last.
  await server.stop();
  const { db, close } = await openDatabase({
    url: server.env["DATABASE_URL"],
    dataDir: server.env["DATA_DIR"]!,
    pool: 1,
  });
  const ahead = new Date(Date.now() + 3_600_000);
  for (const { table } of things) {
    await db.updateTable(table).set({ updated_at: ahead }).execute();
  }
  await close();
  await server.restart();
  for (const { path, changes } of things) {
    let seen = ahead.toISOString();
    for (const body of changes) {
      const { status, headers, body: changed } = await call<{ updatedAt: string }>(
        server,
        "PATCH",
        path,
        { token, body, headers: { "if-match": `"${seen}"` } },
      );
      assert.equal(status, 200, path);
      assert.ok(changed.updatedAt > seen, `${path}: ${changed.updatedAt} follows ${seen}`);
      assert.equal(headers.get("etag"), `"${changed.updatedAt}"`);
      seen = changed.updatedAt;
    }
  }
});

onEitherEngine("a list that has not changed is not sent again", async (server) => {
  const { token } = await login(server);
  for (
    const path of [
      "/api/users",
      "/api/widget-configs",
      "/api/context-rules",
      "/api/canned-responses",
      "/api/channels",
      "/api/labels",
    ]
  ) {
    const get = (tag?: string) =>
      call<Page<{ id: string }>>(server, "GET", path, {
        token,
        headers: tag === undefined ? {} : { "if-none-match": tag },
      });
    const first = await get();
    const etag = first.headers.get("etag")!;
    assert.equal(first.headers.get("cache-control"), "private, no-cache");
    assert.ok(Array.isArray(first.body.items), path);
    const same = await get(etag);
    assert.deepEqual([same.status, String(same.body)], [304, ""], path);
    assert.equal((await get(`"other", W/${etag}`)).status, 304);
    assert.equal((await get('"other"')).status, 200);
    const stranger = await call(server, "GET", path, { headers: { "if-none-match": etag } });
    assert.equal(stranger.status, 401, path);
  }
  const before = (await call(server, "GET", "/api/channels", { token })).headers.get("etag")!;
  await call(server, "POST", "/api/channels", {
    token,
    body: { platform: "viber", name: "V" },
  });
  const headers = { "if-none-match": before };
  assert.equal((await call(server, "GET", "/api/channels", { token, headers })).status, 200);
});

onEitherEngine("what is done over HTTP is heard on sockets as if it was done on one", async (
  server,
) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const listen = async () => {
    const socket = await connect(server, { sessionId: visitor.sessionId });
    await socket.ack("join", { conversationId });
    return socket;
  };
  const a = await connect(server, { token: agent.token });
  await a.ack("join", { conversationId });
  const v = await listen();

  const said = { content: "Hello", clientMessageId: "m1" };
  const path = `/api/conversations/${conversationId}`;
  await call(server, "POST", `${path}/messages`, { token: agent.token, body: said });
  const overHttp = await v.event("message", ({ seq }) => seq === 1);
  await a.ack("message", { conversationId, ...said, clientMessageId: "m2" });
  const overSocket = await v.event("message", ({ seq }) => seq === 2);
  const alike = (message: object) => ({
    ...message,
    id: "",
    seq: 0,
    clientMessageId: "",
    createdAt: "",
  });
  assert.deepEqual(alike(overHttp), alike(overSocket));

  await call(server, "POST", `${path}/read`, { token: visitor.sessionId, body: { seq: 2 } });
  const read = await a.event("message_status", ({ role }) => role === "visitor");
  assert.equal(read.pointers.contactReadSeq, 2);
  await call(server, "PATCH", path, { token: agent.token, body: { status: "resolved" } });
  const changed = await v.event("conversation_changed");
  assert.deepEqual([changed.status, changed.actor.userId], ["resolved", agent.user.id]);
  await a.event("conversation", (data) => data.conversation.status === "resolved");

  // The same message again, by the other way: it is the same message.
  const again = await call(server, "POST", `${path}/messages`, {
    token: agent.token,
    body: { ...said, clientMessageId: "m2" },
  });
  assert.equal(again.status, 200);
  assert.equal(again.body["seq"], 2);
  await Promise.all([a.close(), v.close()]);
});

Deno.test("every route of the document says who may call it and how it fails", async () => {
  const server = await startServer("pglite");
  try {
    const { body } = await call<{
      paths: Record<string, Record<string, Record<string, unknown>>>;
    }>(server, "GET", "/api/openapi.json");
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => ({ name: `${method} ${path}`, route }))
    );
    assert.ok(routes.length > 50, String(routes.length));
    for (const { name, route } of routes) {
      assert.ok(String(route["summary"] ?? "").length > 3, name);
      assert.equal((route["tags"] as string[]).length, 1, name);
      assert.ok("default" in (route["responses"] as object), name);
    }
    const wanted = [
      "/api/context-rules",
      "/api/widget-configs",
      "/api/canned-responses",
      "/api/channels",
      "/api/users",
      "/api/contacts",
      "/api/notifications",
      "/api/broadcast",
      "/api/api-keys",
    ];
    assert.deepEqual(wanted.filter((path) => body.paths[path] === undefined), []);
    // A schema that contains itself is a named one.
    assert.match(JSON.stringify(body), /"\$ref":"#\/components\/schemas\/FormattedNode"/);
  } finally {
    await server.close();
  }
});

Deno.test("the API can be read as a page that runs nothing", async () => {
  const server = await startServer("pglite");
  try {
    const page = await call<string>(server, "GET", "/api/docs");
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(page.headers.get("content-security-policy")!, /^default-src 'none';/);
    assert.ok(!/<script|\sstyle=|\son\w+=/.test(page.body));
    const document = await call<{ paths: Record<string, object> }>(
      server,
      "GET",
      "/api/openapi.json",
    );
    const { body } = document;
    for (const { headers } of [page, document]) {
      assert.match(headers.get("content-security-policy")!, /object-src 'none'.*base-uri 'none'/);
    }
    // Made once, because that takes long and anybody may ask.
    const known = { "if-none-match": document.headers.get("etag")! };
    const again = await fetch(`${server.url}/api/openapi.json`, { headers: known });
    assert.equal(again.status, 304);
    await again.body?.cancel();
    const routes = Object.values(body.paths).flatMap((methods) => Object.keys(methods));
    assert.equal(page.body.match(/class="route"/g)?.length, routes.length);
    const headers = { "if-none-match": page.headers.get("etag")! };
    assert.equal((await call(server, "GET", "/api/docs", { headers })).status, 304);
    const style = await call<string>(server, "GET", "/api/docs/style.css");
    assert.match(style.headers.get("content-type")!, /^text\/css/);
  } finally {
    await server.close();
  }
});
