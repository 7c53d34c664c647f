/**
 * No file imports itself by way of others, types included: a circle means that what two files share
 * belongs in a third one, below both.
 */
import assert from "node:assert/strict";
import { type Graph, importsOf, readGraph } from "./support/imports.ts";

/** Groups of files that all import each other in the end (Tarjan's strongly connected components). */
function circlesOf(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];

  function visit(file: string): void {
    index.set(file, index.size);
    lowest.set(file, index.get(file)!);
    stack.push(file);
    for (const next of graph.get(file)!) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) {
        lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
      }
    }
    if (lowest.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file)).sort();
    if (circle.length > 1 || graph.get(file)!.includes(file)) circles.push(circle);
  }

  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles.sort();
}

Deno.test("no file imports itself by way of others", () => {
  const graph = readGraph();
  assert.ok(graph.size > 500, `${graph.size} files`);
  assert.deepEqual(circlesOf(graph), []);
});

Deno.test("a circle is found, however many files it leads over", () => {
  const graph: Graph = new Map([
    ["a.ts", importsOf("a.ts", 'import {\n  b,\n} from "./x/b.ts";\nimport "zod";\n')],
    ["x/b.ts", importsOf("x/b.ts", 'export type { C } from "./c.ts";\n')],
    ["x/c.ts", importsOf("x/c.ts", 'import type { A } from "../a.ts";\nimport "./d.ts";\n')],
    ["x/d.ts", importsOf("x/d.ts", '// import "./c.ts";\nimport e from "./e.ts";\n')],
    ["x/e.ts", []],
  ]);
  assert.deepEqual(circlesOf(graph), [["a.ts", "x/b.ts", "x/c.ts"]]);
  assert.deepEqual(circlesOf(new Map([["a.ts", ["a.ts"]]])), [["a.ts"]]);
});
