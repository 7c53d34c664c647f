/** An embedded database that does not come back, and one that has ended. */
import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { copyTree } from "../tools/files.ts";
import { canMount } from "./faults/disk.ts";
import { within } from "./support/deadline.ts";
import { call, cast, post } from "./support/http.ts";
import { type SpawnedProcess, spawnProcess } from "./support/process.ts";
import { ADMIN } from "./support/server.ts";
import { makeDataDir } from "./support/template.ts";

/** What the process may stand still in these tests. */
const STUCK_MS = 4000;
/** For a process to end by itself, on a machine that is busy. */
const END_MS = 60_000;

/** Labels with these names do something to the engine: in it, by a way that every change takes. */
const TRAPS = `
  create function recurse(n int) returns int language plpgsql as $$
    begin return recurse(n + 1); end $$;
  create function trap() returns trigger language plpgsql as $$ begin
    if new.name = 'spin' then loop end loop; end if;
    if new.name = 'recurse' then perform recurse(1); end if;
    if new.name = 'write' then perform pg_switch_wal(); end if;
    return new;
  end $$;
  create trigger trap before insert on labels for each row execute function trap();
`;

/**
 * A data folder on a disk: the runtime lets nobody into /dev, where tests have theirs otherwise, who
 * may not do everything.
 */
async function makeDiskDir(): Promise<string> {
  const template = await makeDataDir();
  const dataDir = await Deno.makeTempDir({ prefix: "parley_test_" });
  copyTree(template, dataDir);
  await Deno.remove(template, { recursive: true });
  return dataDir;
}

/** What the image may do, as its Dockerfile says. */
async function imageRights(dataDir: string): Promise<string[]> {
  const [command] = /^CMD \["sh"(?:.*\n)+/m.exec(await Deno.readTextFile("Dockerfile"))!;
  return [...command!.matchAll(/--(?:allow-\S+|no-prompt|cached-only)/g)].map(([flag]) =>
    flag!.replace("/app", Deno.cwd()).replace("/data", dataDir)
  );
}

async function makeTrapped(sql: string, make = makeDataDir): Promise<string> {
  const dataDir = await make();
  const engine = await PGlite.create(`${dataDir}/postgres`);
  await engine.exec(sql);
  await engine.close();
  return dataDir;
}

function start(dataDir: string, env: Record<string, string> = {}, flags = ["-A"]) {
  return spawnProcess(
    {
      DATA_DIR: dataDir,
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      DATABASE_STUCK_MS: `${STUCK_MS}`,
      ...env,
    },
    [Deno.execPath(), "run", "--no-check", ...flags, "main.ts"],
  );
}

async function ready(server: SpawnedProcess): Promise<{ url: string }> {
  const [, port] = await server.until(/ready at http:\/\/localhost:(\d+)/);
  return { url: `http://127.0.0.1:${port}` };
}

/** How it ended by itself; one that does not is ended here. */
async function endOf(server: SpawnedProcess): Promise<Deno.CommandStatus> {
  try {
    return await within(server.ended, "the end of the process", END_MS);
  } catch (error) {
    await server.kill("SIGKILL");
    throw error;
  }
}

const errorLines = ({ output }: SpawnedProcess) =>
  output.join("").split("\n").filter((line) => line !== "");

/** Some messages that are acknowledged, and whether they are there. */
async function talk(at: { url: string }) {
  const { agent, visitor, conversation } = await cast(at);
  const acknowledged: string[] = [];
  for (let i = 0; i < 5; i++) {
    acknowledged.push((await post(at, visitor.sessionId, conversation.id, `${i}`)).id);
  }
  return {
    agent,
    async assertThere(later: { url: string }) {
      const path = `/api/conversations/${conversation.id}/messages`;
      const { body } = await call<{ items: { id: string }[] }>(later, "GET", path, {
        token: visitor.sessionId,
      });
      assert.deepEqual(body.items.map(({ id }) => id).sort(), acknowledged.toSorted());
    },
  };
}

Deno.test("an engine that spins is ended with one line, and what was acknowledged stays", async () => {
  const dataDir = await makeTrapped(TRAPS, makeDiskDir);
  try {
    const first = start(dataDir, {}, await imageRights(dataDir));
    const at = await ready(first);
    const { agent, assertThere } = await talk(at);
    const label = { token: agent.token, body: { name: "spin" } };
    const cut = assert.rejects(call(at, "POST", "/api/labels", label));
    const status = await endOf(first);
    await cut;
    assert.equal(status.signal, "SIGKILL");
    const lines = errorLines(first);
    assert.equal(lines.length, 1, lines.join("\n"));
    const line = JSON.parse(lines[0]!);
    assert.deepEqual([line.level, line.logger, line.seconds], ["FATAL", "parley", STUCK_MS / 1000]);
    assert.match(line.message, /^The embedded database has held this process up for 4 s/);
    assert.ok(Math.abs(Date.now() - Date.parse(line["@timestamp"])) < END_MS);

    const second = start(dataDir);
    try {
      await assertThere(await ready(second));
    } finally {
      assert.equal((await second.kill("SIGTERM")).code, 0);
    }
    assert.deepEqual(errorLines(second), []);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a process that is stopped for longer goes on", async () => {
  const dataDir = await makeDataDir();
  const server = start(dataDir);
  try {
    const at = await ready(server);
    const { assertThere } = await talk(at);
    void server.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1.5 * STUCK_MS));
    void server.kill("SIGCONT");
    // As long as two more looks take.
    const until = Date.now() + 1500;
    while (Date.now() < until) await assertThere(at);
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
  assert.deepEqual(errorLines(server), []);
});

Deno.test("a start may take longer, but not for ever", async (t) => {
  const slow = (condition: string) => `
    create function trap() returns trigger language plpgsql as $$ begin
      while ${condition} loop end loop;
      return new;
    end $$;
    create trigger trap before insert on widget_configs for each row execute function trap();
  `;
  await t.step("work that ends is waited for", async () => {
    const dataDir = await makeTrapped(
      slow(`clock_timestamp() < statement_timestamp() + interval '${1.5 * STUCK_MS} ms'`),
    );
    const server = start(dataDir);
    try {
      await ready(server);
    } finally {
      assert.equal((await server.kill("SIGTERM")).code, 0);
      await Deno.remove(dataDir, { recursive: true });
    }
    assert.deepEqual(errorLines(server), []);
  });
  await t.step("work that does not end is ended", async () => {
    const dataDir = await makeTrapped(slow("true"));
    const server = start(dataDir, { DATABASE_JOB_TIMEOUT_MS: "5000", LOG_FORMAT: "text" });
    const status = await endOf(server);
    assert.equal(status.signal, "SIGKILL");
    const [line, ...more] = errorLines(server);
    assert.match(line!, /^\d{4}-\S+Z FATAL {3}The embedded database has held .* seconds=5$/);
    assert.deepEqual(more, []);
    await Deno.remove(dataDir, { recursive: true });
  });
});

Deno.test("without the right to watch it says so once, and goes on", async () => {
  const dataDir = await makeDiskDir();
  const server = start(dataDir, {}, ["-A", "--deny-read=process/watchdog_worker.ts"]);
  try {
    await talk(await ready(server));
  } finally {
    assert.equal((await server.kill("SIGTERM")).code, 0);
    await Deno.remove(dataDir, { recursive: true });
  }
  const [line, ...more] = errorLines(server);
  const { level, message } = JSON.parse(line!);
  assert.equal(level, "WARN");
  assert.match(message, /^The embedded database is not watched: .* may not be read/);
  assert.deepEqual(more, []);
});

Deno.test({
  name: "the first process of a container, which nobody can end, says so",
  ignore: Deno.build.os !== "linux" || !canMount(),
  async fn() {
    const dataDir = await makeDataDir();
    const server = spawnProcess(
      { DATA_DIR: dataDir },
      ["unshare", "--pid", "--fork", "--kill-child", Deno.execPath(), "run", "-A", "main.ts"],
    );
    try {
      await ready(server);
    } finally {
      await server.kill("SIGKILL");
      await Deno.remove(dataDir, { recursive: true });
    }
    const [line, ...more] = errorLines(server);
    assert.match(JSON.parse(line!).message, /is not watched: .* docker run --init/);
    assert.deepEqual(more, []);
  },
});

for (
  const [name, reason, spoil] of [
    ["recurse", /Maximum call stack size exceeded/, async () => {}],
    [
      "write",
      /could not create file "pg_wal\//,
      (dataDir: string) => Deno.rename(`${dataDir}/postgres/pg_wal`, `${dataDir}/pg_wal`),
    ],
  ] as const
) {
  Deno.test(`an engine that has ended (${name}) is said in one line, and what was acknowledged stays`, async () => {
    const dataDir = await makeTrapped(TRAPS);
    try {
      const first = start(dataDir);
      const at = await ready(first);
      const { agent, assertThere } = await talk(at);
      await spoil(dataDir);
      const label = { token: agent.token, body: { name } };
      assert.equal((await call(at, "POST", "/api/labels", label)).status, 503);
      const status = await endOf(first);
      assert.deepEqual([status.code, status.signal], [75, null]);
      const lines = errorLines(first);
      assert.equal(lines.length, 1, lines.join("\n"));
      const line = JSON.parse(lines[0]!);
      assert.equal(line.level, "FATAL");
      assert.match(line.message, /^The embedded database has ended: .*This process ends/);
      assert.match(line.message, reason);

      await Deno.rename(`${dataDir}/pg_wal`, `${dataDir}/postgres/pg_wal`).catch(() => {});
      const second = start(dataDir);
      try {
        await assertThere(await ready(second));
      } finally {
        assert.equal((await second.kill("SIGTERM")).code, 0);
      }
      assert.deepEqual(errorLines(second), []);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  });
}
