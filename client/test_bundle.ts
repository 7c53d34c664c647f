/** The SDK as one ES module, minified as in widget/build.ts. */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** A module that imports some names from the SDK, as a program does. */
const USER = "user-of-the-sdk.js";

/** @param names the imported names; all of them by default */
export async function bundleClient(entry: "core.ts" | "mod.ts", names?: string[]): Promise<string> {
  const path = fileURLToPath(new URL(entry, import.meta.url));
  const user = `export { ${names?.join(", ")} } from ${JSON.stringify(path)};`;
  const build = await rolldown({
    input: names === undefined ? path : USER,
    platform: "browser",
    treeshake: true,
    plugins: [{
      name: "user",
      resolveId: (id) => id === USER ? id : null,
      load: (id) => id === USER ? user : null,
    }],
    transform: { target: "es2023" },
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  await build.close();
  return output[0].code.trim() + "\n";
}
