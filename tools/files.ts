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

/** Copies the contents of one folder into another, which has to exist; faster than file by file. */
export function copyTree(from: string, to: string): void {
  for (const entry of Deno.readDirSync(from)) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory) {
      Deno.mkdirSync(target, { recursive: true });
      copyTree(source, target);
    } else {
      Deno.copyFileSync(source, target);
    }
  }
}
