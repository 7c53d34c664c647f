/**
 * Builds the files that a website loads: `widget.js`, `widget/panel-<hash>.js`, and when they are
 * used `widget/files-<hash>.js` and `widget/actions-<hash>.js`, named by their content. Fails when a size budget of the design is exceeded.
 */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** Bytes, gzip. */
const LAUNCHER_BUDGET = 10 * 1024;
const TOTAL_BUDGET = 35 * 1024;
/** Chunks of this and earlier builds that are kept in the folder. */
const KEPT_PANELS = 12;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Style sheets are template strings in `*.css.ts`. Removes their line breaks. */
const compactStyles = {
  name: "compact-styles",
  transform(code: string, id: string) {
    if (!id.endsWith(".css.ts")) return null;
    return code
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/\s*\n\s*/g, " ")
      .replace(/ ?([{};,]) ?/g, "$1")
      .replace(/: /g, ":");
  },
};

async function bundle(input: string, format: "esm" | "iife", define: Record<string, string>) {
  const build = await rolldown({
    input: here(input),
    platform: "browser",
    treeshake: true,
    plugins: [compactStyles],
    transform: {
      define: { "process.env.NODE_ENV": '"production"', ...define },
      jsx: { runtime: "automatic", importSource: "preact" },
      target: "es2023",
    },
  });
  const { output } = await build.generate({ format, minify: true, codeSplitting: false });
  await build.close();
  return output[0].code.trim() + "\n";
}

async function gzipSize(code: string): Promise<number> {
  const zipped = new Blob([code]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).arrayBuffer()).byteLength;
}

async function contentHash(code: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
  return new Uint8Array(digest).toHex().slice(0, 10);
}

/**
 * Writes the widget into `outDir` (created if needed), and keeps the last few panels there. Prints
 * the sizes; throws when the launcher exceeds 10 KB or everything exceeds 35 KB, gzip.
 */
export async function buildWidget(outDir: string): Promise<void> {
  const files = await bundle("./files/mod.ts", "esm", {});
  const filesFile = `files-${await contentHash(files)}.js`;
  const actions = await bundle("./actions/mod.ts", "esm", {});
  const actionsFile = `actions-${await contentHash(actions)}.js`;
  const panel = await bundle("./panel/mod.tsx", "esm", {
    FILES_FILE: JSON.stringify(filesFile),
    ACTIONS_FILE: JSON.stringify(actionsFile),
  });
  const file = `panel-${await contentHash(panel)}.js`;
  const loader = await bundle("./loader.ts", "iife", { PANEL_FILE: JSON.stringify(file) });

  const sizes = { launcher: await gzipSize(loader), panel: await gzipSize(panel) };
  const total = sizes.launcher + sizes.panel;
  const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
  console.log(
    `Widget: launcher ${kb(sizes.launcher)}, panel ${kb(sizes.panel)}, together ${
      kb(total)
    } (gzip)`,
  );
  if (sizes.launcher > LAUNCHER_BUDGET || total > TOTAL_BUDGET) {
    throw new Error(
      `Cannot build the widget: launcher ${sizes.launcher} bytes of ${LAUNCHER_BUDGET}, ` +
        `together ${total} of ${TOTAL_BUDGET}`,
    );
  }

  await Deno.mkdir(`${outDir}/widget`, { recursive: true });
  await Deno.writeTextFile(`${outDir}/widget/${filesFile}`, files);
  await Deno.writeTextFile(`${outDir}/widget/${actionsFile}`, actions);
  await Deno.writeTextFile(`${outDir}/widget/${file}`, panel);
  await Deno.writeTextFile(`${outDir}/widget.js`, loader);
  await removeOldPanels(`${outDir}/widget`);
}

/**
 * Browsers may cache the previous widget.js for some minutes, and request the panel that it names.
 */
async function removeOldPanels(folder: string): Promise<void> {
  const panels: { path: string; time: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    // The build removes compressed copies together with their file.
    if (!name.endsWith(".js")) continue;
    const { mtime } = await Deno.stat(`${folder}/${name}`);
    panels.push({ path: `${folder}/${name}`, time: mtime?.getTime() ?? 0 });
  }
  panels.sort((a, b) => b.time - a.time);
  for (const { path } of panels.slice(KEPT_PANELS)) await Deno.remove(path);
}

if (import.meta.main) await buildWidget(Deno.args[0] ?? here("../.build/widget"));
