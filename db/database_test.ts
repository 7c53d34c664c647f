import assert from "node:assert/strict";
import { copyTree } from "../tools/files.ts";
import { makeDatabase } from "../tests/support/server.ts";
import { testWith } from "../tests/support/services.ts";
import { makeTempDir } from "../tests/support/temp_dir.ts";
import { makeDataDir, onServer } from "../tests/support/template.ts";
import { openDatabase } from "./database.ts";

async function epochOf(options: { url?: string; dataDir?: string }): Promise<string> {
  const { url, dataDir = "" } = options;
  const { epoch, close } = await openDatabase({ url, dataDir, pool: 2 });
  await close();
  return epoch;
}

Deno.test("the epoch stays with a data folder, and a restored copy has another", async () => {
  const dataDir = await makeDataDir();
  const copy = await makeTempDir();
  try {
    const epoch = await epochOf({ dataDir });
    assert.equal(await epochOf({ dataDir }), epoch);
    copyTree(dataDir, copy);
    const restored = await epochOf({ dataDir: copy });
    assert.notEqual(restored, epoch);
    assert.equal(await epochOf({ dataDir: copy }), restored);
  } finally {
    for (const path of [dataDir, copy]) await Deno.remove(path, { recursive: true });
  }
});

testWith(
  ["postgres"],
  "the epoch stays with a Postgres database, and a restored copy has another",
  async () => {
    const original = await makeDatabase();
    const name = new URL(original.url).pathname.slice(1);
    const restored = new URL(original.url);
    restored.pathname = `/${name}_restored`;
    try {
      const epoch = await epochOf({ url: original.url });
      assert.equal(await epochOf({ url: original.url }), epoch);
      await onServer(`create database ${name}_restored template ${name}`);
      assert.notEqual(await epochOf({ url: restored.href }), epoch);
    } finally {
      await onServer(`drop database if exists ${name}_restored`);
      await original.drop();
    }
  },
);

testWith(["postgres"], "two processes that start at once migrate once", async () => {
  const { url, drop } = await makeDatabase();
  try {
    const epochs = await Promise.all([1, 2, 3].map(() => epochOf({ url })));
    assert.equal(new Set(epochs).size, 1);
  } finally {
    await drop();
  }
});
