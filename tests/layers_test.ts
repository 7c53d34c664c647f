/**
 * Imports follow the table of layers in ARCHITECTURE.md: a folder imports only what its row allows.
 */
import assert from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";

const ROOT = new URL("../", import.meta.url).pathname;
/** Not source code: installed or built. */
const SKIPPED = /^(node_modules|data|\..*)$/;
const IMPORT = /(?:^|\s)(?:import|export)\s[^"'`;]*?from\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)"/gm;

/** One row: what it is about, and what it may import; null: everything. */
interface Row {
  members: string[];
  allowed: string[] | null;
}

/** Folders ("domain/") and files ("server.ts") that a cell of the table names. */
function pathsIn(cell: string): string[] {
  return [...cell.matchAll(/`([\w./-]+)`/g)].map(([, path]) => path!)
    .filter((path) => /(\/|\.tsx?)$/.test(path) && !path.startsWith("/"));
}

export function readRows(markdown: string): Row[] {
  const start = markdown.search(/^\| *layer *\|/m);
  const table = markdown.slice(start).split("\n\n")[0]!.split("\n").slice(2);
  return table.map((line) => {
    const [, , members = "", , imports = ""] = line.split("|").map((cell) => cell.trim());
    return {
      members: pathsIn(members),
      allowed: imports === "all" ? null : pathsIn(imports),
    };
  });
}

const contains = (path: string, file: string) =>
  path.endsWith("/") ? file.startsWith(path) : file === path;

/** Imports of a file, by path from the root. */
export function importsOf(file: string, code: string): string[] {
  return [...code.matchAll(IMPORT)].map(([, from, bare]) =>
    normalize(join(dirname(file), (from ?? bare)!))
  );
}

/** What is wrong with the imports of one file; nothing for a file that the table does not name. */
export function violations(rows: Row[], file: string, code: string): string[] {
  const row = rows.find(({ members }) => members.some((path) => contains(path, file)));
  if (row === undefined || row.allowed === null || isTest(file)) return [];
  const allowed = [...row.members, ...row.allowed];
  return importsOf(file, code)
    .filter((target) => !allowed.some((path) => contains(path, target)))
    .map((target) => `${file} imports ${target}`);
}

/** Unit tests beside the files may use everything. */
const isTest = (file: string) => /_test\.tsx?$|\/test_\w+\.tsx?$/.test(file);

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (SKIPPED.test(name)) continue;
    if (isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(name)) yield relative(ROOT, path);
  }
}

Deno.test("no file imports a folder that the table of layers does not allow", async () => {
  const rows = readRows(await Deno.readTextFile(join(ROOT, "ARCHITECTURE.md")));
  const named = rows.flatMap(({ members }) => members);
  for (const folder of ["domain/", "realtime/", "engineio/", "protocol/", "db/", "client/"]) {
    assert.ok(named.includes(folder), `the table has no row for ${folder}`);
  }
  const wrong: string[] = [];
  let files = 0;
  for (const file of sources(ROOT)) {
    files++;
    wrong.push(...violations(rows, file, await Deno.readTextFile(join(ROOT, file))));
  }
  assert.ok(files > 500, `${files} files`);
  assert.deepEqual(wrong, []);
});

Deno.test("engineio/ imports nothing from outside its folder, not even in its tests", async () => {
  const outside: string[] = [];
  for (const file of sources(join(ROOT, "engineio"))) {
    const imports = importsOf(file, await Deno.readTextFile(join(ROOT, file)));
    outside.push(...imports.filter((target) => !target.startsWith("engineio/")));
  }
  assert.deepEqual(outside, []);
});

Deno.test("other folders import engineio/ by its mod.ts alone", async () => {
  const deep: string[] = [];
  for (const file of sources(ROOT)) {
    if (file.startsWith("engineio/")) continue;
    const imports = importsOf(file, await Deno.readTextFile(join(ROOT, file)));
    deep.push(...imports.filter((target) => /^engineio\/(?!mod\.ts$)/.test(target)));
  }
  assert.deepEqual(deep, []);
});

Deno.test("an import upwards is found, in every form", () => {
  const rows = readRows(
    "| layer | folder | what | may import | details |\n| - | - | - | - | - |\n" +
      "| 2 | `high/` `main.ts` | x | all | |\n| 1 | `low/` | x | `base/`, `high/narrow.ts` | |\n\nend",
  );
  const code = 'import a from "../base/a.ts";\nimport "../high/b.ts";\nimport {\n  c,\n} from ' +
    '"../high/c.ts";\nexport { d } from "../high/d.ts";\nimport e from "../high/narrow.ts";\n' +
    'import type { F } from "./f.ts";\nimport g from "node:path";\n';
  const found = ["b", "c", "d"].map((name) => `low/x.ts imports high/${name}.ts`);
  assert.deepEqual(violations(rows, "low/x.ts", code), found);
  assert.deepEqual(violations(rows, "high/x.ts", code), []);
  assert.deepEqual(violations(rows, "other/x.ts", code), []);
  assert.deepEqual(violations(rows, "low/x_test.ts", code), []);
});
