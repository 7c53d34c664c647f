/** The image has what its entries import, and nothing else of ours. */
import assert from "node:assert/strict";
import { reachableFrom, readGraph } from "./support/imports.ts";

/** What the image runs; the watchdog's thread is loaded by its address. */
const ENTRIES = [
  "main.ts",
  "process/parallel.ts",
  "process/watchdog_worker.ts",
  "tools/migrate.ts",
];

Deno.test("the Dockerfile copies every folder that the server imports", async () => {
  const files = reachableFrom(readGraph(), ENTRIES);
  for (const entry of ENTRIES) assert.ok(files.has(entry), entry);
  const folders = new Set([...files].filter((file) => file.includes("/")).map(folderOf));
  const copied = [...(await Deno.readTextFile("Dockerfile"))
    .matchAll(/^COPY --from=build \/app\/(\w+)(?:\/migrate\.ts)? \1\/$/gm)].map(([, name]) =>
      name!
    );
  assert.deepEqual(
    copied.filter((name) => name !== "node_modules").sort(),
    [...folders].sort(),
  );
});

const folderOf = (file: string) => file.split("/")[0]!;
