import assert from "node:assert/strict";
import pg from "pg";
import type { LoginResponse } from "../protocol/rest.ts";
import { call, cast, login } from "./support/http.ts";
import { ADMIN, onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { runToEnd, startProcess } from "./support/process.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";
import { setupCode } from "../domain/agents/setup_code.ts";

function cookieOf(headers: Headers): string {
  const cookie = headers.getSetCookie().find((one) => one.startsWith("parley_refresh="));
  assert.ok(cookie !== undefined, "a refresh cookie is set");
  assert.match(cookie, /; HttpOnly/);
  assert.match(cookie, /; SameSite=Lax/);
  return cookie.split(";")[0]!;
}

async function signIn(server: TestServer): Promise<{ cookie: string; token: string }> {
  const answer = await call<LoginResponse>(server, "POST", "/api/auth/login", { body: ADMIN });
  assert.equal(answer.status, 200);
  return { cookie: cookieOf(answer.headers), token: answer.body.token };
}

function refresh(server: TestServer, cookie: string) {
  return call<LoginResponse & { code: string }>(server, "POST", "/api/auth/refresh", {
    headers: { cookie },
  });
}

Deno.test("the first admin is made once, also by two at the same time", async () => {
  const server = await startServer("pglite", { ADMIN_EMAIL: "", ADMIN_PASSWORD: "" });
  try {
    const setup = (email: string) =>
      call<LoginResponse & { code: string }>(server, "POST", "/api/setup", {
        body: { name: "Ada", email, password: "a long enough password" },
      });
    const short = await call<{ fields: { path: string }[] }>(server, "POST", "/api/setup", {
      body: { name: "", email: "nobody", password: "short" },
    });
    assert.equal(short.status, 422);
    assert.deepEqual(short.body.fields.map(({ path }) => path).sort(), [
      "email",
      "name",
      "password",
    ]);
    const both = await Promise.all([setup("Ada@Example.com"), setup("eve@example.com")]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    const winner = both.find(({ status }) => status === 200)!;
    assert.equal(winner.body.user.role, "admin");
    assert.equal(winner.body.user.email, winner.body.user.email.toLowerCase());
    cookieOf(winner.headers);
    // Looked at before it costs anything: none of these waits for a password to be hashed.
    const late = await Promise.all(
      Array.from({ length: 60 }, (_, i) => setup(`late${i}@example.com`)),
    );
    assert.deepEqual(new Set(late.map(({ body }) => body.code)), new Set(["already_set_up"]));
  } finally {
    await server.close();
  }
});

Deno.test("from another machine the first admin needs the code that the server printed", async () => {
  const server = await startServer("pglite", { ADMIN_EMAIL: "", ADMIN_PASSWORD: "" });
  try {
    const setup = (headers: Record<string, string>, code?: string) =>
      call<{ code: string; fields: { path: string }[] }>(server, "POST", "/api/setup", {
        body: {
          name: "Ada",
          email: "ada@example.com",
          password: "a long enough password",
          ...(code === undefined ? {} : { code }),
        },
        headers,
      });
    const proxied = { via: "1.1 proxy" };
    for (const code of [undefined, "", "AAAA-AAAA-AAAA"]) {
      const refused = await setup(proxied, code);
      assert.equal(refused.status, 403);
      assert.deepEqual(refused.body.fields.map(({ path }) => path), ["code"]);
    }
    const code = setupCode(await Deno.readTextFile(`${server.env["DATA_DIR"]}/jwt_secret`));
    assert.match(code, /^[A-Z2-9]{4}(-[A-Z2-9]{4}){2}$/);
    const typed = ` ${code.toLowerCase().replaceAll("-", " ")}`;
    assert.equal((await setup(proxied, typed)).status, 200);
    assert.equal((await setup(proxied, code)).body.code, "already_set_up");
    assert.equal((await setup(proxied)).body.code, "already_set_up");
  } finally {
    await server.close();
  }
});

Deno.test("a password that is guessed early is refused wherever one is made", async () => {
  const server = await startServer("pglite");
  try {
    const { token, user } = await login(server);
    const weak = [
      ["POST", "/api/users", { name: "Grace", email: "grace@example.com", role: "agent" }],
      ["PATCH", `/api/users/${user.id}`, { currentPassword: ADMIN.password }],
    ] as const;
    for (const [method, path, body] of weak) {
      const refused = await call<{ code: string; fields: { path: string; message: string }[] }>(
        server,
        method,
        path,
        { token, body: { ...body, password: "password12" } },
      );
      assert.equal(refused.status, 422);
      assert.deepEqual(refused.body.fields.map(({ path }) => path), ["password"]);
      assert.match(refused.body.fields[0]!.message, /most common/);
    }
    await login(server);
    // The one that makes the first admin is looked at, one that makes nobody is not.
    const dataDir = server.env["DATA_DIR"]!;
    await server.stop();
    const env = { DATA_DIR: dataDir, ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: "password12" };
    const again = await startProcess(env);
    await again.kill("SIGTERM");
    const empty = await makeDataDir();
    const { code, stderr } = await runToEnd({ ...env, DATA_DIR: empty, PORT: "0" });
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot start: setting ADMIN_PASSWORD is \(secret\): it must be harder/);
    await Deno.remove(empty, { recursive: true });
  } finally {
    await server.close();
  }
});

Deno.test("over HTTPS cookies are kept for this host, and answers for nobody else", async () => {
  const server = await startServer("pglite", { TRUSTED_PROXIES: "127.0.0.1" });
  try {
    const https = { "x-forwarded-proto": "https", "x-forwarded-host": "chat.example.com" };
    const signedIn = await call(server, "POST", "/api/auth/login", { body: ADMIN, headers: https });
    const cookies = signedIn.headers.getSetCookie();
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) {
      assert.match(cookie, /^__Host-parley_(refresh|device)=/);
      assert.match(cookie, /; Path=\/(;|$)/);
      assert.match(cookie, /; Secure/);
      assert.match(cookie, /; HttpOnly/);
      assert.ok(!/; Domain/i.test(cookie));
    }
    assert.equal(signedIn.headers.get("cache-control"), "no-store");
    assert.match(
      signedIn.headers.get("strict-transport-security")!,
      /^max-age=63072000; includeSubDomains$/,
    );
    assert.match(signedIn.headers.get("content-security-policy")!, /frame-ancestors 'none'/);
    assert.equal(signedIn.headers.get("x-content-type-options"), "nosniff");

    // Over plain HTTP it works as before, and who comes from there to HTTPS stays signed in.
    const plain = await call(server, "POST", "/api/auth/login", { body: ADMIN });
    const cookie = cookieOf(plain.headers);
    assert.equal(plain.headers.get("strict-transport-security"), null);
    const moved = await call(server, "POST", "/api/auth/refresh", {
      headers: { ...https, cookie },
    });
    assert.equal(moved.status, 200);
    assert.equal(moved.headers.get("cache-control"), "no-store");
    const [fresh, old] = moved.headers.getSetCookie();
    assert.match(fresh!, /^__Host-parley_refresh=.+; Secure/);
    assert.match(old!, /^parley_refresh=;.*Max-Age=0/);
    const out = await call(server, "POST", "/api/auth/logout", {
      headers: { ...https, cookie: fresh!.split(";")[0]! },
    });
    assert.match(out.headers.getSetCookie().join(), /__Host-parley_refresh=;/);
    assert.equal(out.headers.get("cache-control"), "no-store");
  } finally {
    await server.close();
  }
});

Deno.test("what a password costs is bounded, and refused past it", async () => {
  const server = await startServer("pglite", {
    ADMIN_EMAIL: "",
    ADMIN_PASSWORD: "",
    LIMIT_LOGINS_PER_MINUTE: "8",
    MAX_PENDING_PASSWORDS: "3",
  });
  try {
    const answers = await Promise.all(
      Array.from(
        { length: 60 },
        (_, i) =>
          call<{ code: string; limit: string; retryAfter: number }>(server, "POST", "/api/setup", {
            body: { name: "Ada", email: `ada${i}@example.com`, password: "a long enough password" },
          }),
      ),
    );
    const counts = Map.groupBy(answers, ({ status }) => status);
    // Two at a time and three that wait; the network has a limit of its own. How many are done
    // before the last ones come depends on the machine.
    const [done = [], late = [], refused = [], tooMany = []] = [200, 409, 503, 429]
      .map((status) => counts.get(status));
    assert.equal(done.length, 1);
    assert.equal(done.length + late.length + refused.length + tooMany.length, 60);
    const shares = [late, refused, tooMany].map(({ length }) => length);
    assert.ok(shares.every((share) => share > 0), `${shares}`);
    const { body, headers } = counts.get(503)![0]!;
    assert.equal(body.code, "overloaded");
    assert.equal(body.limit, "MAX_PENDING_PASSWORDS");
    assert.ok(body.retryAfter > 0 && Number(headers.get("retry-after")) >= 1);
    assert.equal(counts.get(429)![0]!.body.limit, "LIMIT_LOGINS_PER_MINUTE");
  } finally {
    await server.close();
  }
});

onEitherEngine("a token whose successor was used ends the sign-in everywhere", async (server) => {
  const { cookie, token } = await signIn(server);
  const me = await call<{ user: { email: string } }>(server, "GET", "/api/auth/me", { token });
  assert.equal(me.body.user.email, ADMIN.email);
  const socket = await connect(server, { token });

  const second = await refresh(server, cookie);
  assert.equal(second.status, 200);
  assert.notEqual(second.body.token, token);
  const rotated = cookieOf(second.headers);
  assert.notEqual(rotated, cookie);
  // Tabs that send the same cookie, also long after, get the same new one.
  const tabs = await Promise.all([1, 2, 3].map(() => refresh(server, cookie)));
  for (const tab of tabs) assert.equal(cookieOf(tab.headers), rotated);
  const third = await refresh(server, rotated);
  assert.equal(third.status, 200);
  assert.equal((await refresh(server, "parley_refresh=nonsense")).status, 401);
  assert.equal((await call(server, "POST", "/api/auth/refresh")).status, 401);

  assert.equal((await refresh(server, cookie)).status, 401);
  assert.equal((await socket.closed).code, 3503);
  assert.equal((await refresh(server, cookieOf(third.headers))).status, 401);
  const after = await call(server, "GET", "/api/auth/me", { token: third.body.token });
  assert.equal(after.status, 401);
});

onEitherEngine("people see and end their sign-ins, and admins those of others", async (server) => {
  const grace = { email: "grace@example.com", password: "a quite long password" };
  const admin = await login(server);
  const { body: user } = await call<{ id: string }>(server, "POST", "/api/users", {
    token: admin.token,
    body: { ...grace, name: "Grace", role: "agent" },
  });
  const one = await login(server, grace);
  const two = await login(server, grace);
  const three = await login(server, grace);
  type List = { items: { id: string; current: boolean; userAgent: string; address: string }[] };
  const list = async (token: string, path = "/api/auth/sign-ins") =>
    (await call<List>(server, "GET", path, { token })).body.items;
  const mine = await list(one.token);
  assert.equal(mine.length, 3);
  assert.deepEqual(mine.map(({ current }) => current).filter(Boolean), [true]);
  assert.match(mine[0]!.userAgent, /^Deno/);
  assert.equal(mine[0]!.address, "127.0.0.1");

  const socket = await connect(server, { token: two.token });
  const second = (await list(two.token)).find(({ current }) => current)!.id;
  const path = `/api/auth/sign-ins/${second}`;
  const remove = (path: string, token: string) => call(server, "DELETE", path, { token });
  assert.equal((await remove(path, admin.token)).status, 404);
  assert.equal((await remove(path, one.token)).status, 204);
  assert.equal((await remove(path, one.token)).status, 404);
  assert.equal((await socket.closed).code, 3503);
  assert.equal((await call(server, "GET", "/api/auth/me", { token: two.token })).status, 401);
  assert.equal((await list(one.token)).length, 2);

  const theirs = `/api/users/${user.id}/sign-ins`;
  for (
    const [method, to] of [["GET", theirs], ["DELETE", theirs], ["DELETE", `${theirs}/${second}`]]
  ) {
    assert.equal((await call(server, method!, to!, { token: one.token })).status, 403);
  }
  assert.equal((await list(admin.token, theirs)).length, 2);
  const others = await call<{ ended: number }>(server, "DELETE", "/api/auth/sign-ins", {
    token: three.token,
  });
  assert.deepEqual(others.body, { ended: 1 });
  const all = await call<{ ended: number }>(server, "DELETE", theirs, { token: admin.token });
  assert.deepEqual(all.body, { ended: 1 });
  assert.deepEqual(await list(admin.token, theirs), []);
  assert.equal((await list(admin.token)).length, 1);
});

Deno.test("a browser that signed in before is not locked out by strangers", async () => {
  const server = await startServer("pglite", { LIMIT_LOGINS_PER_MINUTE: "3" });
  try {
    const first = await call(server, "POST", "/api/auth/login", { body: ADMIN });
    const device = first.headers.getSetCookie().find((one) => one.startsWith("parley_device="))!;
    assert.match(device, /; HttpOnly/);
    assert.match(device, /; Max-Age=34560000/);
    const attempt = (password: string, cookie?: string) =>
      call(server, "POST", "/api/auth/login", {
        body: { ...ADMIN, password },
        headers: cookie === undefined ? {} : { cookie },
      });
    for (let i = 0; i < 3; i++) assert.equal((await attempt("a guess")).status, 401);
    assert.equal((await attempt(ADMIN.password)).status, 429);
    const cookie = device.split(";")[0]!;
    assert.equal((await attempt(ADMIN.password, cookie)).status, 200);
    assert.equal((await attempt(ADMIN.password, `${cookie}x`)).status, 429);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /parley_sign_ins_total\{outcome="failed"\} 3\n/);
    assert.match(metrics, /parley_sign_ins_total\{outcome="refused"\} 2\n/);
    assert.match(metrics, /parley_sign_ins_total\{outcome="succeeded"\} 2\n/);
  } finally {
    await server.close();
  }
});

onEitherEngine("signing out ends the sign-in and nothing else", async (server) => {
  const one = await signIn(server);
  const other = await signIn(server);
  const [here, there] = await Promise.all([
    connect(server, { token: one.token }),
    connect(server, { token: other.token }),
  ]);
  const out = await call(server, "POST", "/api/auth/logout", { headers: { cookie: one.cookie } });
  assert.equal(out.status, 204);
  assert.match(out.headers.getSetCookie().join(), /parley_refresh=;/);
  assert.equal((await refresh(server, one.cookie)).status, 401);
  assert.equal((await here.closed).code, 3503);
  const me = await call(server, "GET", "/api/auth/me", { token: one.token });
  assert.equal(me.status, 401);
  assert.equal((await there.ask("ping", {})).type, "ack");
  assert.equal((await refresh(server, other.cookie)).status, 200);
  await there.close();
});

Deno.test("a widget's website reaches no route that goes by the agents' cookie", async () => {
  const server = await startServer("pglite", { FRONTEND_URL: "https://desk.example.com" });
  try {
    const { cookie, token } = await signIn(server);
    const shop = "https://shop.example.com";
    const widgets = await call<{ items: { id: string }[] }>(server, "GET", "/api/widget-configs", {
      token,
    });
    const path = `/api/widget-configs/${widgets.body.items[0]!.id}`;
    const body = { allowedOrigins: [shop, "*"] };
    assert.equal((await call(server, "PATCH", path, { token, body })).status, 200);
    for (
      const route of ["/api/auth/login", "/api/auth/logout", "/api/auth/refresh", "/api/setup"]
    ) {
      for (const method of ["POST", "OPTIONS"]) {
        const refused = await call<{ code: string }>(server, method, route, {
          headers: { cookie, origin: shop },
        });
        assert.equal(refused.status, 403, `${method} ${route}`);
        assert.equal(refused.body.code, "origin_not_allowed");
        assert.equal(refused.headers.get("access-control-allow-origin"), null);
      }
    }
    for (const origin of [server.url, "https://desk.example.com"]) {
      const fine = await call(server, "POST", "/api/auth/refresh", { headers: { cookie, origin } });
      assert.equal(fine.status, 200, origin);
    }
  } finally {
    await server.close();
  }
});

onEitherEngine("connections can be ended by user, by session and by token", async (server) => {
  const { agent, visitor } = await cast(server);
  const second = await login(server);
  const end = (body: unknown, token = agent.token) =>
    call<{ disconnected: number; code: string }>(server, "POST", "/api/connections/disconnect", {
      token,
      body,
    });
  const one = await connect(server, { token: agent.token });
  const two = await connect(server, { token: second.token });
  const v1 = await connect(server, { sessionId: visitor.sessionId });
  const v2 = await connect(server, { sessionId: visitor.sessionId });
  const { jti } = JSON.parse(
    atob(second.token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/")),
  );
  assert.equal((await end({ tokenId: jti })).body.disconnected, 1);
  assert.equal((await two.closed).code, 3503);
  assert.equal((await end({ sessionId: visitor.sessionId })).body.disconnected, 2);
  assert.equal((await v1.closed).code, 3503);
  assert.equal((await v2.closed).code, 3503);
  assert.equal((await end({ userId: agent.user.id })).body.disconnected, 1);
  assert.equal((await one.closed).code, 3503);
  assert.equal((await end({ userId: agent.user.id })).body.disconnected, 0);
  assert.equal((await end({})).body.code, "invalid");
  assert.equal((await end({ tokenId: "x" }, visitor.sessionId)).status, 403);

  const last = await connect(server, { sessionId: visitor.sessionId });
  const gone = await call(server, "DELETE", "/api/sessions", { token: visitor.sessionId });
  assert.equal(gone.status, 204);
  assert.equal((await last.closed).code, 3503);
  const after = await call<{ code: string }>(server, "POST", "/api/conversations", {
    token: visitor.sessionId,
    body: {},
  });
  assert.equal(after.body.code, "invalid_session");
});

Deno.test("attempts are limited per account, and a stranger's address changes nothing", async () => {
  const server = await startServer("pglite", { LIMIT_LOGINS_PER_MINUTE: "3" });
  try {
    const attempt = (email: string, password: string, headers = {}) =>
      call<{ code: string; retryAfter: number; detail: string }>(
        server,
        "POST",
        "/api/auth/login",
        { body: { email, password }, headers },
      );
    const unknown = await attempt("nobody@example.com", "wrong");
    assert.equal(unknown.status, 401);
    for (let i = 0; i < 3; i++) {
      const wrong = await attempt(ADMIN.email, "wrong", { "x-forwarded-for": `10.0.0.${i}` });
      assert.equal(wrong.body.code, "invalid_credentials");
      assert.equal(wrong.body.detail, unknown.body.detail);
    }
    const limited = await attempt(ADMIN.email, ADMIN.password, { "x-forwarded-for": "10.0.0.9" });
    assert.equal(limited.status, 429);
    assert.equal(limited.body.code, "rate_limited");
    assert.ok(limited.body.retryAfter > 0 && limited.body.retryAfter <= 20_000);
    assert.ok(Number(limited.headers.get("retry-after")) >= 1);
    assert.equal((await attempt("someone@example.com", "wrong")).status, 401);
  } finally {
    await server.close();
  }
});

onEitherEngine(
  "one's own password needs the current one, and its change ends the rest",
  async (server) => {
    const { token, user } = await login(server);
    const socket = await connect(server, { token });
    const change = (body: unknown) =>
      call<{ code: string }>(server, "PATCH", `/api/users/${user.id}`, { token, body });
    const password = "another long password";
    assert.equal((await change({ password })).body.code, "invalid");
    const wrong = await change({ password, currentPassword: "a guess" });
    assert.equal(wrong.body.code, "invalid_credentials");
    const done = await change({ password, currentPassword: ADMIN.password });
    assert.equal(done.status, 200);
    assert.equal((await socket.closed).code, 3503);
    assert.equal((await call(server, "POST", "/api/auth/login", { body: ADMIN })).status, 401);
    await login(server, { email: ADMIN.email, password });
  },
);

onEitherEngine("disabling an agent ends tokens and connections at once", async (server) => {
  const admin = await login(server);
  const grace = { email: "grace@example.com", password: "a long enough password" };
  const { body } = await call<{ id: string }>(server, "POST", "/api/users", {
    token: admin.token,
    body: { ...grace, name: "Grace", role: "agent" },
  });
  const answer = await call<LoginResponse>(server, "POST", "/api/auth/login", { body: grace });
  const cookie = cookieOf(answer.headers);
  const socket = await connect(server, { token: answer.body.token });
  const done = await call(server, "DELETE", `/api/users/${body.id}`, { token: admin.token });
  assert.equal(done.status, 204);
  assert.equal((await socket.closed).code, 3503);
  assert.equal((await refresh(server, cookie)).status, 401);
  const me = await call(server, "GET", "/api/auth/me", { token: answer.body.token });
  assert.equal(me.status, 401);
  const again = await call(server, "POST", "/api/auth/login", { body: grace });
  assert.equal(again.status, 401);
});

testWith(["postgres"], "a token of somebody who is deleted meanwhile is not good", async () => {
  // The test decides how long the server waits for what is locked.
  const server = await startServer("postgres", {
    DATABASE_LOCK_TIMEOUT_MS: "0",
    DATABASE_STATEMENT_TIMEOUT_MS: "0",
  });
  const [first, second, watch] = Array.from(
    { length: 3 },
    () => new pg.Client({ connectionString: server.env["DATABASE_URL"] }),
  ) as [pg.Client, pg.Client, pg.Client];
  const untilOneWaits = async (mode: string) => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const { rows } = await watch.query(
        `select 1 from pg_locks where not granted and mode = $1 and relation = 'users'::regclass
          and database = (select oid from pg_database where datname = current_database())`,
        [mode],
      );
      if (rows.length > 0) return;
      assert.ok(Date.now() < deadline, `waited in vain for a ${mode} that waits`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    for (const client of [first, second, watch]) await client.connect();
    const { token, user } = await login(server);
    // Who asks is read before `second` has the table, and what is answered after it.
    await first.query("begin; lock table users");
    const asked = call<{ code: string; detail: string }>(server, "GET", "/api/auth/me", { token });
    await untilOneWaits("AccessShareLock");
    const locked = second.query("begin; lock table users");
    await untilOneWaits("AccessExclusiveLock");
    await first.query("rollback");
    await locked;
    await untilOneWaits("AccessShareLock");
    await second.query("delete from users where id = $1", [user.id]);
    await second.query("commit");
    const { status, body } = await asked;
    assert.deepEqual([status, body.code], [401, "invalid_token"]);
    assert.match(body.detail, /^Cannot find the token's user/);
    assert.deepEqual(server.errors, []);
  } finally {
    for (const client of [first, second, watch]) await client.end();
    await server.close();
  }
});

Deno.test("a token that ends is refreshed in band, or the connection ends", async () => {
  const server = await startServer("pglite", {
    ACCESS_TOKEN_MS: "3000",
    TOKEN_GRACE_MS: "3000",
  });
  try {
    const { visitor } = await cast(server);
    // Right before it is used: on a busy machine it soon ends.
    const agent = await login(server);
    const socket = await connect(server, { token: agent.token });
    const lazy = await connect(server, { token: agent.token });
    const v = await connect(server, { sessionId: visitor.sessionId });
    const expired = await socket.until(({ type }) => type === "error", "the expiry");
    assert.equal((expired.data as { code: string }).code, "token_expired");
    const fresh = await login(server);
    const refreshed = await socket.ack("refresh", { token: fresh.token });
    assert.ok(Date.parse(refreshed.expiresAt) > Date.now());
    assert.equal((await lazy.closed).code, 3005);
    assert.equal((await socket.ask("ping", {})).type, "ack");
    assert.equal((await v.ask("ping", {})).type, "ack");
    const old = await call<{ code: string }>(server, "GET", "/api/auth/me", { token: agent.token });
    assert.equal(old.body.code, "token_expired");
    await Promise.all([socket.close(), v.close()]);
  } finally {
    await server.close();
  }
});

onEitherEngine(
  "a token that ends long after it was brought ends its connection, too",
  async (server) => {
    const { token } = await login(server);
    const socket = await connect(server, { token });
    const expired = await socket.until(({ type }) => type === "error", "the expiry", 20_000);
    assert.equal((expired.data as { code: string }).code, "token_expired");
    assert.equal((await socket.closed).code, 3005);
  },
  // Its end is not within three heartbeats when the connection begins.
  { ACCESS_TOKEN_MS: "9000", TOKEN_GRACE_MS: "1000", HEARTBEAT_MS: "2500" },
);
