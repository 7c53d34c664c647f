import { connectTo, libc, sendAll } from "./libc.ts";

export interface BenchServer {
  name: string;
  pid: number;
  port: number;
  /** Asks for bursts ("b"), single messages ("m"). */
  trigger(command: string): void;
  /** What the server says of itself; blocks until it does. */
  stats(): Record<string, unknown>;
  /** Seconds of CPU so far, user and system, of all its threads. */
  cpu(): number;
  /** Resident memory in bytes. */
  rss(): number;
  kill(signal?: Deno.Signal): Promise<void>;
}

const SERVERS = new URL("../servers/", import.meta.url).pathname;
const encoder = new TextEncoder();

/** Starts a server of bench/servers/ as a process of its own and waits until it listens. */
export async function startServer(
  name: string,
  file: string,
  env: Record<string, string> = {},
  flags: string[] = [],
): Promise<BenchServer> {
  const onNode = file.endsWith(".mjs");
  const child = new Deno.Command(onNode ? "node" : Deno.execPath(), {
    args: onNode ? [...flags, SERVERS + file] : ["run", "-A", ...flags, SERVERS + file],
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

/** The kernel counts in hundredths of a second on every Linux that Deno runs on. */
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
