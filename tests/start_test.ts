import assert from "node:assert/strict";
import { call } from "./support/http.ts";
import { runToEnd, startProcess } from "./support/process.ts";
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

Deno.test("an unreachable database stops the start in a sentence", async () => {
  const { code, stderr } = await runToEnd({
    DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/nothing",
    DATA_DIR: await makeDataDir(),
  });
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot start: .*ECONNREFUSED/);
  assert.ok(!stderr.includes("secret"));
});
