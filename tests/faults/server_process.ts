/** main.ts as a process with a database of its own: to be killed, restarted, and measured. */
import { ADMIN, type EngineName, makeDatabase } from "../support/server.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { makeDataDir } from "../support/template.ts";

export interface ServerProcess {
  /** "http://127.0.0.1:port", the same after every restart. */
  readonly url: string;
  readonly pid: number;
  readonly engine: EngineName;
  /** What it wrote to standard error, over all runs. */
  readonly errors: string[];
  /** Every line that it wrote, over all runs. */
  readonly lines: string[];
  /** Starts it again after it was killed, on the same port and database. */
  start(env?: Record<string, string>): Promise<void>;
  /** Sends the signal and waits for the end; returns the exit code. */
  kill(signal: Deno.Signal): Promise<number>;
  /** Sends the signal; `ended` resolves with the exit code. */
  signal(signal: Deno.Signal): void;
  readonly ended: Promise<number>;
  /** Resident memory in bytes; `collect` first where garbage must not count. */
  memory(): number;
  /** Collects garbage, see collect_on_signal.ts. */
  collect(): void;
  close(): Promise<void>;
}

/** Limits out of the way of tests that are not about them. */
export const UNLIMITED = {
  LIMIT_MESSAGES_PER_MINUTE: "1000000",
  LIMIT_ROOM_BROADCASTS_PER_MINUTE: "10000000",
  LIMIT_TYPING_PER_MINUTE: "1000000",
  LIMIT_SESSIONS_PER_MINUTE: "1000000",
  LIMIT_LOGINS_PER_MINUTE: "100000",
  LIMIT_CONNECTIONS_PER_MINUTE: "1000000",
  MAX_CONNECTIONS_PER_USER: "100000",
};

const ROOT = new URL("../..", import.meta.url);
const PRELOAD = "tests/faults/collect_on_signal.ts";
const READY = /Parley is ready at http:\/\/localhost:(\d+)/;
const PAGE_BYTES = 4096;

/** The command, or a shell that runs it with so few open files. */
function limited(openFiles: number | undefined, command: string[]): [string, string[]] {
  const [program, ...args] = command;
  if (openFiles === undefined) return [program!, args];
  return ["sh", ["-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", ...command]];
}

export async function startServerProcess(
  engine: EngineName,
  env: Record<string, string> = {},
  options: { openFiles?: number } = {},
): Promise<ServerProcess> {
  const dataDir = env["DATABASE_URL"] === undefined ? await makeDataDir() : await makeTempDir();
  const database = engine === "postgres" ? await makeDatabase() : null;
  const errors: string[] = [];
  const lines: string[] = [];
  let port = "0";
  let child: Deno.ChildProcess | null = null;
  let ended: Promise<number> = Promise.resolve(0);

  async function start(changes: Record<string, string> = {}): Promise<void> {
    const [program, args] = limited(options.openFiles, [
      ...[Deno.execPath(), "run", "-A", "--no-check", "--v8-flags=--expose-gc"],
      ...["--preload", PRELOAD, "main.ts"],
    ]);
    const running = new Deno.Command(program, {
      args,
      cwd: ROOT,
      env: {
        NO_COLOR: "1",
        HOST: "127.0.0.1",
        DRAIN_MS: "0",
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        DATA_DIR: dataDir,
        ...(database === null ? {} : { DATABASE_URL: database.url }),
        ...env,
        ...changes,
        PORT: port,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    child = running;
    ended = running.status.then(({ code }) => {
      if (child === running) child = null;
      return code;
    });
    const toLines = splitter(lines);
    void (async () => {
      for await (const text of running.stderr.pipeThrough(new TextDecoderStream())) {
        errors.push(text);
        toLines(text);
      }
    })();
    const ready = Promise.withResolvers<string>();
    void (async () => {
      let output = "";
      const toLines = splitter(lines);
      for await (const text of running.stdout.pipeThrough(new TextDecoderStream())) {
        toLines(text);
        if (output.length < 10_000) output += text;
        const found = READY.exec(output)?.[1];
        if (found !== undefined) ready.resolve(found);
      }
      ready.reject(new Error(`The server ended with ${await ended}: ${errors.join("")}${output}`));
    })();
    port = await ready.promise;
  }

  const self: ServerProcess = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get pid() {
      return child!.pid;
    },
    engine,
    errors,
    lines,
    start,
    get ended() {
      return ended;
    },
    signal: (signal) => child?.kill(signal),
    async kill(signal) {
      child?.kill(signal);
      return await ended;
    },
    collect: () => child?.kill("SIGUSR2"),
    memory() {
      const fields = Deno.readTextFileSync(`/proc/${child!.pid}/statm`).split(" ");
      return Number(fields[1]) * PAGE_BYTES;
    },
    async close() {
      await self.kill("SIGKILL");
      await database?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await self.close();
    throw error;
  }
  return self;
}

/** Collects whole lines of what comes in pieces. */
function splitter(lines: string[]): (text: string) => void {
  let rest = "";
  return (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  };
}
