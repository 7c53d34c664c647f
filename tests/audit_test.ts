import assert from "node:assert/strict";
import { openDatabase } from "../db/database.ts";
import { audit, forgetAudit, listAudit, SYSTEM } from "../domain/audit.ts";
import { AUDIT_ACTIONS, type AuditEntry, type AuditList } from "../protocol/audit.ts";
import type { ContactProfile } from "../protocol/contacts.ts";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { ADMIN, startServer, type TestServer } from "./support/server.ts";
import { makeDataDir } from "./support/template.ts";

const GRACE = { email: "grace@example.com", password: "violet kettle harbour 9" };
const NEXT = "another kettle harbour 9";

Deno.test("the audit log has every change of rights and every sign-in", async () => {
  const server = await startServer("pglite");
  try {
    await everyAction(server);
    assert.deepEqual(server.errors, []);
  } finally {
    await server.close();
  }
});

async function everyAction(server: TestServer): Promise<void> {
  const { agent: { token, user: ada }, visitor, conversation } = await cast(server, "assign");
  const send = async <T = { id: string }>(
    method: string,
    path: string,
    body?: unknown,
    by = token,
  ) => {
    const answer = await call<T>(server, method, path, {
      token: by,
      body,
      headers: { "user-agent": "audit test" },
    });
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const text = "my card number is 4111";
  await post(server, visitor.sessionId, conversation.id, text);

  const grace = await send("POST", "/api/users", { ...GRACE, name: "Grace", role: "agent" });
  const path = `/api/users/${grace.id}`;
  const hers = await login(server, GRACE);
  await call(server, "POST", "/api/auth/login", { body: { ...GRACE, password: "a wrong one" } });
  await call(server, "POST", "/api/auth/login", {
    body: { email: "eve@example.net", password: "a wrong one" },
  });
  // A hand that slipped: what stands in the place of the address is none.
  await call(server, "POST", "/api/auth/login", {
    body: { email: GRACE.password, password: GRACE.email },
  });
  await call(server, "PATCH", path, {
    token: hers.token,
    body: { password: NEXT, currentPassword: "a wrong one" },
  });
  await send("PATCH", path, { name: "Grace Okafor" }, hers.token);
  await send("PATCH", path, { role: "admin" });
  await send("PATCH", path, { password: NEXT });
  const cookies = (await call(server, "POST", "/api/auth/login", {
    body: { ...GRACE, password: NEXT },
  })).headers.getSetCookie();
  const cookie = cookies.map((one) => one.split(";")[0]).join("; ");
  const refresh = async (cookie: string) =>
    (await call(server, "POST", "/api/auth/refresh", { headers: { cookie } })).headers
      .getSetCookie().map((one) => one.split(";")[0]).join("; ");
  await refresh(await refresh(cookie));
  await refresh(cookie);
  const out = (await call(server, "POST", "/api/auth/login", {
    body: { ...GRACE, password: NEXT },
  })).headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  await call(server, "POST", "/api/auth/logout", { headers: { cookie: out } });
  await send("DELETE", path);
  await send("PATCH", path, { disabled: false });

  const key = await send<{ id: string; key: string }>("POST", "/api/api-keys", {
    name: "CRM",
    scopes: ["connections:write"],
  });
  await send("POST", `/api/users/${grace.id}/disconnect`, {}, key.key);
  await send("POST", "/api/connections/disconnect", { sessionId: visitor.sessionId });
  await send("DELETE", `/api/api-keys/${key.id}`);
  const widget = await send("POST", "/api/widget-configs", { name: "Shop" });
  await send("PATCH", `/api/widget-configs/${widget.id}`, {
    allowedOrigins: ["https://shop.example.com"],
  });
  await send("DELETE", `/api/widget-configs/${widget.id}`);
  const rule = await send("POST", "/api/context-rules", {
    name: "Hello",
    conditions: [{ kind: "message", keywords: ["refund"] }],
    actions: [{ kind: "bot_message", content: text }],
  });
  await send("PATCH", `/api/context-rules/${rule.id}`, { enabled: false });
  await send("POST", "/api/context-rules/order", { ids: [rule.id] });
  await send("DELETE", `/api/context-rules/${rule.id}`);
  const channel = await send("POST", "/api/channels", { platform: "telegram", name: "Bot" });
  await send("PATCH", `/api/channels/${channel.id}`, { name: "Our bot" });
  await send("DELETE", `/api/channels/${channel.id}`);
  const team = await send("POST", "/api/teams", { name: "Sales" });
  await send("PATCH", `/api/teams/${team.id}`, { capacity: 3 });
  await send("DELETE", `/api/teams/${team.id}`);
  const label = await send("POST", "/api/labels", { name: "Bug" });
  await send("PATCH", `/api/labels/${label.id}`, { color: "red" });
  await send("DELETE", `/api/labels/${label.id}`);
  const canned = await send("POST", "/api/canned-responses", { shortCode: "hi", content: text });
  await send("DELETE", `/api/canned-responses/${canned.id}`);
  await send("PATCH", "/api/canned-response-settings", { managedBy: "agents" });
  await send("PATCH", "/api/queue-settings", { assignOnReply: false });
  await send("PATCH", "/api/analytics/business-hours", { businessHours: null });
  await send("POST", "/api/contexts/order-17/tokens", { userId: "u1", userName: "Eve" });
  const contact = `/api/contacts/${conversation.contact.id}`;
  const { contact: other } = await openSession(server, await widgetKey(server, token));
  const merged = await send<ContactProfile>("POST", `${contact}/merges`, { contactId: other.id });
  await send("DELETE", `${contact}/merges/${merged.merges[0]!.id}`);
  for (const blocked of [true, false]) await send("POST", `${contact}/block`, { blocked });
  await call(server, "GET", `${contact}/export`, { token });
  await send("DELETE", contact);
  const range = "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z";
  const series = `/api/analytics/series?metric=messages_in&${range}`;
  await call(server, "GET", `${series}&format=csv`, { token });

  // All of it, page by page.
  const entries: AuditEntry[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: AuditList = await send<AuditList>(
      "GET",
      `/api/audit?limit=7${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    assert.ok(page.items.length <= 7);
    entries.push(...page.items);
    cursor = page.nextCursor;
  }
  assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length);
  const csv = await call<string>(server, "GET", "/api/audit?format=csv", { token });
  assert.match(csv.headers.get("content-type")!, /^text\/csv/);
  const list = await send<AuditList>("GET", "/api/audit?limit=200");
  const found = new Set(list.items.map(({ action }) => action));
  const expected = Object.values(AUDIT_ACTIONS).flat();
  assert.deepEqual(expected.filter((action) => !found.has(action)), []);
  // The byte order mark, the head, and every line before the one that the download made.
  assert.equal(csv.body.split("\r\n").length, entries.length + 3);

  const of = (action: string) => list.items.filter((entry) => entry.action === action);
  const [role] = of("user.role_changed");
  assert.deepEqual(role!.actor, { kind: "user", id: ada.id, name: ada.name });
  assert.deepEqual(role!.subject, { id: grace.id, name: "Grace Okafor" });
  assert.deepEqual(role!.data, { from: "agent", to: "admin" });
  assert.deepEqual([role!.address, role!.userAgent], ["127.0.0.1", "audit test"]);
  assert.deepEqual(
    of("sign_in.failed").map(({ actor, subject, result }) => [
      actor.kind,
      subject.id,
      subject.name,
      result,
    ]),
    [
      ["nobody", null, null, "refused"],
      ["nobody", null, "eve@example.net", "refused"],
      ["nobody", grace.id, GRACE.email, "refused"],
    ],
  );
  assert.deepEqual(of("connections.ended").map(({ actor }) => actor.name), [ada.name, "CRM"]);
  const [origins] = of("widget.updated");
  assert.deepEqual(origins!.data, {
    changed: ["allowedOrigins"],
    from: [],
    to: ["https://shop.example.com"],
  });
  assert.deepEqual(of("sign_in.ended").map(({ data }) => data["reason"]).sort(), [
    "password",
    "signed_out",
  ]);
  const everything = JSON.stringify(list) + csv.body;
  const secrets = [ADMIN.password, GRACE.password, NEXT, "a wrong one", key.key, token, text];
  for (const secret of [...secrets, visitor.sessionId]) assert.ok(!everything.includes(secret));

  const count = async (query: string) =>
    (await send<AuditList>("GET", `/api/audit?limit=200&${query}`)).items.length;
  assert.equal(await count("group=widgets"), 3);
  assert.equal(await count("action=user.created"), 2);
  assert.equal(await count(`actorId=${key.id}`), 1);
  assert.equal(await count("result=refused"), 4);
  assert.equal(await count("from=2999-01-01T00:00:00Z"), 0);
  assert.equal(await count("to=2001-01-01T00:00:00Z"), 0);
  for (const bad of ["group=x", "actorId=x", "from=x", "cursor=x", "limit=0"]) {
    assert.equal((await call(server, "GET", `/api/audit?${bad}`, { token })).status, 422, bad);
  }
  await send("PATCH", path, { role: "agent" });
  const again = await login(server, { ...GRACE, password: NEXT });
  for (const format of ["json", "csv"]) {
    const url = `/api/audit?format=${format}`;
    assert.equal((await call(server, "GET", url, { token: again.token })).status, 403);
    assert.equal((await call(server, "GET", url)).status, 401);
  }
}

Deno.test("what is older than the audit log is kept for is forgotten, and nothing else", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  try {
    for (let i = 0; i < 3; i++) await audit(db, SYSTEM, { action: "rules.ordered" });
    const [newest, ...older] = (await listAudit(db, { limit: 10 })).items;
    await db.updateTable("audit_log").set({ created_at: new Date(Date.now() - 7_200_000) })
      .where("id", "in", older.map(({ id }) => id)).execute();
    assert.equal(await forgetAudit(db, 3_600_000), 2);
    const left = (await listAudit(db, { limit: 10 })).items;
    assert.deepEqual(left.map(({ id }) => id), [newest!.id]);
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
});
