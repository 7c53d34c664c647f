/** main.ts as a process of its own, the way an operator runs it, so that it can be killed. */
export interface ServerProcess {
  url: string;
  /** Standard error. */
  output: string[];
  /** Standard output, where logs are. */
  logs: string[];
  kill(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

const READY = /Parley is ready at http:\/\/localhost:(\d+)/;
const WAITING = /Listening on port (\d+), waiting for the database/;
/** What Deno says by itself where several processes start at the same time. */
const NOISE = /Blocking waiting for file lock on node_modules directory\n/g;
/** Milliseconds for something to be said. */
const PATIENCE_MS = 120_000;

export interface SpawnedProcess {
  output: string[];
  logs: string[];
  /** Waits until the output matches. @throws when the process ended, or was silent for too long. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: Deno.Signal): Promise<Deno.CommandStatus>;
  ended: Promise<Deno.CommandStatus>;
}

/** Starts it. @param command what runs it, main.ts without a build in between by default */
export function spawnProcess(
  env: Record<string, string>,
  command: [string, ...string[]] = [Deno.execPath(), "run", "-A", "--no-check", "main.ts"],
): SpawnedProcess {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", PORT: "0", HOST: "127.0.0.1", DRAIN_MS: "0", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output: string[] = [];
  const logs: string[] = [];
  let heard = () => {};
  let over = false;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: string[]) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      into.push(text.replace(NOISE, ""));
      heard();
    }
  };
  const ended = Promise.all([child.status, read(child.stdout, logs), read(child.stderr, output)])
    .then(([status]) => {
      over = true;
      heard();
      return status;
    });
  return {
    output,
    logs,
    async until(pattern) {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const all = logs.join("") + output.join("");
        const found = pattern.exec(all);
        if (found !== null) return found;
        if (over) throw new Error(`The server ended before it said ${pattern}: ${all}`);
        if (Date.now() > deadline) throw new Error(`The server did not say ${pattern}: ${all}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        heard = resolve;
        const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
        await promise;
        clearTimeout(timer);
      }
    },
    kill(signal) {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}

/** Starts it and waits for the line that says it is ready. */
export async function startProcess(env: Record<string, string>): Promise<ServerProcess> {
  const { until, output, logs, kill } = spawnProcess(env);
  const [, port] = await until(READY);
  return { url: `http://127.0.0.1:${port}`, output, logs, kill };
}

/** Starts it and waits for the line that says that it waits for its database. */
export async function startWaiting(
  env: Record<string, string>,
): Promise<ServerProcess & { ready(): Promise<void> }> {
  const { until, output, logs, kill } = spawnProcess(env);
  const [, port] = await until(WAITING);
  return {
    url: `http://127.0.0.1:${port}`,
    output,
    logs,
    kill,
    ready: () => until(READY).then(() => {}),
  };
}

/** Runs it to its end. */
export async function runToEnd(
  env: Record<string, string>,
  program = "main.ts",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(NOISE, "");
  return { code: result.code, stdout: text(result.stdout), stderr: text(result.stderr) };
}
