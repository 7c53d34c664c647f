/** The embedded database on a disk that fills, that is full, and that is damaged. */
import assert from "node:assert/strict";
import { copyTree } from "../tools/files.ts";
import { call, cast } from "./support/http.ts";
import { eventually } from "./faults/health.ts";
import { runToEnd } from "./support/process.ts";
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
  await copyTree(template, `${disk.path}/data`);
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
    const { freeBytesOf } = await import("../db/disk_guard.ts");
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
        const { code, stderr } = await runToEnd({
          DATA_DIR: dir,
          PORT: "0",
          HOST: "127.0.0.1",
          ADMIN_EMAIL: ADMIN.email,
          ADMIN_PASSWORD: ADMIN.password,
          MIN_FREE_DISK_BYTES: "0",
        });
        assert.equal(code, 1);
        const line = stderr.trim();
        assert.match(line, sentence);
        assert.equal(line.split("\n").length, 1, line);
        assert.deepEqual(await listing(), before);
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
