import assert from "node:assert/strict";
import { type Db, openDatabase } from "../../db/database.ts";
import { makeDatabase } from "../../tests/support/server.ts";
import { testWith } from "../../tests/support/services.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { listAudit, SYSTEM } from "../audit.ts";
import { createEventBus } from "../events.ts";
import { createMetrics } from "../metrics.ts";
import { createAttempts } from "./attempts.ts";
import { createDevices } from "./devices.ts";
import { createPasswords, FEW_PASSWORDS } from "./passwords.ts";
import { createSignIn } from "./sign_in.ts";
import { createTokens } from "./tokens.ts";
import { createUser, updateUser } from "./users.ts";

const PEER = { address: "192.0.2.1", userAgent: "test" };
const ADA = { email: "ada@example.com", password: "a long enough password" };
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as { code: string }).code, expected);
  return true;
};

/** The real thing on a database of its own; the clock stands until it is moved. */
async function withSignIn(
  engine: "pglite" | "postgres",
  fn: (parts: Awaited<ReturnType<typeof makeParts>>) => Promise<void>,
) {
  const dataDir = await makeDataDir();
  const server = engine === "postgres" ? await makeDatabase() : null;
  const opened = await openDatabase({ url: server?.url, dataDir, pool: 10 });
  try {
    await fn(await makeParts(opened.db));
  } finally {
    await opened.close();
    await server?.drop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function makeParts(db: Db) {
  const clock = { now: Date.now() };
  const now = () => clock.now;
  const tokens = createTokens("x".repeat(32), 60_000, now);
  const bus = createEventBus((error) => assert.fail(String(error)));
  const ended: string[] = [];
  bus.on("sign_in.ended", ({ signInId }) => ended.push(signInId));
  const limits = { perMinute: 10, maxDelayMs: 10_000, maxDelayed: 10 };
  const options = {
    db,
    bus,
    tokens,
    key: "a key",
    passwords: FEW_PASSWORDS,
    attempts: createAttempts(limits, now),
    devices: createDevices("a key"),
    metrics: createMetrics(),
    refreshLifeMs: 100_000_000,
    maxLifeMs: 250_000_000,
    maxPerUser: 3,
    now,
  };
  const user = await createUser(db, { ...ADA, name: "Ada", role: "admin" });
  await createUser(db, { ...ADA, email: "grace@example.com", name: "Grace", role: "admin" });
  const signIn = createSignIn(options);
  // Whether it is still good is not asked.
  const idOf = (token: string): string => JSON.parse(atob(token.split(".")[1]!)).sid;
  const actions = async () =>
    (await listAudit(db, { limit: 100 })).items.map(({ action }) => action).reverse();
  return { db, bus, options, clock, signIn, ended, user, idOf, actions };
}

Deno.test("a token stays good until its successor is used, and then it ends the sign-in", async () => {
  await withSignIn("pglite", async ({ db, signIn, clock, ended, idOf, actions, options }) => {
    const first = await signIn.login(ADA, PEER);
    const other = await signIn.login(ADA, PEER);
    const second = await signIn.refresh(first.refreshToken, PEER);
    assert.notEqual(second.refreshToken, first.refreshToken);
    assert.equal((await signIn.peek(second.refreshToken))?.email, ADA.email);

    // The answer was lost: hours later the same comes again, and there is one chain only.
    clock.now += 10_000_000;
    assert.equal((await signIn.peek(first.refreshToken))?.email, ADA.email);
    const again = await signIn.refresh(first.refreshToken, PEER);
    assert.equal(again.refreshToken, second.refreshToken);
    const leaves = await db.selectFrom("refresh_tokens").select("id")
      .where("family_id", "=", idOf(again.access.token)).where("used_at", "is", null)
      .execute();
    assert.equal(leaves.length, 1);
    // Another server with the same key makes the same; without the key nobody does.
    const elsewhere = createSignIn(options);
    assert.equal(
      (await elsewhere.refresh(first.refreshToken, PEER)).refreshToken,
      second.refreshToken,
    );

    const third = await signIn.refresh(again.refreshToken, PEER);
    assert.equal(await signIn.peek(first.refreshToken), null);
    assert.deepEqual(ended, []);
    await assert.rejects(signIn.refresh(first.refreshToken, PEER), code("invalid_token"));
    assert.deepEqual(ended, [idOf(first.access.token)]);
    assert.equal((await actions()).at(-1), "sign_in.reused");
    await assert.rejects(signIn.authenticate(third.access.token), code("invalid_token"));
    await assert.rejects(signIn.refresh(third.refreshToken, PEER), code("invalid_token"));
    assert.equal(await signIn.peek(third.refreshToken), null);

    // The other sign-in goes on, as long as it is used and no longer than it may.
    const known = JSON.stringify(await db.selectFrom("refresh_tokens").selectAll().execute());
    assert.ok(!known.includes(third.refreshToken) && !known.includes(other.refreshToken));
    const fourth = await signIn.refresh(other.refreshToken, PEER);
    clock.now += 90_000_000;
    const fifth = await signIn.refresh(fourth.refreshToken, PEER);
    clock.now += 90_000_000;
    const sixth = await signIn.refresh(fifth.refreshToken, PEER);
    assert.ok(sixth.refreshExpiresAt < clock.now + 100_000_000);
    // A token that was made just before the end of the sign-in ends with it.
    clock.now = sixth.refreshExpiresAt - 30_000;
    const last = await signIn.refresh(sixth.refreshToken, PEER);
    assert.equal((await signIn.authenticate(last.access.token)).userId, sixth.user.id);
    clock.now += 31_000;
    await assert.rejects(signIn.authenticate(last.access.token), code("invalid_token"));
    clock.now += 90_000_000;
    await assert.rejects(signIn.refresh(sixth.refreshToken, PEER), code("invalid_token"));
    await assert.rejects(signIn.authenticate(sixth.access.token), code("token_expired"));
    // What has ended is not kept.
    await signIn.login(ADA, PEER);
    assert.equal((await db.selectFrom("refresh_tokens").selectAll().execute()).length, 1);
  });
});

testWith(
  ["postgres"],
  "nothing is issued after a sign-in's end, whatever is in flight",
  () =>
    withSignIn("postgres", async ({ db, bus, signIn, user, clock }) => {
      const passwords = [ADA.password, "another long password", "a third long password"];
      const ends = [
        (token: string) => signIn.logout(token, PEER),
        () => updateUser(db, bus, SYSTEM, user.id, { password: passwords[1] }, FEW_PASSWORDS),
        () => signIn.end(SYSTEM, user.id, { except: null }),
        () => updateUser(db, bus, SYSTEM, user.id, { disabled: true }, FEW_PASSWORDS),
      ];
      let password = passwords[0]!;
      for (const [index, end] of ends.entries()) {
        const { refreshToken } = await signIn.login({ ...ADA, password }, PEER);
        const refreshes = Array.from({ length: 12 }, () => signIn.refresh(refreshToken, PEER));
        const late = index === 1
          ? [signIn.login({ ...ADA, password }, PEER), signIn.login({ ...ADA, password }, PEER)]
          : [];
        const [outcomes] = await Promise.all([
          Promise.allSettled([...refreshes, ...late]),
          end(refreshToken),
        ]);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") continue;
          const { access, refreshToken } = outcome.value;
          await assert.rejects(signIn.authenticate(access.token), code("invalid_token"));
          await assert.rejects(signIn.refresh(refreshToken, PEER), code("invalid_token"));
        }
        if (index === 1) password = passwords[1]!;
        clock.now += 3_600_000;
      }
      assert.deepEqual(await signIn.list(user.id, null), []);
    }),
);

Deno.test("a sign-in that goes on too many times, or that its user ends, ends", async () => {
  await withSignIn("pglite", async ({ signIn, user, ended, idOf, actions, clock }) => {
    const all = [];
    for (let i = 0; i < 4; i++) {
      clock.now += 1000;
      all.push(await signIn.login(ADA, { address: `192.0.2.${i}`, userAgent: `browser ${i}` }));
    }
    const ids = all.map(({ access }) => idOf(access.token));
    assert.deepEqual(ended, [ids[0]]);
    const list = await signIn.list(user.id, ids[2]!);
    assert.deepEqual(
      list.map(({ id, address, userAgent, current }) => [id, address, userAgent, current]),
      [3, 2, 1].map((i) => [ids[i], `192.0.2.${i}`, `browser ${i}`, i === 2]),
    );
    await assert.rejects(signIn.end(SYSTEM, user.id, { id: ids[0]! }), code("not_found"));
    assert.equal(await signIn.end(SYSTEM, user.id, { id: ids[1]! }), 1);
    assert.equal(await signIn.end(SYSTEM, user.id, { except: ids[3]! }), 1);
    assert.deepEqual(ended, [ids[0], ids[1], ids[2]]);
    assert.deepEqual((await actions()).filter((action) => action === "sign_in.ended").length, 3);
  });
});

Deno.test("a browser that signed in before is known by a value that nobody else can make", () => {
  const devices = createDevices("a key");
  const [ada, grace] = [crypto.randomUUID(), crypto.randomUUID()];
  const value = devices.remember(undefined, ada);
  const id = devices.knownAs(value, ada);
  assert.ok(id !== null);
  assert.equal(devices.knownAs(value, grace), null);
  assert.equal(createDevices("another key").knownAs(value, ada), null);
  const both = devices.remember(value, grace);
  assert.deepEqual([devices.knownAs(both, ada), devices.knownAs(both, grace)], [id, id]);
  assert.equal(devices.remember(both, grace), both);
  // Bounded: the account that was not used for longest is forgotten.
  let many = both;
  for (let i = 0; i < 4; i++) many = devices.remember(many, crypto.randomUUID());
  assert.equal(devices.knownAs(many, ada), null);
  assert.equal(devices.knownAs(many, grace), id);
  for (const bad of ["", "x", `${id}.`, `${id}.${"a.".repeat(1000)}`, undefined]) {
    assert.equal(devices.knownAs(bad, ada), null);
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
