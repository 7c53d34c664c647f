/** The embedded database on a disk that fills, that is full, and that is damaged. */
import assert from "node:assert/strict";
import { copyTree } from "../tools/files.ts";
import { freeBytesOf } from "../db/disk_guard.ts";
import { call, cast } from "./support/http.ts";
import { eventually } from "./faults/health.ts";
import { runToEnd, startProcess } from "./support/process.ts";
import { ADMIN, startServer } from "./support/server.ts";
import { requireAll } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { makeTempDir } from "./support/temp_dir.ts";
import { makeDataDir } from "./support/template.ts";

const MB = 1_000_000;

/** A small disk of its own; null where this account may not make one. */
async function mountDisk(
  bytes: number,
): Promise<{ path: string; unmount(): Promise<void> } | null> {
  const path = await Deno.makeTempDir({ prefix: "parley_disk_" });
  const run = (command: string, ...args: string[]) =>
    new Deno.Command(command, { args, stderr: "null" }).output().catch(() => ({ success: false }));
  const { success } = await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path);
  if (!success) {
    await Deno.remove(path);
    return null;
  }
  return {
    path,
    async unmount() {
      await run("umount", "-l", path);
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Leaves so much free: what somebody else does on the same disk. */
async function fillTo(disk: { path: string }, left: number): Promise<void> {
  using file = await Deno.open(`${disk.path}/filler`, { create: true, append: true });
  for (let size = 1 << 20; size >= 512; size /= 2) {
    try {
      while (freeBytesOf(disk.path) - size >= left) await file.write(new Uint8Array(size));
    } catch {
      // It is full for blocks of this size.
    }
  }
}

/** A start that fails: its one line. */
async function refusedStart(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await runToEnd({
    PORT: "0",
    HOST: "127.0.0.1",
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    ...env,
  });
  assert.equal(code, 1, stderr);
  const line = stderr.trim();
  assert.equal(line.split("\n").length, 1, line);
  return line;
}

const probe = Deno.build.os === "linux" ? await mountDisk(MB) : null;
await probe?.unmount();

/** A test that needs a disk of its own: skipped by name where there can be none. */
function testOnDisk(name: string, fn: () => Promise<void>): void {
  if (probe !== null) Deno.test(name, fn);
  else if (requireAll) Deno.test(name, () => assert.fail("a disk must be there to be mounted"));
  else Deno.test.ignore(`${name} (skipped: no disk can be mounted)`, fn);
}

testOnDisk("on a disk that fills changes are refused, reads go on, and it heals", async () => {
  const disk = (await mountDisk(110 * MB))!;
  const template = await makeDataDir();
  copyTree(template, `${disk.path}/data`);
  const server = await startServer("pglite", {
    DATA_DIR: `${disk.path}/data`,
    MIN_FREE_DISK_BYTES: `${20 * MB}`,
    LIMIT_MESSAGES_PER_MINUTE: "1000000",
    LIMIT_ROOM_BROADCASTS_PER_MINUTE: "1000000",
  });
  try {
    const { agent, visitor, conversation } = await cast(server);
    const socket = await connect(server, { sessionId: visitor.sessionId });
    await socket.ack("join", { conversationId: conversation.id });
    // A burst that would fill the disk twice over, as fast as it goes.
    // Nothing that could be compressed much.
    const content = crypto.getRandomValues(new Uint8Array(9_000)).toHex();
    let stored = 0;
    let refusal: Record<string, unknown> | null = null;
    for (let i = 0; i < 60 && refusal === null; i++) {
      const answers = await Promise.all(
        Array.from(
          { length: 32 },
          (_, n) =>
            call(server, "POST", `/api/conversations/${conversation.id}/messages`, {
              token: visitor.sessionId,
              body: { content, clientMessageId: `${i}-${n}` },
            }),
        ),
      );
      for (const { status, body } of answers) {
        if (status === 201) stored++;
        else refusal = body;
      }
    }
    assert.ok(refusal !== null && stored > 0);
    assert.equal(refusal["code"], "unavailable");
    assert.match(refusal["detail"] as string, /disk is nearly full/);
    assert.ok((refusal["retryAfter"] as number) > 0);
    // Other changes, by other ways.
    const label = { token: agent.token, body: { name: "Later" } };
    assert.equal((await call(server, "POST", "/api/labels", label)).status, 503);
    // Reading goes on, and the probes say it.
    const at = `/api/conversations/${conversation.id}/messages?limit=1`;
    assert.equal((await call(server, "GET", at, { token: agent.token })).status, 200);
    const ready = await call<{ ready: boolean; missing: string[] }>(server, "GET", "/ready");
    assert.deepEqual([ready.status, ready.body.ready], [200, true]);
    assert.match(ready.body.missing[0]!, /^The disk of DATA_DIR is nearly full: \d+ MB are free/);
    const health = await call<{ status: string; services: { disk: string } }>(
      server,
      "GET",
      "/health",
    );
    assert.deepEqual(
      [health.status, health.body.status, health.body.services.disk],
      [200, "degraded", "low"],
    );
    // The disk did not fill behind it.
    assert.ok(freeBytesOf(disk.path) > 4 * MB, `${freeBytesOf(disk.path)} bytes are left`);

    const resized = await new Deno.Command("mount", {
      args: ["-o", `remount,size=${400 * MB}`, disk.path],
    }).output();
    assert.ok(resized.success);
    const again = await eventually(
      () =>
        socket.ack("message", { content: "There is space", clientMessageId: "last" })
          .catch(() => null),
      (ack) => ack !== null,
      10_000,
    );
    assert.ok(again !== null);
    assert.equal((await call(server, "POST", "/api/labels", label)).status, 201);
    assert.deepEqual((await call(server, "GET", "/ready")).body, { ready: true });
    await socket.close();
    assert.deepEqual(server.errors, []);
  } finally {
    await server.stop();
    await disk.unmount();
    await Deno.remove(template, { recursive: true });
  }
});

testOnDisk("acknowledged before the disk filled, it is there after a restart", async () => {
  const disk = (await mountDisk(110 * MB))!;
  const template = await makeDataDir();
  const dir = `${disk.path}/data`;
  copyTree(template, dir);
  const env = {
    DATA_DIR: dir,
    MIN_FREE_DISK_BYTES: `${20 * MB}`,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  };
  let running = await startProcess(env);
  try {
    const { visitor, conversation } = await cast(running);
    const at = `/api/conversations/${conversation.id}/messages`;
    const acknowledged: string[] = [];
    const write = async () => {
      const answer = await call(running, "POST", at, {
        token: visitor.sessionId,
        body: { content: "Hello", clientMessageId: crypto.randomUUID() },
      });
      if (answer.status === 201) acknowledged.push(answer.body["id"] as string);
      return answer;
    };
    for (let i = 0; i < 5; i++) assert.equal((await write()).status, 201);
    const assertThere = async () => {
      const { body } = await call<{ items: { id: string }[] }>(running, "GET", at, {
        token: visitor.sessionId,
      });
      const there = new Set(body.items.map(({ id }) => id));
      assert.deepEqual(acknowledged.filter((id) => !there.has(id)), []);
    };

    // Nearly full: it starts, shows what there is, and takes nothing.
    await fillTo(disk, 10 * MB);
    assert.equal((await eventually(write, ({ status }) => status === 503, 10_000)).status, 503);
    await running.kill("SIGKILL");
    running = await startProcess(env);
    const refused = await write();
    assert.deepEqual([refused.status, refused.body["code"]], [503, "unavailable"]);
    assert.match(refused.body["detail"] as string, /disk is nearly full/);
    await assertThere();
    await running.kill("SIGKILL");

    // Full: it does not start, with the guard and without, and harms nothing.
    await Deno.remove(`${dir}/postgres/postmaster.pid`);
    await fillTo(disk, 0);
    assert.match(
      await refusedStart(env),
      /the disk of "[^"]*\/postgres" has 0 MB free, and opening it takes 4 MB \(make space, or move/,
    );
    assert.match(
      await refusedStart({ ...env, MIN_FREE_DISK_BYTES: "0" }),
      /the disk of "[^"]*\/postgres" is full: .*No space left on device \(make space, or move/,
    );

    await Deno.remove(`${disk.path}/filler`);
    running = await startProcess(env);
    await assertThere();
    assert.equal((await write()).status, 201);
    assert.equal((await running.kill("SIGTERM")).code, 0);
  } finally {
    await Promise.try(() => running.kill("SIGKILL")).catch(() => {});
    await disk.unmount();
    await Deno.remove(template, { recursive: true });
  }
});

testOnDisk("a first start on a full disk, or one that takes nothing, is one sentence", async () => {
  const disk = (await mountDisk(110 * MB))!;
  const template = await makeDataDir();
  const dir = `${disk.path}/data`;
  const remount = async (...args: string[]) =>
    assert.ok((await new Deno.Command("mount", { args }).output()).success);
  try {
    await fillTo(disk, 30 * MB);
    assert.match(
      await refusedStart({ DATA_DIR: dir }),
      /"[^"]*\/postgres" has \d+ MB free, and making one takes \d+ MB \(make space, lower MIN_FREE/,
    );
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["lock"]);
    assert.match(
      await refusedStart({ DATA_DIR: dir, MIN_FREE_DISK_BYTES: "0" }),
      /^Cannot make the embedded database: the disk of "[^"]*\/postgres" is full: .*No space left/,
    );

    await Deno.remove(`${disk.path}/filler`);
    await Deno.remove(dir, { recursive: true });
    copyTree(template, dir);
    const env = { DATA_DIR: dir, MIN_FREE_DISK_BYTES: "0" };
    await Deno.chmod(dir, 0o755);
    await remount("-o", "remount,ro", disk.path);
    assert.match(
      await refusedStart(env),
      /other accounts can get in \(mode 755\), and that cannot be changed: Read-only file system/,
    );
    await remount("-o", "remount,rw", disk.path);
    await Deno.chmod(dir, 0o700);
    await remount("-o", "remount,ro", disk.path);
    assert.match(
      await refusedStart(env),
      /^Cannot use DATA_DIR "[^"]*": it cannot be written: Read-only file system \(give this user/,
    );
    await remount("-o", "remount,rw", disk.path);
    // The folder in it alone.
    const inner = `${dir}/postgres`;
    await remount("--bind", inner, inner);
    await remount("-o", "remount,bind,ro", inner);
    assert.match(
      await refusedStart(env),
      /^Cannot open the embedded database: "[^"]*\/postgres" cannot be written: .*Read-only file/,
    );
    assert.ok((await new Deno.Command("umount", { args: [inner] }).output()).success);
  } finally {
    await disk.unmount();
    await Deno.remove(template, { recursive: true });
  }
});

Deno.test("a folder that is not whole ends the start with a sentence, and is left as it is", async (t) => {
  const dir = await makeTempDir();
  const listing = async () => {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(`${dir}/postgres`)) {
      // The engine leaves it where it ended; it says nothing of what is stored.
      if (name !== "postmaster.pid") names.push(name);
    }
    return names.sort();
  };
  try {
    const cases: [what: string, damage: () => Promise<void>, sentence: RegExp][] = [
      [
        "files without a version",
        () => Deno.remove(`${dir}/postgres/PG_VERSION`),
        /"[^"]*\/postgres" has files but no "PG_VERSION", so it is not whole \(restore it/,
      ],
      [
        "a whole folder beside the mark of one that was being made",
        () => Deno.writeTextFile(`${dir}/postgres.new`, ""),
        /a start ended while it made "[^"]*\/postgres" \(remove the folder/,
      ],
      [
        "another version of Postgres",
        () => Deno.writeTextFile(`${dir}/postgres/PG_VERSION`, "9\n"),
        /"[^"]*\/postgres" is of Postgres "9", and this Parley's is \d+ \(start the version/,
      ],
      [
        "a file that was cut",
        () => Deno.truncate(`${dir}/postgres/global/pg_control`, 100),
        /the files in "[^"]*\/postgres" are damaged: .*\(restore the folder from a backup/,
      ],
    ];
    for (const [what, damage, sentence] of cases) {
      await t.step(what, async () => {
        const whole = await makeDataDir();
        await Deno.remove(dir, { recursive: true });
        await Deno.rename(whole, dir);
        await damage();
        const before = await listing();
        assert.match(await refusedStart({ DATA_DIR: dir, MIN_FREE_DISK_BYTES: "0" }), sentence);
        assert.deepEqual(await listing(), before);
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
