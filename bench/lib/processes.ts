import { connectTo, libc, sendAll } from "./libc.ts";

export interface BenchServer {
  name: string;
  pid: number;
  port: number;
  /** Triggers bursts ("b") or single messages ("m"). */
  trigger(command: string): void;
  /** The server's own statistics. Blocks until it sends them. */
  stats(): Record<string, unknown>;
  /** Seconds of CPU so far, user and system, of all its threads. */
  cpu(): number;
  /** Resident memory in bytes. */
  rss(): number;
  kill(signal?: Deno.Signal): Promise<void>;
}

const ROOT = new URL("../../", import.meta.url).pathname;
const encoder = new TextEncoder();

/**
 * Starts a server of bench/servers/ as a separate process and waits until it listens.
 *
 * @param root the tree of the server; default: this one
 */
export async function startServer(
  name: string,
  file: string,
  env: Record<string, string> = {},
  flags: string[] = [],
  root = ROOT,
): Promise<BenchServer> {
  const onNode = file.endsWith(".mjs");
  const path = `${root}bench/servers/${file}`;
  const child = new Deno.Command(onNode ? "node" : Deno.execPath(), {
    args: onNode ? [...flags, path] : ["run", "-A", ...flags, path],
    cwd: root,
    env: { NO_COLOR: "1", NODE_ENV: "production", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  while (!output.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start ${name}: it ended and said "${output}"`);
    output += value;
  }
  const { port, control } = JSON.parse(output.slice(0, output.indexOf("\n"))) as {
    port: number;
    control: number;
  };
  const fd = control === 0 ? -1 : connectTo(control);
  return {
    name,
    pid: child.pid,
    port,
    trigger: (command) => void sendAll(fd, encoder.encode(command)),
    stats() {
      sendAll(fd, encoder.encode("s"));
      const buffer = new Uint8Array(4096);
      let text = "";
      while (!text.endsWith("\n")) {
        const n = Number(libc.recv(fd, buffer, BigInt(buffer.length), 0));
        if (n <= 0) throw new Error(`Cannot read what ${name} says of itself`);
        text += new TextDecoder().decode(buffer.subarray(0, n));
      }
      return JSON.parse(text);
    },
    cpu: () => cpuSeconds(child.pid),
    rss: () => rssOf(child.pid),
    async kill(signal = "SIGKILL") {
      if (fd >= 0) libc.close(fd);
      try {
        child.kill(signal);
      } catch {
        // It has ended already.
      }
      await reader.cancel().catch(() => {});
      await child.status;
    },
  };
}

export interface BenchProcess {
  /** Sends a line and resolves with the reply. */
  request(line: string): Promise<string>;
  end(): Promise<void>;
}

/**
 * Starts a script of bench/servers/ that replies to lines, with the packages of the tree at `root`.
 */
export async function startProcess(
  file: string,
  env: Record<string, string>,
  root: string,
): Promise<BenchProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--config=${root}deno.json`, `${ROOT}bench/servers/${file}`],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  async function nextLine(): Promise<string> {
    while (!rest.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`Cannot go on: ${file} ended and said "${rest}"`);
      rest += value;
    }
    const line = rest.slice(0, rest.indexOf("\n"));
    rest = rest.slice(line.length + 1);
    return line;
  }
  await nextLine();
  return {
    async request(line) {
      await writer.write(encoder.encode(`${line}\n`));
      return await nextLine();
    },
    async end() {
      await writer.close();
      await reader.cancel().catch(() => {});
      await child.status;
    },
  };
}

/** On every Linux that Deno supports the kernel counts in hundredths of a second. */
const TICKS = 100;

export function cpuSeconds(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

export function rssOf(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0) * 1024;
}
