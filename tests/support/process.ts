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

/** Starts it and waits for the line that says it is ready. */
export async function startProcess(env: Record<string, string>): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts"],
    env: { NO_COLOR: "1", PORT: "0", HOST: "127.0.0.1", DRAIN_MS: "0", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stderr: string[] = [];
  void (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr.push(text);
  })();
  const output: string[] = [];
  for (;;) {
    const { done, value } = await lines.read();
    if (done) {
      const { code } = await child.status;
      throw new Error(`The server ended with ${code}: ${stderr.join("")}${output.join("")}`);
    }
    output.push(value);
    const ready = READY.exec(output.join(""));
    if (ready === null) continue;
    void (async () => {
      for (;;) {
        const next = await lines.read();
        if (next.done) return;
        output.push(next.value);
      }
    })();
    return {
      url: `http://127.0.0.1:${ready[1]}`,
      output: stderr,
      logs: output,
      async kill(signal) {
        child.kill(signal);
        return await child.status;
      },
    };
  }
}

/** Runs it to its end. */
export async function runToEnd(
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts"],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: result.code, stdout: text(result.stdout), stderr: text(result.stderr) };
}
