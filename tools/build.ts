/**
 * Builds the dashboard and the widget, each only when one of its sources has changed. `deno task
 * build`; `deno task start` and the tests run it, too.
 */
import { walkFiles } from "./files.ts";
import { precompress } from "./precompress.ts";

interface Target {
  name: string;
  sources: string[];
  /** The file with the digest of the sources of the last build. */
  stamp: string;
  /** A file that the build writes. */
  result: string;
  command: string[];
  /** The folder with the files that browsers load. */
  served: string;
}

const TARGETS: Target[] = [
  {
    name: "dashboard",
    sources: [
      "routes",
      "islands",
      "components",
      "public",
      "client",
      "protocol",
      "widget",
      "domain/dashboard.ts",
      "vite.config.ts",
      "tools/precompress.ts",
      "package.json",
      "deno.lock",
    ],
    stamp: ".build/dashboard.sources",
    result: ".output/server/_ssr/ssr.mjs",
    command: ["run", "-A", "npm:vite", "build", "--logLevel", "warn"],
    served: ".output/public",
  },
  {
    name: "widget",
    sources: [
      "widget",
      "client",
      "protocol",
      "tools/precompress.ts",
      "package.json",
      "deno.lock",
    ],
    stamp: ".build/widget.sources",
    result: ".build/widget/widget.js",
    command: ["run", "-A", "widget/build.ts"],
    served: ".build/widget",
  },
];

async function digestOf(sources: string[]): Promise<string> {
  const parts: string[] = [];
  for await (const path of walkFiles(sources)) {
    if (/(^|\/)test_\w+\.ts$|_test\.tsx?$/.test(path)) continue;
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
    parts.push(`${path} ${new Uint8Array(digest).toHex()}`);
  }
  return parts.sort().join("\n");
}

async function isFresh(target: Target, digest: string): Promise<boolean> {
  try {
    await Deno.stat(target.result);
    return await Deno.readTextFile(target.stamp) === digest;
  } catch {
    return false;
  }
}

/** @throws when a build fails; its output is shown */
export async function buildStale(): Promise<void> {
  for (const target of TARGETS) {
    const digest = await digestOf(target.sources);
    if (await isFresh(target, digest)) continue;
    console.log(`Building the ${target.name} …`);
    const result = await new Deno.Command(Deno.execPath(), {
      args: target.command,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (!result.success) {
      await Deno.stderr.write(result.stdout);
      await Deno.stderr.write(result.stderr);
      throw new Error(`Cannot build the ${target.name}: "deno ${target.command.join(" ")}" failed`);
    }
    await precompress(target.served);
    await Deno.mkdir(".build", { recursive: true });
    await Deno.writeTextFile(target.stamp, digest);
  }
}

if (import.meta.main) await buildStale();
