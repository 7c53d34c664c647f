/** The machine that the numbers were measured on. */
export async function describeMachine(): Promise<string> {
  const cpu = /model name\s*:\s*(.+)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ??
    Deno.build.arch;
  const gib = (Deno.systemMemoryInfo().total / 2 ** 30).toFixed(0);
  return [
    `${navigator.hardwareConcurrency} × ${cpu}, ${gib} GiB, Linux ${Deno.osRelease()}`,
    `Deno ${Deno.version.deno} (V8 ${Deno.version.v8})`,
    `Node ${await nodeVersion() ?? "none"}`,
    `socket.io ${await version("socket.io")}, ws ${await version("ws")}`,
    `load ${Deno.loadavg().map((n) => n.toFixed(2)).join(" ")}`,
  ].join(" · ");
}

export async function nodeVersion(): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return null;
  }
}

async function version(name: string): Promise<string> {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  const text = await Deno.readTextFile(path).catch(() => '{"version":"none"}');
  return JSON.parse(text).version;
}
