/** An empty embedded database, made once and copied: making one takes seconds, a copy does not. */
import { PGlite } from "@electric-sql/pglite";
import { copyTree } from "../../tools/files.ts";

const TEMPLATE = new URL("../../.build/test_template", import.meta.url).pathname;

async function ensureTemplate(): Promise<void> {
  if ((await Deno.stat(TEMPLATE).catch(() => null)) !== null) return;
  const own = `${TEMPLATE}.${crypto.randomUUID()}`;
  await Deno.mkdir(own, { recursive: true });
  const pglite = await PGlite.create(`${own}/postgres`);
  await pglite.close();
  try {
    await Deno.rename(own, TEMPLATE);
  } catch {
    // Another test was first.
    await Deno.remove(own, { recursive: true });
  }
}

/** A data folder with an empty database in it. */
export async function makeDataDir(): Promise<string> {
  await ensureTemplate();
  const path = await Deno.makeTempDir({ prefix: "parley_test_" });
  await copyTree(TEMPLATE, path);
  return path;
}
