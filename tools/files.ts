/** All files in the given files and folders. Folders that do not exist are skipped. */
export async function* walkFiles(roots: string[]): AsyncGenerator<string> {
  for (const root of roots) {
    const info = await Deno.stat(root).catch(() => null);
    if (info === null) continue;
    if (info.isFile) {
      yield root;
      continue;
    }
    for await (const entry of Deno.readDir(root)) {
      yield* walkFiles([`${root}/${entry.name}`]);
    }
  }
}

/** Copies the contents of one folder into another, which has to exist. */
export async function copyTree(from: string, to: string): Promise<void> {
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory) {
      await Deno.mkdir(target, { recursive: true });
      await copyTree(source, target);
    } else {
      await Deno.copyFile(source, target);
    }
  }
}
