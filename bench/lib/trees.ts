/** The measured tree, and another revision to compare it with. */
import type { BenchDatabase, Engine } from "./databases.ts";
import { type BenchServer, startServer } from "./processes.ts";

export interface Tree {
  /** "this tree", or the revision. */
  name: string;
  path: string;
}

const HERE: Tree = { name: "this tree", path: new URL("../../", import.meta.url).pathname };

/** Set by bench/run.ts: the path and the name of the other revision. */
export const AGAINST = { path: "BENCH_AGAINST", name: "BENCH_AGAINST_NAME" };

/** The other revision first, as the baseline. @throws {Error} where none was given */
export function bothTrees(): [Tree, Tree] {
  const path = Deno.env.get(AGAINST.path);
  if (path === undefined) throw new Error("Cannot compare: give a revision, --against REV");
  return [{ name: Deno.env.get(AGAINST.name)!, path }, HERE];
}

/**
 * Checks a revision out beside this tree, with its packages. @returns it, with a function to remove
 * it
 */
export async function checkOut(revision: string): Promise<Tree & { remove(): Promise<void> }> {
  const path = `${await Deno.makeTempDir({ prefix: "parley_bench_" })}/`;
  await run("git", ["-C", HERE.path, "worktree", "add", "--quiet", "--detach", path, revision]);
  const remove = () => run("git", ["-C", HERE.path, "worktree", "remove", "--force", path]);
  try {
    await run(Deno.execPath(), ["install", "--quiet", "--frozen"], path);
    return { name: revision, path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A database with the schema of that tree, filled by its own `makeBenchDatabase`. */
export async function makeDatabaseOf(
  tree: Tree,
  engine: Engine,
  visitors: number,
): Promise<BenchDatabase> {
  const { makeBenchDatabase } = await import(`${tree.path}bench/lib/databases.ts`);
  return await makeBenchDatabase(engine, visitors);
}

/** Starts that tree's Parley as a separate process. */
export function startParley(tree: Tree, env: Record<string, string>): Promise<BenchServer> {
  return startServer(tree.name, "parley.ts", env, [], tree.path);
}

async function run(command: string, args: string[], cwd?: string): Promise<void> {
  const { success } = await new Deno.Command(command, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot run ${command} ${args.join(" ")}`);
}
