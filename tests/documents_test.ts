/** The documents name files that exist, and every link in them leads somewhere. */
import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";

const ROOT = new URL("../", import.meta.url).pathname;
/** Not ours to check: what is installed or built. */
const FOREIGN = /^(node_modules|data|\..*)$/;
/** They tell of files of the past. */
const HISTORY = new Set(["CHANGELOG.md"]);
/** Patterns of names, and examples, that look like files. */
const EXAMPLES = new Set(["x_test.ts", "snake_case.ts", "PascalCase.tsx"]);
const FILE = /^[\w.@\-[\]/]*(\.(tsx?|md|json|mjs|css|ya?ml)|\/)$/;

interface Found {
  document: string;
  what: string;
}

/** The text without its blocks of code, which are examples. */
function prose(markdown: string): string {
  return markdown.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1$/gm, "");
}

/** The anchors that a document has, as GitHub makes them of its headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of prose(markdown).matchAll(/^#{1,6} (.*)$/gm)) {
    const text = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links within the repository that lead nowhere. `read` says what a file has, or null without one. */
export function brokenLinks(
  document: string,
  markdown: string,
  read: (path: string) => string | null,
): Found[] {
  const found: Found[] = [];
  for (const [, link] of prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link!)) continue;
    const [path, anchor] = link!.split("#");
    const target = path === "" ? document : normalize(join(dirname(document), path!));
    const text = target === document ? markdown : read(target);
    const leads = text !== null && (anchor === undefined || anchorsOf(text).has(anchor));
    if (!leads) found.push({ document, what: link! });
  }
  return found;
}

/** Files that a document names in `code`, from the root or from its own folder, and that are none. */
export function missingFiles(
  document: string,
  markdown: string,
  read: (path: string) => string | null,
): Found[] {
  const names = [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, name]) => name!);
  return names
    .filter((name) => FILE.test(name) && !/^[./]/.test(name) && !EXAMPLES.has(name))
    .filter((name) =>
      [name, join(dirname(document), name)].every((path) => read(normalize(path)) === null)
    )
    .map((what) => ({ document, what }));
}

/** The text of a file, "" of a folder, null of what is not there. */
function readFromRoot(path: string): string | null {
  try {
    const full = join(ROOT, path);
    if (Deno.statSync(full).isDirectory) return "";
    return full.endsWith(".md") ? Deno.readTextFileSync(full) : "";
  } catch {
    return null;
  }
}

/** The Markdown files below a folder, by their path from the root. */
function documents(folder = "", found = new Map<string, string>()): Map<string, string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, name);
    if (FOREIGN.test(name)) continue;
    if (isDirectory) documents(path, found);
    else if (name.endsWith(".md")) found.set(path, Deno.readTextFileSync(join(ROOT, path)));
  }
  return found;
}

Deno.test("every link of the documents leads to a file and a heading that exist", () => {
  const all = documents();
  for (const name of ["README.md", "ARCHITECTURE.md", "PROTOCOL.md", "docs/operations.md"]) {
    assert.ok(all.has(name), name);
  }
  const broken = [...all].flatMap(([name, text]) => brokenLinks(name, text, readFromRoot));
  assert.deepEqual(broken, []);
});

Deno.test("every file that the documents name exists", () => {
  const all = [...documents()].filter(([name]) => !HISTORY.has(name));
  assert.deepEqual(all.flatMap(([name, text]) => missingFiles(name, text, readFromRoot)), []);
});

Deno.test("the answers of ARCHITECTURE name functions that are in these files", async () => {
  const text = await Deno.readTextFile(join(ROOT, "ARCHITECTURE.md"));
  const section = text.slice(text.indexOf("\n## Where does X happen"));
  const rows = section.split("\n").filter((line) => line.startsWith("| Where"));
  assert.ok(rows.length >= 10, `${rows.length} questions`);
  for (const row of rows) {
    const names = [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const file = names.find((name) => FILE.test(name));
    const functions = names.filter((name) => /^[\w.]+\(\)$/.test(name));
    assert.ok(file !== undefined && functions.length === 1, row);
    const code = await Deno.readTextFile(join(ROOT, file));
    const name = functions[0]!.slice(0, -2).split(".").at(-1)!;
    assert.match(code, new RegExp(`\\b${name}\\b\\s*(<[^>]*>)?\\(`), row);
  }
});

Deno.test("a link to nothing, a heading that is gone and a missing file are found", () => {
  const files: Record<string, string> = {
    "docs/a.md": "# A\n\n## Two words\n\n## Two words\n\n## `code` at `/ws`\n",
  };
  const read = (path: string) => files[path] ?? null;
  const good = "[a](docs/a.md) [b](docs/a.md#two-words-1) [c](docs/a.md#code-at-ws) [d](#top)\n";
  assert.deepEqual(brokenLinks("README.md", `# Top\n\n${good}`, read), []);
  const bad = "[a](docs/b.md) [b](docs/a.md#three) [c](#gone) [d](https://example.com/x)\n";
  assert.deepEqual(
    brokenLinks("README.md", `# Top\n\n${bad}`, read).map(({ what }) => what),
    ["docs/b.md", "docs/a.md#three", "#gone"],
  );
  assert.deepEqual(
    missingFiles("docs/c.md", "`a.md` `docs/a.md` `gone.ts` `a.b`\n\n```\n`x.ts`\n```\n", read),
    [{ document: "docs/c.md", what: "gone.ts" }],
  );
});
