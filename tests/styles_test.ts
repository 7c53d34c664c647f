/** The stylesheets of the dashboard, as they were built. */
import assert from "node:assert/strict";

const ASSETS = new URL("../.output/public/assets/", import.meta.url);
/** As components/styles/index.css names them. */
const LAYERS = ["reset", "tokens", "base", "parts", "layout"];

Deno.test("every stylesheet has the layers in order, because a page may load it first", async () => {
  let layered = 0;
  for await (const { name } of Deno.readDir(ASSETS)) {
    if (!name.endsWith(".css")) continue;
    const text = await Deno.readTextFile(new URL(name, ASSETS));
    const found = [...text.matchAll(/@layer ([\w,\s]+)/g)]
      .flatMap(([, names]) => names!.split(",").map((one) => one.trim()));
    if (found.length === 0) continue;
    layered++;
    assert.deepEqual([...new Set(found)], LAYERS, name);
  }
  assert.ok(layered > 10, `${layered} stylesheets with layers`);
});
