/**
 * Everything that a request can have wrong, for every route of /api/openapi.json: the answer is a
 * problem with a stable code, never a 500, and the database is as it was. A new route is tried as
 * soon as it is in the document; one with a body fails here until a good body of it stands below.
 */
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { type ErrorCode, ERRORS } from "../protocol/errors.ts";
import { badBodies, badQueries, type Route, routesOf } from "./support/bad_input.ts";
import { fingerprint } from "./support/fingerprint.ts";
import { call, cast, login, openSession } from "./support/http.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const SECRET = "a secret that is long enough to sign";
const SOMEBODY = "01a1f905-b485-7004-91ff-9a78c06738dd";
const GRACE = { email: "grace@example.com", password: "a long enough password" };
const MAX_BYTES = 65_536;

const RULE = {
  name: "Prices",
  enabled: true,
  conditions: [{ kind: "message", keywords: ["price"] }],
  actions: [{ kind: "bot_message", content: "See /pricing" }],
};

const RANGE = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z";

/** What an address needs besides. */
const QUERY: Record<string, string> = {
  "/api/search": "?q=hello",
  "/api/analytics/series": `?metric=messages_in&${RANGE}`,
  "/api/analytics/breakdown": `?by=label&${RANGE}`,
  "/api/analytics/heatmap": `?metric=messages_in&${RANGE}`,
  "/api/analytics/conversations": `?metric=messages_in&${RANGE}`,
};

/** A good body of each route that takes one. */
const GOOD: Record<string, Record<string, unknown>> = {
  "POST /api/setup": { name: "Eve", email: "eve@example.com", password: "long enough, too" },
  "POST /api/auth/login": { email: "nobody@example.com", password: "whatever" },
  "POST /api/sessions": { widgetKey: "wk_unknown", page: { url: "https://example.com/" } },
  "POST /api/api-keys": { name: "CRM", scopes: ["messages:write"], expiresAt: null },
  "POST /api/canned-responses": {
    shortCode: "hi",
    content: "Hello!",
    folder: "Greetings",
    shared: false,
    actions: { assignTo: "me", status: "pending" },
  },
  "PATCH /api/canned-response-settings": { managedBy: "agents" },
  "PATCH /api/canned-responses/{id}": { content: "Hello!" },
  "POST /api/channels": { platform: "telegram", name: "Support", settings: {} },
  "PATCH /api/channels/{id}": { name: "Sales" },
  "POST /api/connections/disconnect": { userId: SOMEBODY },
  "POST /api/contexts/{contextId}/tokens": { userId: "u1", userName: "Una", expiresIn: 60 },
  "POST /api/context-rules": RULE,
  "PATCH /api/context-rules/{id}": RULE,
  "POST /api/context-rules/order": { ids: [SOMEBODY] },
  "POST /api/contacts/{id}/merges": { contactId: SOMEBODY },
  "POST /api/contacts/{id}/block": { blocked: false },
  "POST /api/conversations": { contactId: SOMEBODY },
  "PATCH /api/conversations/{id}": { status: "resolved", addLabels: [], removeLabels: [] },
  "POST /api/conversations/{id}/rating": { rating: 5, comment: "Good" },
  "PATCH /api/analytics/business-hours": { businessHours: null },
  "POST /api/conversations/read": { ids: [SOMEBODY] },
  "POST /api/conversations/unread": { ids: [SOMEBODY] },
  "POST /api/conversations/bulk": { ids: [SOMEBODY], change: { status: "resolved" } },
  "PATCH /api/queue-settings": { assignOnReply: true },
  "POST /api/conversations/{id}/messages": { content: "Hello", clientMessageId: "c1" },
  "POST /api/conversations/{id}/messages/{messageId}/reactions": { emoji: "👍" },
  "PATCH /api/conversations/{id}/messages/{messageId}": { content: "Hello!" },
  "POST /api/conversations/{id}/read": { seq: 1 },
  "POST /api/views": { name: "To do", filter: { view: "mine", unread: true, waitingMinutes: 5 } },
  "PATCH /api/views/{id}": { name: "To do" },
  "POST /api/teams": { name: "Sales", assignment: "least_busy", capacity: 5, memberIds: [] },
  "PATCH /api/teams/{id}": { name: "Sales" },
  "POST /api/labels": { name: "VIP", color: "red", description: "Important" },
  "PATCH /api/labels/{id}": { name: "VIP" },
  "PATCH /api/conversations/{id}/draft": { mode: "reply", content: "Hello" },
  "POST /api/conversations/{id}/scheduled-messages": {
    content: "Hello",
    sendAt: new Date(Date.now() + 3_600_000).toISOString(),
  },
  "PATCH /api/scheduled-messages/{id}": { content: "Hello" },
  "PATCH /api/preferences": { undoSendSeconds: 5 },
  "PATCH /api/notification-preferences": { message: { sound: false } },
  "POST /api/files/addresses": { ids: [SOMEBODY] },
  "POST /api/broadcast": { room: "agents", event: "deploy", data: {} },
  "POST /api/users/{id}/events": { event: "deploy", data: {} },
  "POST /api/users": { name: "Eve", ...GRACE, email: "eve@example.com", role: "agent" },
  "PATCH /api/users/{id}": { name: "Eve" },
  "PATCH /api/contacts/{id}": { name: "Eve" },
  "POST /api/widget-configs": { name: "Shop", allowedOrigins: ["https://a.example"] },
  "PATCH /api/widget-configs/{id}": { name: "Shop", appearance: { title: "Hi" } },
};

interface Try {
  route: Route;
  /** For the failure's message. */
  why: string;
  path: string;
  token?: string | undefined;
  headers?: Record<string, string>;
  body?: BodyInit | undefined;
  /** What it has to be, besides 4xx. */
  status?: number[];
}

const JSON_TYPE = { "content-type": "application/json" };
const hasBody = ({ method }: Route) => method === "POST" || method === "PATCH";
const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const goodBody = (route: Route) =>
  route.operation.requestBody === undefined ? undefined : JSON.stringify(GOOD[nameOf(route)]);
const isPublic = ({ operation }: Route) => operation.security?.length === 0;

/** Sends them, several at a time, and looks at every answer. */
async function refuseAll(server: TestServer, tries: Try[]): Promise<void> {
  assert.ok(tries.length > 0);
  const failures: string[] = [];
  async function one({ route, why, path, token, headers, body, status }: Try): Promise<void> {
    const response = await fetch(server.url + path, {
      method: route.method,
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || typeof body !== "string" ? {} : JSON_TYPE),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const complain = (what: string) =>
      failures.push(`${nameOf(route)}, ${why}: ${what}: ${response.status} ${text.slice(0, 200)}`);
    if (response.status < 400 || response.status > 499) return void complain("is no 4xx");
    if (response.headers.get("content-type") !== "application/problem+json") {
      return void complain(`is ${response.headers.get("content-type")}`);
    }
    const problem = JSON.parse(text) as { code: ErrorCode; status: number; detail: string };
    if (ERRORS[problem.code]?.status !== response.status || problem.status !== response.status) {
      return void complain("code and status do not belong together");
    }
    if (problem.detail.length > 2000) complain("repeats too much of the request");
    if (status !== undefined && !status.includes(response.status)) complain(`is not ${status}`);
  }
  const waiting = tries[Symbol.iterator]();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const next of waiting) await one(next);
  }));
  const most = failures.slice(0, 20);
  assert.deepEqual(most, [], `${failures.length} of ${tries.length} were not refused well`);
}

/** JWTs that are none of ours, or not any more, or not for this. */
async function forgedTokens(userId: string, good: string): Promise<Record<string, string>> {
  const claims = JSON.parse(atob(good.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  const now = Math.floor(Date.now() / 1000);
  const sign = (
    payload: Record<string, unknown>,
    { secret = SECRET, alg = "HS256" }: { secret?: string; alg?: string } = {},
  ) =>
    new SignJWT(payload).setProtectedHeader({ alg, typ: "JWT" })
      .sign(new TextEncoder().encode(secret));
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const without = (name: string) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const [head, payload, signature] = good.split(".");
  return {
    "none algorithm": `${part({ alg: "none", typ: "JWT" })}.${payload}.`,
    "none algorithm with the signature": `${part({ alg: "none" })}.${payload}.${signature}`,
    "HS512": await sign(claims, { alg: "HS512", secret: SECRET.repeat(2) }),
    "wrong key": await sign(claims, { secret: "another secret of the same length" }),
    "no exp": await sign(without("exp")),
    "no sub": await sign(without("sub")),
    "expired": await sign({ ...claims, iat: now - 7200, exp: now - 3600 }),
    "wrong audience": await sign({ ...claims, aud: "https://elsewhere.example" }),
    "wrong issuer": await sign({ ...claims, iss: "elsewhere" }),
    "unknown user": await sign({ ...claims, sub: SOMEBODY }),
    "sub is no UUID": await sign({ ...claims, sub: "x' or 1=1 --" }),
    "sign-in is no UUID": await sign({ ...claims, sid: "nonsense" }),
    "exp is text": await sign({ ...claims, exp: "never" }),
    "a participant's": await sign({ sub: userId, contexts: ["a"], exp: now + 60 }),
    "changed payload": `${head}.${part({ ...claims, role: "admin", x: 1 })}.${signature}`,
    "two dots": "..",
    "nonsense": "a.b.c",
    "long": `${"x".repeat(4000)}.y.z`,
    "unknown session": "x".repeat(43),
    "unknown API key": `pk_${"x".repeat(43)}`,
    "short API key": "pk_x",
    "NUL": "a%00b",
  };
}

onBothEngines("whatever is wrong with a request, it is refused and changes nothing", async (
  server,
  t,
) => {
  const { agent, visitor, conversation, key } = await cast(server);
  const admin = agent.token;
  const ask = async <T>(method: string, path: string, body?: unknown, token = admin) => {
    const answer = await call<T>(server, method, path, { token, body });
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const grace = await ask<{ id: string }>("POST", "/api/users", {
    ...GRACE,
    name: "Grace",
    role: "agent",
  });
  const graceToken = (await login(server, GRACE)).token;
  const stranger = (await openSession(server, key)).sessionId;
  const made = async (path: string, body: unknown) =>
    (await ask<{ id: string }>("POST", path, body)).id;
  const hers = await connect(server, { token: graceToken });
  await ask("PATCH", `/api/conversations/${conversation.id}`, { assigneeId: grace.id });
  const { notification } = await hers.event("notification");
  await hers.close();
  const { items: [widget] } = await ask<{ items: { id: string }[] }>("GET", "/api/widget-configs");
  const newKey = (scopes: string[]) =>
    ask<{ id: string; key: string }>("POST", "/api/api-keys", { name: "CRM", scopes });
  const limitedKey = await newKey(["connections:read"]);
  const revokedKey = await newKey(["messages:write"]);
  await call(server, "DELETE", `/api/api-keys/${revokedKey.id}`, { token: admin });
  /** What there is, of each kind that has an id in an address. */
  const ids: Record<string, string> = {
    "/api/api-keys/": limitedKey.id,
    "/api/canned-responses/": await made("/api/canned-responses", {
      shortCode: "ty",
      content: "Thank you!",
    }),
    "/api/channels/": await made("/api/channels", { platform: "telegram", name: "Support" }),
    "/api/contacts/": visitor.contact.id,
    "/api/context-rules/": await made("/api/context-rules", RULE),
    "/api/conversations/": conversation.id,
    "/api/labels/": await made("/api/labels", { name: "Bug" }),
    "/api/teams/": await made("/api/teams", { name: "Billing" }),
    "/api/views/": await made("/api/views", { name: "All", filter: {} }),
    "/api/notifications/": notification.id,
    "/api/scheduled-messages/": await made(
      `/api/conversations/${conversation.id}/scheduled-messages`,
      GOOD["POST /api/conversations/{id}/scheduled-messages"],
    ),
    "/api/users/": agent.user.id,
    "/api/v1/conversations/": conversation.id,
    "/api/widget-configs/": widget!.id,
  };
  const document = await ask<Parameters<typeof routesOf>[0]>("GET", "/api/openapi.json");
  const routes = routesOf(document);
  const closed = routes.filter((route) => !isPublic(route));

  /** The address with everything in it that there is. */
  function pathOf({ path }: Route, id?: string): string {
    return path.replace("{widgetKey}", id ?? key).replace("{contextId}", id ?? "shop")
      .replace("{signInId}", id ?? SOMEBODY).replace("{messageId}", id ?? SOMEBODY)
      .replace("{mergeId}", id ?? SOMEBODY)
      .replace(/^(.*?)\{id\}/, (_, start) => {
        const known = id ?? ids[start];
        assert.ok(known !== undefined, `This test knows no id for ${path}`);
        return start + known;
      }) + (QUERY[path] ?? "");
  }

  const before = await fingerprint(server);

  await t.step("every route with a body has a good one here", () => {
    const missing = routes.filter((route) =>
      route.operation.requestBody !== undefined && GOOD[nameOf(route)] === undefined
    );
    assert.deepEqual(missing.map(nameOf), []);
  });

  await t.step("fields that are wrong, missing, too many or too long", async () => {
    await refuseAll(
      server,
      routes.flatMap((route) => {
        const { requestBody } = route.operation;
        if (requestBody === undefined) return [];
        const { schema } = requestBody.content["application/json"];
        return badBodies(schema, GOOD[nameOf(route)]!).map(({ why, body }) => ({
          route,
          why,
          path: pathOf(route),
          token: admin,
          body: JSON.stringify(body),
        }));
      }),
    );
  });

  await t.step("bodies that are empty, huge, half or not JSON", async () => {
    const bodies: Omit<Try, "route" | "path">[] = [
      { why: "not JSON", body: "{", status: [400] },
      { why: "half of it", body: '{"name":"x', status: [400] },
      { why: "two of it", body: "{}{}", status: [400] },
      { why: "U+0000", body: '{"name":"\\u0000"}', status: [400] },
      { why: "nested", body: "[".repeat(20_000) + "]".repeat(20_000), status: [400] },
      { why: "huge", body: JSON.stringify({ name: "x".repeat(MAX_BYTES) }), status: [413] },
      { why: "no UTF-8", body: new Uint8Array([0xff, 0xfe, 0x00]), headers: JSON_TYPE },
      {
        why: "huge and in pieces",
        body: new Blob(["x".repeat(MAX_BYTES + 1)]).stream(),
        headers: JSON_TYPE,
        status: [413],
      },
      {
        why: "a form",
        body: "a=1",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
      { why: "lists of types", body: "{}", headers: { "content-type": "application/json, a/b" } },
      { why: "half a type", body: "{}", headers: { "content-type": "application/json;" } },
      { why: "text", body: "{}", headers: { "content-type": "text/plain" } },
      { why: "JSON of another kind", body: "{}", headers: { "content-type": "application/jsonx" } },
    ];
    const needed: Omit<Try, "route" | "path">[] = [
      { why: "empty", body: "" },
      { why: "no body at all" },
    ];
    await refuseAll(
      server,
      routes.filter(hasBody).flatMap((route) => {
        const all = route.operation.requestBody === undefined ? bodies : [...bodies, ...needed];
        return all.map((one) => ({
          ...one,
          // A stream is read once.
          ...(one.body instanceof ReadableStream
            ? { body: new Blob(["x".repeat(MAX_BYTES + 1)]).stream() }
            : {}),
          route,
          path: pathOf(route),
          token: admin,
        }));
      }),
    );
  });

  await t.step("ids that are none, unknown or somebody else's", async () => {
    const bad: Record<string, [string, number[]][]> = {
      "{id}": [
        ["not-a-uuid", [422]],
        ["%00", [422]],
        ["x".repeat(2000), [422]],
        [SOMEBODY, [403, 404]],
        [
          SOMEBODY.replace("7004", "zzzz"),
          [422],
        ],
      ],
      "{messageId}": [["x", [422]], ["%00", [422]], [SOMEBODY, [404]]],
      "{signInId}": [["x", [422]], ["%00", [422]], [SOMEBODY, [404]]],
      "{contextId}": [["%00", [422]], ["x".repeat(2000), [422]], [SOMEBODY, [404]]],
      "{widgetKey}": [["unknown", [404]], ["%00", [404, 422]], ["x".repeat(2000), [422]]],
    };
    const withId = routes.filter(({ path }) => path.includes("{"));
    await refuseAll(
      server,
      withId.flatMap((route) => {
        const name = /\{\w+\}/.exec(route.path)![0];
        const body = goodBody(route);
        return bad[name]!.map(([id, status]) => {
          return {
            route,
            why: id.slice(0, 40),
            path: pathOf(route, id),
            token: admin,
            body,
            status,
          };
        });
      }),
    );
    await refuseAll(
      server,
      withId.filter((route) => !isPublic(route)).map((route) => ({
        route,
        why: "a visitor, and somebody else's",
        path: pathOf(route),
        token: stranger,
        body: goodBody(route),
        status: [403, 404],
      })),
    );
    await refuseAll(
      server,
      routes.filter(({ path }) => path.startsWith("/api/notifications/{")).map((route) => ({
        route,
        why: "another agent's",
        path: pathOf(route),
        token: admin,
        status: [404],
      })),
    );
  });

  await t.step("queries", async () => {
    await refuseAll(
      server,
      routes.flatMap((route) =>
        badQueries(route.operation).map((query) => {
          const [path, good] = pathOf(route).split("?");
          const all = new URLSearchParams(good);
          for (const [name, value] of new URLSearchParams(query)) all.set(name, value);
          return { route, why: query.slice(0, 60), path: `${path}?${all}`, token: admin };
        })
      ),
    );
  });

  await t.step("credentials that are expired, forged or not there", async () => {
    const tokens = {
      ...await forgedTokens(agent.user.id, admin),
      "revoked API key": revokedKey.key,
    };
    const headers: Record<string, Record<string, string>> = {
      "no credentials": {},
      "no scheme": { authorization: admin },
      "another scheme": { authorization: `Basic ${btoa("ada@example.com:password")}` },
      "an empty token": { authorization: "Bearer " },
      "two tokens": { authorization: `Bearer ${admin} ${admin}` },
    };
    await refuseAll(
      server,
      closed.flatMap((route) => {
        const common = { route, path: pathOf(route), body: goodBody(route), status: [401] };
        return [
          ...Object.entries(tokens)
            // Participants may have addresses of files.
            .filter(([why]) => why !== "a participant's" || !route.path.startsWith("/api/files/"))
            .map(([why, token]) => ({ ...common, why, token })),
          ...Object.entries(headers).map(([why, headers]) => ({ ...common, why, headers })),
        ];
      }),
    );
  });

  await t.step("an API key without the scope, and a page of another origin", async () => {
    const allowed = ["/api/connections/stats", "/api/users/{id}/connections"];
    await refuseAll(
      server,
      closed.filter(({ path }) => !allowed.includes(path)).flatMap((route) => {
        const common = { route, path: pathOf(route), body: goodBody(route), status: [403] };
        return [
          { ...common, why: "API key", token: limitedKey.key },
          {
            ...common,
            why: "another origin",
            token: admin,
            headers: { origin: "https://elsewhere.example" },
          },
        ];
      }),
    );
  });

  await t.step("methods and addresses that are not there", async () => {
    const route: Route = { method: "PUT", path: "/api/users", operation: {} };
    const tries = ["/api/nothing", "/api/users/x/y/z", "/api/%00", "/api/..%2f..%2fetc/passwd"];
    await refuseAll(server, [
      { route, why: "another method", path: "/api/users", token: admin, body: "{}" },
      ...tries.map((path) => ({ route, why: path, path, token: admin })),
    ]);
  });

  assert.deepEqual(await fingerprint(server), before);

  await t.step("and the good bodies are not refused for their form", async () => {
    for (const route of routes.filter(({ operation }) => operation.requestBody !== undefined)) {
      const { status, body } = await call(server, route.method, pathOf(route), {
        token: admin,
        body: GOOD[nameOf(route)],
      });
      assert.ok(![400, 413, 422].includes(status), `${nameOf(route)}: ${JSON.stringify(body)}`);
    }
  });
}, {
  JWT_SECRET: SECRET,
  LIMIT_LOGINS_PER_MINUTE: "100000",
  LIMIT_SESSIONS_PER_MINUTE: "100000",
  WAITING_ALERT_MS: "0",
});
