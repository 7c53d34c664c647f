/** Which file imports which: what static imports and exports say, types included. */
import { dirname, join, normalize } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Not ours: what is installed, built or stored. */
const FOREIGN = /^(node_modules|data|\..*)$/;
/** The relative module of a static import or export. */
const IMPORT = /^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*["'](\.[^"']+)["']/gm;

/** The files that each file imports, by path from the root. */
export type Graph = Map<string, string[]>;

export function importsOf(path: string, code: string): string[] {
  return [...code.matchAll(IMPORT)].map(([, module]) => normalize(join(dirname(path), module!)));
}

export function readGraph(folder = "", graph: Graph = new Map()): Graph {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, name);
    if (FOREIGN.test(name)) continue;
    if (isDirectory) readGraph(path, graph);
    else if (/\.tsx?$/.test(name)) {
      graph.set(path, importsOf(path, Deno.readTextFileSync(join(ROOT, path))));
    }
  }
  return graph;
}

/** These files, and all that they import in the end. */
export function reachableFrom(graph: Graph, files: string[]): Set<string> {
  const reached = new Set<string>();
  const pending = [...files];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (reached.has(file) || !graph.has(file)) continue;
    reached.add(file);
    pending.push(...graph.get(file)!);
  }
  return reached;
}
