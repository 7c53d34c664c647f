/** `deno serve --parallel`, the way an operator runs it: several workers of one process. */
export interface ParallelProcess {
  url: string;
  /** Standard output and error. */
  output(): string;
  /** Sends the signal and waits for the end; returns the exit code. */
  kill(signal: Deno.Signal): Promise<number>;
}

const READY = /Parley is ready at http:\/\/localhost:\d+/;

/** A port that is free at this moment: all workers need the same, so it cannot be 0. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/**
 * @param command what runs it; PORT and HOST are in its environment and in `port`.
 * @param descriptors how many it may have open; default: as many as this process
 */
export async function startParallel(
  env: Record<string, string>,
  port: number,
  command = ["serve", "-A", "--no-check", "--parallel", "--host", "127.0.0.1", "--port", `${port}`]
    .concat("process/parallel.ts"),
  descriptors?: number,
): Promise<ParallelProcess> {
  const limited = [`-c`, `ulimit -n ${descriptors}; exec "$0" "$@"`, Deno.execPath(), ...command];
  const child = new Deno.Command(descriptors === undefined ? Deno.execPath() : "bash", {
    args: descriptors === undefined ? command : limited,
    env: { NO_COLOR: "1", DENO_JOBS: "3", HOST: "127.0.0.1", PORT: `${port}`, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const ready = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (READY.test(output)) ready.resolve();
    }
  };
  const ended = Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  void ended.then(([{ code }]) => ready.reject(new Error(`It ended with ${code}: ${output}`)));
  await ready.promise;
  const url = `http://127.0.0.1:${port}`;
  await allWorkers(url);
  return {
    url,
    output: () => output,
    async kill(signal) {
      child.kill(signal);
      const [{ code }] = await ended;
      return code;
    },
  };
}

/** One worker says that it is ready for all; the others may answer 503 for a moment longer. */
async function allWorkers(url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (let inARow = 0; inARow < 20;) {
    if (Date.now() > deadline) throw new Error("Waited for all workers to be ready");
    // On a connection of its own, which may be any worker's.
    const response = await fetch(`${url}/metrics`, { headers: { connection: "close" } });
    const whole = /^parley_workers\{state="answered"\} 3$/m.test(await response.text());
    inARow = whole ? inARow + 1 : 0;
    if (!whole) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
