import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus } from "../events.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";
import { createSignIn } from "./sign_in.ts";
import { createTokens } from "./tokens.ts";
import { createUser } from "./users.ts";

const PEER = { address: "192.0.2.1", userAgent: "test" };
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as { code: string }).code, expected);
  return true;
};

Deno.test("a rotated refresh token that comes back late ends the whole sign-in", async () => {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  try {
    let now = Date.now();
    const clock = () => now;
    const tokens = createTokens("x".repeat(32), 60_000, clock);
    const bus = createEventBus((error) => assert.fail(String(error)));
    const ended: string[] = [];
    bus.on("sign_in.ended", ({ signInId }) => ended.push(signInId));
    const options = { db, bus, tokens, refreshLifeMs: 100_000, loginsPerMinute: 10, now: clock };
    const signIn = createSignIn(options);
    const account = { email: "ada@example.com", password: "a long enough password" };
    await createUser(db, { ...account, name: "Ada", role: "admin" });
    const first = await signIn.login(account, PEER);
    const other = await signIn.login(account, PEER);
    const second = await signIn.refresh(first.refreshToken, PEER);
    assert.equal((await signIn.peek(second.refreshToken))?.email, account.email);

    now += 11_000;
    assert.equal(await signIn.peek(first.refreshToken), null);
    await assert.rejects(signIn.refresh(first.refreshToken, PEER), code("invalid_token"));
    assert.deepEqual(ended, [(await tokens.verify(first.access.token)).signInId]);
    await assert.rejects(signIn.authenticate(second.access.token), code("invalid_token"));
    // The thief's and the owner's both stop working; another sign-in goes on.
    await assert.rejects(signIn.refresh(second.refreshToken, PEER), code("invalid_token"));
    assert.equal(await signIn.peek(second.refreshToken), null);
    const third = await signIn.refresh(other.refreshToken, PEER);

    now += 100_001;
    await assert.rejects(signIn.refresh(third.refreshToken, PEER), code("invalid_token"));
    await assert.rejects(signIn.authenticate(third.access.token), code("token_expired"));
    // What has ended is not kept.
    await signIn.login(account, PEER);
    const rows = await db.selectFrom("refresh_tokens").selectAll().execute();
    assert.equal(rows.length, 1);
    assert.ok(!JSON.stringify(rows).includes(third.refreshToken));
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("createTokens() takes no token that somebody else could have made", async () => {
  const tokens = createTokens("x".repeat(32), 60_000);
  const { token } = await tokens.issue("user", "agent", "sign-in");
  assert.equal((await tokens.verify(token)).userId, "user");
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const encode = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  const forged = [
    `${encode({ alg: "none" })}.${payload}.`,
    `${encode({ alg: "HS512", typ: "JWT" })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, sub: "admin" })}.${signature}`,
    (await createTokens("y".repeat(32), 60_000).issue("user", "agent", "sign-in")).token,
    "a.b.c",
    "",
  ];
  for (const wrong of forged) await assert.rejects(tokens.verify(wrong), code("invalid_token"));
});

Deno.test("hashPassword() salts, and verifyPassword() fits", async () => {
  const [one, two] = await Promise.all([hashPassword("passwörd"), hashPassword("passwörd")]);
  assert.notEqual(one, two);
  assert.equal(await verifyPassword("passwörd", one), true);
  assert.equal(await verifyPassword("passwo\u0308rd", one), true);
  assert.equal(await verifyPassword("password", one), false);
  assert.equal(await verifyPassword("passwörd", "nonsense"), false);
});
