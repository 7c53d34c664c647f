import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { brokerKind } from "../process/open_broker.ts";
import { fileStoreKind } from "../process/open_file_store.ts";
import { readSettings, SETTINGS, SettingsError } from "../settings.ts";

function refused(env: Record<string, string>): string {
  try {
    readSettings(env);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    assert.ok(!error.message.includes("\n"), "one line");
    return error.message;
  }
  throw new Error(`Nothing was refused in ${JSON.stringify(env)}`);
}

Deno.test("readSettings() has a default for everything that needs one", () => {
  const settings = readSettings({ PATH: "/bin", HOME: "/root", PORT: "" });
  assert.equal(settings.server.port, 8000);
  assert.equal(settings.rates.messages, 100);
  assert.equal(settings.rates.roomBroadcasts, 1000);
  assert.equal(settings.capacity.messageBytes, 65_536);
  assert.equal(settings.database.url, undefined);
  assert.deepEqual(settings.server.frontendOrigins, []);
  assert.equal(settings.given.size, 0);
  assert.ok(readSettings({ PORT: "9000" }).given.has("PORT"));
});

Deno.test("readSettings() names the setting, the value and what is allowed", () => {
  assert.match(
    refused({ PORT: "abc" }),
    /PORT is "abc": it must be a whole number from 0 to 65535/,
  );
  assert.match(refused({ PORT: "65536" }), /PORT is "65536"/);
  assert.match(refused({ PORT: "-1" }), /PORT/);
  assert.match(refused({ PORT: "8e3" }), /PORT/);
  assert.match(refused({ LOG_LEVEL: "loud" }), /LOG_LEVEL is "loud": it must be debug/);
  assert.match(refused({ DATABASE_URL: "mysql://x" }), /DATABASE_URL .* postgres:\/\//);
  assert.match(refused({ FRONTEND_URL: "https://a.example/path" }), /FRONTEND_URL/);
  // Its pages name their files from the root.
  assert.match(
    refused({ BASE_PATH: "/chat" }),
    /BASE_PATH is "\/chat": it must be \/, because Parley needs a host name of its own/,
  );
  assert.match(refused({ PUBLIC_URL: "https://a.example/chat" }), /PUBLIC_URL .* without a path/);
  assert.equal(readSettings({ BASE_PATH: "/" }).server.basePath, "/");
  for (const bad of ["localhost", "10.0.0.0/33", "300.0.0.1", "10.0.0.1,::g"]) {
    assert.match(refused({ TRUSTED_PROXIES: bad }), /TRUSTED_PROXIES/);
  }
  assert.match(refused({ ADMIN_EMAIL: "a@b.example" }), /ADMIN_PASSWORD is not set/);
  assert.match(refused({ SECURE_COOKIES: "yes" }), /SECURE_COOKIES is "yes"/);
  assert.match(refused({ JWT_PUBLIC_KEY: "a key" }), /JWT_PUBLIC_KEY is \(secret\): it must be/);
  assert.match(refused({ DATABASE_STUCK_MS: "500" }), /"500": it must be 0, or 2000 at least/);
  assert.match(refused({ JWT_JWKS_URL: "id.example/keys" }), /JWT_JWKS_URL .* https:\/\//);
});

Deno.test("readSettings() refuses names that were meant as a setting", () => {
  assert.match(refused({ DATABSE_URL: "x" }), /did you mean DATABASE_URL\?/);
  assert.match(refused({ LIMIT_MESSAGE_PER_MINUTE: "1" }), /LIMIT_MESSAGES_PER_MINUTE\?/);
  assert.match(refused({ LIMIT_EVERYTHING: "1" }), /there is no such setting/);
});

Deno.test("readSettings() never shows a secret", () => {
  assert.ok(!refused({ JWT_SECRET: "hunter2" }).includes("hunter2"));
  assert.ok(!refused({ DATABASE_URL: "redis://u:hunter2@h" }).includes("hunter2"));
});

Deno.test("every setting says what it is about", () => {
  for (const { name, about } of SETTINGS) {
    assert.ok(about.length > 10, name);
  }
});

Deno.test("readSettings() takes public keys of the accepted kinds, and no others", () => {
  const keys = {
    rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ed25519: generateKeyPairSync("ed25519"),
  };
  for (const { publicKey, privateKey } of Object.values(keys)) {
    const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
    assert.equal(readSettings({ JWT_PUBLIC_KEY: pem }).visitors.publicKey?.trim(), pem.trim());
    const oneLine = pem.trim().replaceAll("\n", "\\n");
    assert.equal(readSettings({ JWT_PUBLIC_KEY: oneLine }).visitors.publicKey, pem.trim());
    const both = { JWT_PUBLIC_KEY: pem, JWT_JWKS_URL: "https://id.example/keys" };
    assert.match(refused(both), /JWT_JWKS_URL and JWT_PUBLIC_KEY are both set/);
    const secret = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    assert.match(refused({ JWT_PUBLIC_KEY: secret.replaceAll("\n", "\\n") }), /public key/);
  }
  const exchange = generateKeyPairSync("x25519").publicKey.export({ type: "spki", format: "pem" });
  const wrong = (exchange as string).trim().replaceAll("\n", "\\n");
  assert.match(refused({ JWT_PUBLIC_KEY: wrong }), /JWT_PUBLIC_KEY/);
});

Deno.test("files are in DATA_DIR only where every node finds them", () => {
  const kind = (env: Record<string, string>) => {
    const settings = readSettings({ DATABASE_URL: "postgres://db", ...env });
    return fileStoreKind(settings, brokerKind(settings, false));
  };
  const redis = { REDIS_URL: "redis://r" };
  assert.equal(kind({}), "disk");
  assert.equal(kind(redis), "none");
  assert.equal(kind({ FILE_STORE: "none" }), "none");
  assert.throws(
    () => kind({ ...redis, FILE_STORE: "disk" }),
    /^SettingsError: Cannot start: setting FILE_STORE is "disk": with BROKER "redis"/,
  );
  const deploy = { DENO_DEPLOY: "1", JWT_SECRET: "s".repeat(32) };
  assert.equal(kind(deploy), "none");
  assert.throws(() => kind({ ...deploy, FILE_STORE: "disk" }), /FILE_STORE is "disk".*Deploy/);
  const bucket = { S3_BUCKET: "b", S3_ACCESS_KEY_ID: "k", S3_SECRET_ACCESS_KEY: "s" };
  assert.deepEqual([kind(bucket), kind({ ...redis, ...bucket })], ["s3", "s3"]);
  assert.equal(kind({ ...deploy, ...bucket }), "s3");
  assert.equal(kind({ ...bucket, FILE_STORE: "disk" }), "disk");
  assert.match(refused({ S3_BUCKET: "b" }), /S3_ACCESS_KEY_ID is not set/);
  assert.match(refused({ FILE_STORE: "s3" }), /S3_BUCKET is not set/);
  const both = { FILE_SCAN_COMMAND: "scan", FILE_SCAN_URL: "http://scan" };
  assert.match(refused(both), /FILE_SCAN_COMMAND and FILE_SCAN_URL are both set/);
});

Deno.test("on Deno Deploy nothing may be kept in files, and instances reach each other", () => {
  const database = { DATABASE_URL: "postgres://db.example/parley" };
  const secret = { JWT_SECRET: "a secret that all instances share" };
  for (const value of ["1", "true"]) {
    const env = { DENO_DEPLOY: value };
    assert.match(refused(env), /^Cannot start on Deno Deploy: setting DATABASE_URL is not set: /);
    assert.match(refused({ ...env, ...secret }), /setting DATABASE_URL is not set/);
    assert.match(
      refused({ ...env, ...database }),
      /^Cannot start on Deno Deploy: setting JWT_SECRET is not set: /,
    );
    const settings = readSettings({ ...env, ...database, ...secret });
    assert.equal(settings.onDeploy, true);
    assert.equal(brokerKind(settings, false), "postgres");
    const redis = readSettings({ ...env, ...database, ...secret, REDIS_URL: "redis://r.example" });
    assert.equal(brokerKind(redis, false), "redis");
    for (const BROKER of ["memory", "channel"]) {
      const alone = readSettings({ ...env, ...database, ...secret, BROKER });
      assert.throws(() => brokerKind(alone, false), {
        message: `Cannot start on Deno Deploy: setting BROKER is "${BROKER}": several instances ` +
          'may run at any time and need "redis" or "postgres"',
      });
    }
  }
  const elsewhere = readSettings({ ...database, DENO_DEPLOY: "" });
  assert.equal(elsewhere.onDeploy, false);
  assert.equal(brokerKind(elsewhere, false), "memory");
  assert.throws(() => brokerKind(readSettings({ BROKER: "postgres" }), false), /DATABASE_URL/);
});

Deno.test("a setting may be given by the name that a client's document has for it", () => {
  const origin = "https://your-domain.com";
  assert.deepEqual(readSettings({ WEBSOCKET_CORS_ORIGIN: origin }).server.frontendOrigins, [
    origin,
  ]);
  const both = { FRONTEND_URL: ` ${origin}`, WEBSOCKET_CORS_ORIGIN: origin };
  assert.deepEqual(readSettings(both).server.frontendOrigins, [origin]);
  assert.deepEqual(readSettings({ ...both, WEBSOCKET_CORS_ORIGIN: "" }).server.frontendOrigins, [
    origin,
  ]);
  assert.throws(
    () => readSettings({ ...both, FRONTEND_URL: "https://other.com" }),
    /FRONTEND_URL and WEBSOCKET_CORS_ORIGIN are both set.*other\.com.*your-domain/,
  );
  assert.throws(
    () => readSettings({ WEBSOCKET_CORS_ORIGIN: "*" }),
    /setting WEBSOCKET_CORS_ORIGIN is "\*": it must be origins/,
  );
});
