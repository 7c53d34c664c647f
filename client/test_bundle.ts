/** The SDK as one ES module, minified as widget/build.ts does it. */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

export async function bundleClient(entry: "core.ts" | "mod.ts"): Promise<string> {
  const build = await rolldown({
    input: fileURLToPath(new URL(entry, import.meta.url)),
    platform: "browser",
    treeshake: true,
    transform: { target: "es2023" },
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  await build.close();
  return output[0].code.trim() + "\n";
}
