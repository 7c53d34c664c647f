import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus } from "../events.ts";
import { createAttempts } from "./attempts.ts";
import { createPasswords, FEW_PASSWORDS } from "./passwords.ts";
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
    const limits = { perMinute: 10, maxDelayMs: 10_000, maxDelayed: 10 };
    const options = {
      db,
      bus,
      tokens,
      passwords: FEW_PASSWORDS,
      attempts: createAttempts(limits, clock),
      refreshLifeMs: 100_000,
      now: clock,
    };
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

Deno.test("a password's hash is salted, and only the same password fits", async () => {
  const { hash, verify, verifyNothing } = FEW_PASSWORDS;
  const [one, two] = await Promise.all([hash("passwörd"), hash("passwörd")]);
  assert.notEqual(one, two);
  assert.equal(await verify("passwörd", one), true);
  assert.equal(await verify("passwo\u0308rd", one), true);
  assert.equal(await verify("password", one), false);
  assert.equal(await verify("passwörd", "nonsense"), false);
  assert.equal(await verifyNothing("passwörd"), false);
});

Deno.test("what waits for a password is bounded, and strangers do not keep others out", async () => {
  const passwords = createPasswords({ atOnce: 1, waiting: 2 });
  const stored = await passwords.hash("passwörd");
  const order: string[] = [];
  const strangers = [1, 2, 3, 4].map((n) =>
    passwords.verify("a guess", stored).then(() => order.push(`stranger ${n}`))
  );
  const refused = strangers.slice(3).map((one) => assert.rejects(one, code("overloaded")));
  const known = passwords.verify("passwörd", stored, true).then(() => order.push("known"));
  await Promise.all([...refused, known, ...strangers.slice(0, 3)]);
  assert.deepEqual(order, ["stranger 1", "known", "stranger 2", "stranger 3"]);
});

Deno.test("an account that is guessed at is slower, a network that guesses is refused", async () => {
  let now = 0;
  const attempts = createAttempts({ perMinute: 3, maxDelayMs: 60_000, maxDelayed: 2 }, () => now);
  const attempt = (address: string, device: string | null = null, account = "ada@example.com") =>
    attempts.begin({ account, address, device });
  for (let i = 0; i < 3; i++) await attempt("one");
  await assert.rejects(attempt("one"), code("rate_limited"));
  // From elsewhere it is slower now, and who is slow is bounded in number.
  const slow = [attempt("two"), attempt("three")];
  await assert.rejects(attempt("four"), code("overloaded"));
  // A browser that knows the account is neither, until it guesses itself.
  for (let i = 0; i < 3; i++) await attempt("one", "a device");
  await assert.rejects(attempt("two", "a device"), code("rate_limited"));
  // Another account is not touched; what was no failure is given back.
  for (let i = 0; i < 30; i++) (await attempt("five", null, "grace@example.com"))();
  const stopped = slow.map((one) => assert.rejects(one, code("draining")));
  attempts.stop();
  await Promise.all(stopped);
  now += 3_600_000;
  await attempt("one");
});
