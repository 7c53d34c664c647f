import assert from "node:assert/strict";
import { call } from "./support/http.ts";
import { runToEnd, spawnProcess, startProcess, startWaiting } from "./support/process.ts";
import { freePort } from "./support/parallel.ts";
import { makeDatabase } from "./support/server.ts";
import { POSTGRES_URL, testWith } from "./support/services.ts";
import { openTcpProxy } from "./support/tcp_proxy.ts";
import { makeTempDir } from "./support/temp_dir.ts";
import { makeDataDir } from "./support/template.ts";

Deno.test("a bad setting stops the start with one line and a failing exit code", async () => {
  const { code, stdout, stderr } = await runToEnd({ LIMIT_TYPING_PER_MINUTE: "many" });
  assert.notEqual(code, 0);
  assert.equal(stdout, "");
  assert.equal(
    stderr.trim(),
    'Cannot start: setting LIMIT_TYPING_PER_MINUTE is "many": ' +
      "it must be a whole number from 1 to 1000000",
  );
});

Deno.test("a second process on the same data folder is refused in a sentence", async () => {
  const dataDir = await makeDataDir();
  const first = await startProcess({ DATA_DIR: dataDir });
  try {
    const second = await runToEnd({ DATA_DIR: dataDir, PORT: "0" });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^Cannot open the embedded database: ".*" is in use/);
    const health = await call<{ status: string }>(first, "GET", "/health");
    assert.equal(health.body.status, "ok");
    const ready = await call<{ ready: boolean }>(first, "GET", "/ready");
    assert.equal(ready.body.ready, true);
  } finally {
    const status = await first.kill("SIGTERM");
    assert.equal(status.code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a data folder that others can read is closed before anything is written", async () => {
  const dataDir = await makeDataDir();
  await Deno.chmod(dataDir, 0o755);
  const running = await startProcess({ DATA_DIR: dataDir });
  try {
    const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assert.equal(await modeOf(dataDir), 0o700);
    assert.equal(await modeOf(`${dataDir}/lock`), 0o600);
    assert.equal(await modeOf(`${dataDir}/jwt_secret`), 0o600);
    assert.equal(await modeOf(`${dataDir}/postgres/postmaster.pid`), 0o600);
  } finally {
    await running.kill("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("the start line says where and what, as an object where logs are", async () => {
  const dataDir = await makeDataDir();
  const server = spawnProcess({ DATA_DIR: dataDir, LOG_FORMAT: "text" });
  try {
    await server.until(/asks for this code: \S+\n/);
    assert.match(
      server.logs.join(""),
      /^Parley is ready at http:\/\/localhost:\d+\/setup \(pglite, broker memory, node [\da-f]{8}\)\nFrom another machine, \/setup asks for this code: [A-Z2-9-]{14}\n$/,
    );
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
  }
  const json = spawnProcess({ DATA_DIR: dataDir, LOG_LEVEL: "error" });
  try {
    await json.until(/ready at/);
    const { level, message, engine, broker, node, host, port } = JSON.parse(
      json.logs.join("").split("\n")[0]!,
    );
    assert.deepEqual([level, engine, broker, host], ["INFO", "pglite", "memory", "127.0.0.1"]);
    assert.match(node, /^[\da-f]{8}$/);
    assert.ok(message.startsWith(`Parley is ready at http://localhost:${port}/setup (pglite, `));
  } finally {
    assert.equal((await json.kill("SIGTERM")).code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a port that is taken ends the start in a line, before anything is touched", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const parent = await makeTempDir();
  const env = { PORT: `${port}`, HOST: "127.0.0.1", DATA_DIR: `${parent}/data` };
  const { code, stdout, stderr } = await runToEnd(env);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    `Cannot start: setting PORT is ${port}: another process listens there ` +
      "(stop it, or choose another PORT)\n",
  );
  assert.deepEqual([...Deno.readDirSync(parent)], []);
  await Deno.remove(parent, { recursive: true });
});

testWith(["postgres"], "what cannot heal ends the start with the setting's name", async () => {
  const url = new URL(POSTGRES_URL);
  url.pathname = "/parley_there_is_none";
  const stranger = new URL(POSTGRES_URL);
  stranger.username = "parley_nobody";
  stranger.password = "sesame42";
  const plain = new URL(POSTGRES_URL);
  plain.searchParams.set("sslmode", "verify-full");
  const where = `${url.hostname}:${url.port || "5432"}`;
  const said = [
    [url, /database "parley_there_is_none" does not exist/],
    [stranger, /role "parley_nobody" does not exist|authentication failed/],
    [plain, /does not support SSL|certificate/],
  ] as const;
  const ends = await Promise.all(
    said.map(([{ href }]) => runToEnd({ DATABASE_URL: href, PORT: "0", HOST: "127.0.0.1" })),
  );
  for (const [i, { code, stderr }] of ends.entries()) {
    assert.equal(code, 1);
    const sentence = `Cannot open the database at "${where}" (setting DATABASE_URL): `;
    assert.ok(stderr.startsWith(sentence), stderr);
    assert.match(stderr.slice(sentence.length), said[i]![1]);
    assert.equal(stderr.trim().split("\n").length, 1);
    assert.ok(!stderr.includes("sesame42"));
  }
});

testWith(["postgres"], "a database that is away at the start is waited for", async () => {
  const database = await makeDatabase();
  const { hostname, port } = new URL(database.url);
  const proxy = openTcpProxy({ hostname, port: Number(port || 5432) });
  const through = new URL(database.url);
  through.host = `127.0.0.1:${proxy.port}`;
  through.password = "sesame42";
  proxy.shut();
  const server = await startWaiting({ DATABASE_URL: through.href, TRUSTED_PROXIES: "127.0.0.1" });
  try {
    assert.deepEqual((await call(server, "GET", "/live")).body, { live: true });
    const ready = await call<{ ready: boolean; missing: string[] }>(server, "GET", "/ready");
    assert.equal(ready.status, 503);
    assert.equal(ready.body.ready, false);
    assert.match(
      ready.body.missing[0]!,
      /^The database does not answer \(setting DATABASE_URL\): /,
    );
    const health = await call<{ status: string }>(server, "GET", "/health");
    assert.deepEqual([health.status, health.body.status], [503, "starting"]);

    const refused = await call(server, "POST", "/api/auth/login", { body: {} });
    assert.deepEqual([refused.status, refused.body["code"]], [503, "unavailable"]);
    assert.equal(refused.body["retryAfter"], 2000);
    assert.equal(refused.headers.get("retry-after"), "2");
    const page = await fetch(server.url, { headers: { accept: "text/html" } });
    assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "2"]);
    assert.match(await page.text(), /http-equiv="refresh"[^]*Parley is starting/);
    // Headers that every answer has are there from the first one on.
    const icon = async () => {
      const headers = { "x-forwarded-proto": "https" };
      const answer = await fetch(`${server.url}/favicon.svg`, { headers });
      await answer.body?.cancel();
      return answer;
    };
    let image = await icon();
    for (const deadline = Date.now() + 20_000; image.status !== 200; image = await icon()) {
      assert.ok(Date.now() < deadline, "the built files are not served");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(image.headers.get("content-type"), "image/svg+xml; charset=utf-8");
    assert.match(image.headers.get("strict-transport-security")!, /; includeSubDomains$/);
    for (const { headers } of [image, page, refused]) {
      const policy = headers.get("content-security-policy")!;
      for (const part of ["object-src", "base-uri", "frame-ancestors"]) {
        assert.ok(policy.includes(`; ${part} 'none'`), policy);
      }
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
    for (const path of ["/realtime", "/socket.io/?EIO=4&transport=websocket", "/ws"]) {
      const upgrade = await fetch(server.url + path, {
        headers: {
          upgrade: "websocket",
          connection: "upgrade",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-version": "13",
        },
      });
      await upgrade.body?.cancel();
      assert.deepEqual([upgrade.status, upgrade.headers.get("retry-after")], [503, "2"], path);
    }

    proxy.open();
    await server.ready();
    assert.equal((await call(server, "GET", "/ready")).status, 200);
    const said = [...server.output, ...server.logs].join("").trim();
    const lines = said.split("\n").map((line) => JSON.parse(line).message as string)
      .filter((line) => !line.startsWith("From another machine, /setup asks for this code"));
    assert.equal(lines.length, 3, said);
    assert.ok(lines[0]!.includes(`waiting for the database at "127.0.0.1:${proxy.port}"`));
    assert.match(lines[1]!, /^The database at ".*" is there after [\d.]+ s$/);
    assert.ok(lines[2]!.startsWith("Parley is ready at "));
    assert.ok(!said.includes("sesame42"));
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
    proxy.close();
    await database.drop();
  }
});

Deno.test("a start that waits ends at once when it is asked to", async () => {
  const server = await startWaiting({
    DATABASE_URL: `postgres://nobody:sesame42@127.0.0.1:${freePort()}/nothing`,
  });
  assert.equal((await server.kill("SIGINT")).code, 0);
  assert.ok(!(server.logs.join("") + server.output.join("")).includes("sesame42"));
});
