import assert from "node:assert/strict";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { CLOSE } from "../../protocol/close_codes.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import { call, cast, login, openSession, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect, TestSocket } from "../support/socket.ts";
import { type Endpoint, enter, type Line, mint, open, SECRET, sign } from "./scoped_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };
const NOWHERE = "00000000-0000-7000-8000-000000000000";

async function withServer(
  env: Record<string, string>,
  fn: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", { ...ENV, ...env });
  try {
    await fn(server);
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

/** What a connection with these credentials is told, and how it ends. */
async function refused(
  server: TestServer,
  query: Record<string, string>,
  endpoint: Endpoint = "chat",
): Promise<{ code: string; error: string; close: number; line: Line }> {
  const peer = await open(server, endpoint, query);
  const { code } = await peer.closed;
  const line = peer.received[0];
  assert.equal(line.type, "error", JSON.stringify(peer.received));
  assert.equal(peer.received.length, 1);
  return { code: line.data.code, error: line.error, close: code, line };
}

onEitherEngine(
  "scoped chat: a token admits to the contexts that it names and to no other",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    await post(server, visitor.sessionId, conversation.id, "My account number is 42");
    const forA = await sign({ sub: "ann", name: "Ann", contexts: ["A"] });
    const forB = await sign({ sub: "bob", name: "Bob", contexts: ["B"] });
    const ann = await enter(server, forA, "A");
    const bob = await enter(server, forB, "B");
    await bob.ask("message", { content: "Secret of B" });
    // Ann opened "both" with another token; what counts is the one that she brings.
    const wide = await sign({ sub: "ann", contexts: ["A", "both", conversation.id.toUpperCase()] });
    const both = await enter(server, wide, "both");
    assert.equal(both.me.userId, ann.me.userId);
    await both.ask("message", { content: "Secret of both" });

    for (const contextId of ["B", "both", conversation.id, bob.me.conversationId, "a", NOWHERE]) {
      const { code, close } = await refused(server, { token: forA, contextId });
      assert.deepEqual([code, close], ["forbidden", 3500], contextId);
    }
    // A token that names several has to say which.
    const silent = await open(server, "chat", { token: wide });
    assert.equal((await silent.until(({ type }) => type === "error")).data.code, "invalid");
    silent.send({ type: "auth", token: wide, contextId: "A" });
    await silent.until(({ type }) => type === "authenticated");
    // One that names the id of a conversation admits to that conversation.
    const inside = await enter(server, wide, conversation.id);
    assert.equal(inside.me.conversationId, conversation.id);
    const { messages } = (await inside.ask("history")).data;
    assert.equal(messages[0].content, "My account number is 42");
    const list = await call<ConversationList>(server, "GET", "/api/conversations", {
      token: agent.token,
    });
    const joined = list.body.items.find(({ id }) => id === conversation.id);
    assert.equal(joined?.contact.id, visitor.contact.id, "whose conversation it is stays");
    assert.equal(joined?.contextId, undefined);
    // Agents may enter any.
    const ada = await enter(server, agent.token, conversation.id);
    assert.equal(ada.me.role, "agent");
    assert.deepEqual(
      (({ code, close }) => [code, close])(
        await refused(server, { token: agent.token, contextId: NOWHERE }),
      ),
      ["not_found", 3500],
    );
    // A visitor of the website sees nothing of a context, and their session is no token here.
    const stranger = await connect(server, { sessionId: visitor.sessionId });
    for (const conversationId of [ann.me.conversationId, bob.me.conversationId]) {
      const answer = await stranger.ask("join", { conversationId });
      assert.equal((answer.data as { code: string }).code, "not_found");
      const history = await call(server, "GET", `/api/conversations/${conversationId}/messages`, {
        token: visitor.sessionId,
      });
      assert.equal(history.status, 404);
    }
    const session = await refused(server, { token: visitor.sessionId, contextId: "A" });
    assert.equal(session.code, "invalid_token");
    // A participant's token opens nothing else.
    const native = new TestSocket(server.url);
    await native.event("welcome");
    const nativeAnswer = await native.ask("auth", { token: forA });
    assert.equal((nativeAnswer.data as { code: string }).code, "invalid_token");
    const http = await call(server, "GET", `/api/conversations/${ann.me.conversationId}`, {
      token: forA,
    });
    assert.equal(http.status, 401);

    await post(server, agent.token, bob.me.conversationId, "Still secret of B");
    await post(server, agent.token, ann.me.conversationId, "For A");
    await ann.until(({ data }) => data?.content === "For A");
    assert.ok(!JSON.stringify(ann.received).includes("Secret"));
    assert.ok(!JSON.stringify(ann.received).includes("secret"));
    await Promise.all([ann, bob, both, silent, inside, ada, stranger].map((one) => one.close()));
    await native.closed;
  },
  ENV,
);

Deno.test("scoped chat: forged, broken and ended tokens are refused, each with its reason", () =>
  withServer(
    { JWT_AUDIENCE: "parley-chat", JWT_ISSUER: "https://site.example" },
    async (server) => {
      const { token: agent } = await login(server);
      const good = {
        sub: "1",
        contexts: ["A"],
        aud: "parley-chat",
        iss: "https://site.example",
      };
      const { privateKey } = await generateKeyPair("RS256");
      const second = Math.floor(Date.now() / 1000);
      const without = (claim: string) =>
        Object.fromEntries(Object.entries(good).filter(([name]) => name !== claim));
      const tampered = (await sign(good)).split(".");
      tampered[1] = btoa(JSON.stringify({ ...good, contexts: ["B"], exp: second + 600 }))
        .replaceAll("=", "");
      const cases: [string, string, RegExp, number][] = [
        [new UnsecuredJWT(good).setExpirationTime("1h").encode(), "invalid_token", /"none"/, 3500],
        [await sign(good, { secret: "x".repeat(32) }), "invalid_token", /signature/, 3500],
        [tampered.join("."), "invalid_token", /signature/, 3500],
        [await sign(good, { secret: SECRET, alg: "HS512" }), "invalid_token", /"HS512"/, 3500],
        [
          await new SignJWT(good).setProtectedHeader({ alg: "RS256" }).setExpirationTime("1h")
            .sign(privateKey),
          "invalid_token",
          /"RS256"/,
          3500,
        ],
        [await sign(good, { expires: null }), "invalid_token", /"exp" is missing/, 3500],
        [await sign(good, { expires: second - 1 }), "token_expired", /expired/, 3005],
        [await sign({ ...good, nbf: second + 600 }), "invalid_token", /"nbf"/, 3500],
        [await sign({ ...good, aud: "another" }), "invalid_token", /"aud"/, 3500],
        [await sign(without("aud")), "invalid_token", /"aud" is missing/, 3500],
        [await sign({ ...good, iss: "https://evil.example" }), "invalid_token", /"iss"/, 3500],
        [await sign(without("iss")), "invalid_token", /"iss" is missing/, 3500],
        [await sign(without("sub")), "invalid_token", /"sub" is missing/, 3500],
        [await sign(without("contexts")), "invalid_token", /"contexts" is missing/, 3500],
        [await sign({ ...good, contexts: [] }), "invalid_token", /"contexts"/, 3500],
        [await sign({ ...good, contexts: "A" }), "invalid_token", /"contexts"/, 3500],
        [await sign({ ...good, contexts: ["A", 7] }), "invalid_token", /"contexts.1"/, 3500],
        [await sign({ ...good, contexts: ["A\n"] }), "invalid_token", /"contexts.0"/, 3500],
        [await sign({ ...good, sub: "" }), "invalid_token", /"sub"/, 3500],
        [await sign({ ...good, sub: "a\u0000b" }), "invalid_token", /"sub"/, 3500],
        [await sign({ ...good, sub: 7 }), "invalid_token", /"sub"/, 3500],
        [await sign({ ...good, sub: "x".repeat(201) }), "invalid_token", /"sub"/, 3500],
        [await sign(good, { expires: 1e15 }), "invalid_token", /"exp"/, 3500],
        // An agent's claims under a key that is not the server's, and with no algorithm.
        [
          await sign({ iss: "parley", sid: "x", sub: "1", jti: "1" }, { secret: "x".repeat(32) }),
          "invalid_token",
          /not valid/,
          3500,
        ],
        [
          new UnsecuredJWT({ iss: "parley", sid: "x", sub: "1", jti: "1" }).setExpirationTime("1h")
            .encode(),
          "invalid_token",
          /not valid/,
          3500,
        ],
        ["test", "invalid_token", /not a JWT/, 3500],
        ["a.b.c", "invalid_token", /not a JWT/, 3500],
      ];
      for (const [token, code, sentence, close] of cases) {
        for (const endpoint of ["chat", "analytics", "collaboration"] as const) {
          const answer = await refused(server, { token, contextId: "A" }, endpoint);
          assert.deepEqual([answer.code, answer.close], [code, close], `${answer.error} ${token}`);
          assert.match(answer.error, sentence);
        }
      }
      // The good ones: of the site, and of Parley itself.
      await (await enter(server, await sign(good), "A")).close();
      const minted = await mint(server, agent, "A", { userId: "1" });
      await (await enter(server, minted.token, "A")).close();
      await (await enter(server, agent, "A")).close();
    },
  ));

Deno.test("scoped chat: an outside issuer's public key", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const pem = await exportSPKI(publicKey);
  await withServer({ JWT_PUBLIC_KEY: pem.trim().replaceAll("\n", "\\n") }, async (server) => {
    const signed = (claims: Record<string, unknown>, key = privateKey, alg = "ES256") =>
      new SignJWT(claims).setProtectedHeader({ alg }).setExpirationTime("1h").sign(key);
    const claims = { sub: "auth0|1", name: "Ann", contexts: ["A"] };
    const ann = await enter(server, await signed(claims), "A");
    assert.equal(ann.me.username, "Ann");
    await ann.close();
    // What this server signs itself is good beside it.
    await (await enter(server, await sign({ sub: "1", contexts: ["A"] }), "A")).close();
    const other = await generateKeyPair("ES256");
    const forged = await refused(server, { token: await signed(claims, other.privateKey) });
    assert.match(forged.error, /signature/);
    // The public key is no secret, so nothing that is signed with it as one may pass.
    for (const secret of [pem, pem.trim(), pem.replaceAll("\n", "")]) {
      const confused = await refused(server, { token: await sign(claims, { secret }) });
      assert.match(confused.error, /signature/);
    }
    const rsa = await generateKeyPair("RS256");
    const kind = await refused(server, { token: await signed(claims, rsa.privateKey, "RS256") });
    assert.match(kind.error, /"RS256", which is not accepted/);
  });
});

Deno.test("scoped chat: an outside issuer's set of keys", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "RS256", use: "sig" };
  let broken = true;
  const issuer = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => broken ? new Response("Oh", { status: 500 }) : Response.json({ keys: [jwk] }),
  );
  try {
    await withServer(
      { JWT_JWKS_URL: `http://127.0.0.1:${issuer.addr.port}/keys`, JWT_ISSUER: "https://id" },
      async (server) => {
        const signed = (header: Record<string, string>, claims = {}) =>
          new SignJWT({ sub: "1", contexts: ["A"], iss: "https://id", ...claims })
            .setProtectedHeader({ alg: "RS256", ...header }).setExpirationTime("1h")
            .sign(privateKey);
        // Keys that cannot be read for the moment are not the token's fault: it may be tried again.
        const patient = await open(server, "chat", { token: await signed({ kid: "k1" }) });
        const error = await patient.until(({ type }) => type === "error");
        assert.equal(error.data.code, "unavailable");
        assert.ok(error.data.retryAfter > 0);
        // An address cannot be sent again on the same connection: the next one may get in.
        assert.equal((await patient.closed).code, CLOSE.unavailable.code);
        broken = false;
        await (await enter(server, await signed({ kid: "k1" }), "A")).close();
        const unknown = await refused(server, { token: await signed({ kid: "k2" }) });
        assert.equal(unknown.code, "invalid_token");
        const wrong = await refused(server, { token: await signed({ kid: "k1" }, { iss: "x" }) });
        assert.match(wrong.error, /"iss"/);
      },
    );
  } finally {
    await issuer.shutdown();
  }
});

Deno.test("scoped chat: a token's end ends the connection, and a new one goes on", () =>
  withServer({ TOKEN_GRACE_MS: "1000" }, async (server) => {
    const claims = { sub: "1", contexts: ["A"] };
    const soon = () => Math.floor(Date.now() / 1000) + 3;
    const short = await enter(server, await sign(claims, { expires: soon() }), "A");
    const stays = await enter(server, await sign(claims, { expires: soon() }), "A");
    const other = await sign({ sub: "2", contexts: ["A"] });
    assert.equal((await stays.ask("refresh", { token: other })).data.code, "forbidden");
    const elsewhere = await sign({ ...claims, contexts: ["B"] });
    assert.equal((await stays.ask("refresh", { token: elsewhere })).data.code, "forbidden");
    assert.equal((await stays.ask("refresh", {})).data.code, "invalid");
    const { data } = await stays.ask("refresh", { token: await sign(claims) });
    assert.ok(Date.parse(data.expiresAt) > Date.now() + 60_000);
    const expired = await short.until(({ type }) => type === "error", "token_expired");
    assert.equal(expired.data.code, "token_expired");
    assert.deepEqual(await short.closed, { code: 3005, reason: "Token expired" });
    assert.equal((await stays.ask("message", { content: "Still here" })).type, "ack");
    await stays.close();
  }));

Deno.test("scoped chat: an agent who is disabled, or a person who is disconnected, is out at once", () =>
  withServer({}, async (server) => {
    const { token } = await login(server);
    const body = {
      name: "Eve",
      email: "eve@example.com",
      password: "another long one",
      role: "agent",
    };
    const { body: user } = await call<{ id: string }>(server, "POST", "/api/users", {
      token,
      body,
    });
    const eve = await login(server, { email: body.email, password: body.password });
    const agent = await enter(server, eve.token, "A");
    const minted = await mint(server, token, "A", { userId: "1" });
    const ann = await enter(server, minted.token, "A");
    await call(server, "DELETE", `/api/users/${user.id}`, { token });
    assert.equal((await agent.closed).code, 3503);
    const again = await refused(server, { token: eve.token, contextId: "A" });
    assert.equal(again.code, "invalid_token");
    const { jti } = JSON.parse(
      atob(minted.token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")),
    );
    const { body: answer } = await call(server, "POST", "/api/connections/disconnect", {
      token,
      body: { tokenId: jti },
    });
    assert.deepEqual(answer, { disconnected: 1 });
    assert.equal((await ann.closed).code, 3503);
  }));

Deno.test("scoped chat: only admins get tokens made, for contexts that there can be", () =>
  withServer({}, async (server) => {
    const { agent, visitor, conversation, key } = await cast(server);
    const body = {
      name: "Eve",
      email: "eve@example.com",
      password: "another long one",
      role: "agent",
    };
    await call(server, "POST", "/api/users", { token: agent.token, body });
    const eve = await login(server, { email: body.email, password: body.password });
    const stranger = await openSession(server, key);
    const person = { userId: "1", userName: "Ann" };
    const cases: [string, string, unknown, number][] = [
      [eve.token, "A", person, 403],
      [visitor.sessionId, conversation.id, person, 403],
      [stranger.sessionId, "A", person, 403],
      ["", "A", person, 401],
      [agent.token, NOWHERE, person, 404],
      [agent.token, "x".repeat(201), person, 422],
      [agent.token, "a%0Ab", person, 422],
      [agent.token, "A", {}, 422],
      [agent.token, "A", { userId: "" }, 422],
      [agent.token, "A", { userId: "1", expiresIn: 59 }, 422],
      [agent.token, "A", { userId: "1", expiresIn: 86_401 }, 422],
      [agent.token, "A", { userId: "1", role: "agent" }, 422],
      [agent.token, "A", { userId: "1", expiresIn: 60 }, 201],
      [agent.token, conversation.id, person, 201],
    ];
    for (const [token, contextId, body, status] of cases) {
      const path = `/api/contexts/${contextId}/tokens`;
      const answer = await call(server, "POST", path, { token, body });
      assert.equal(answer.status, status, `${contextId} ${JSON.stringify(answer.body)}`);
    }
    const minted = await mint(server, agent.token, "A", { userId: "1", expiresIn: 60 });
    const left = Date.parse(minted.expiresAt) - Date.now();
    assert.ok(left > 50_000 && left <= 60_000);
    assert.equal(minted.contextId, "A");
  }));

Deno.test("scoped chat: an allowed website's pages may bring participants, and agents only where FRONTEND_URL says", () =>
  withServer({ FRONTEND_URL: "https://desk.example" }, async (server) => {
    const { token } = await login(server);
    const shop = { origin: "https://shop.example" };
    await call(server, "POST", "/api/widget-configs", {
      token,
      body: { name: "Shop", allowedOrigins: [shop.origin] },
    });
    const participant = { token: await sign({ sub: "1", contexts: ["A"] }), contextId: "A" };
    const ann = await open(server, "chat", participant, shop);
    assert.equal((await ann.ask("ping")).type, "pong");
    assert.equal((await ann.ask("history")).type, "history");
    await ann.close();
    for (const endpoint of ["chat", "analytics", "collaboration"] as const) {
      const agent = await open(server, endpoint, { token, contextId: "A" }, shop);
      assert.equal((await agent.closed).code, 3500);
      assert.equal(agent.received[0].data.code, "origin_not_allowed");
      const desk = { origin: "https://desk.example" };
      const allowed = await open(server, endpoint, { token, contextId: "A" }, desk);
      assert.equal((await allowed.ask("ping")).type, "pong");
      assert.deepEqual(allowed.received.filter(({ type }) => type === "error"), []);
      await allowed.close();
      await assert.rejects(open(server, endpoint, participant, { origin: "https://evil.example" }));
    }
  }));
