/** A Redis server of a test's own, which may be frozen, stopped, and made to answer errors. */
import { REDIS_SERVER } from "../support/services.ts";

export interface RedisServer {
  /** "redis://127.0.0.1:port", the same after every restart. */
  readonly url: string;
  readonly port: number;
  /** What `command` signs in with. */
  password: string;
  /** @throws {Error} with the server's words where it answers an error. */
  command(...words: string[]): Promise<string>;
  /** It answers nothing, and keeps its connections. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

const encoder = new TextEncoder();
const START_MS = 20_000;

/** One command over a connection of its own; the first line of the answer. */
async function ask(port: number, words: string[], password = ""): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = conn.readable.pipeThrough(new TextDecoderStream()).getReader();
  const commands = password === "" ? [words] : [["AUTH", password], words];
  let line = "";
  for (const command of commands) {
    const parts = command.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
    await conn.write(encoder.encode(`*${command.length}\r\n${parts.join("")}`));
    let text = "";
    while (!text.includes("\r\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error("Redis closed the connection");
      text += value;
    }
    line = text.slice(0, text.indexOf("\r\n"));
    if (line.startsWith("-")) throw new Error(line.slice(1));
  }
  await lines.cancel();
  return line.slice(1);
}

export async function startRedisServer(port = freePort()): Promise<RedisServer> {
  const dir = await Deno.makeTempDir({ prefix: "parley-redis-" });
  let child: Deno.ChildProcess | null = null;

  async function start(): Promise<void> {
    child = new Deno.Command(REDIS_SERVER, {
      args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", dir],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (const deadline = Date.now() + START_MS;;) {
      const answer = await ask(port, ["PING"]).catch((error) => error as Error);
      if (answer === "PONG") return;
      if (Date.now() > deadline) throw new Error(`Redis does not start: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function stop(): Promise<void> {
    const running = child;
    child = null;
    running?.kill("SIGKILL");
    await running?.status;
  }

  const close = async () => {
    await stop();
    await Deno.remove(dir, { recursive: true });
  };
  await start().catch(async (error) => {
    await close();
    throw error;
  });
  const self: RedisServer = {
    password: "",
    url: `redis://127.0.0.1:${port}`,
    port,
    command: (...words) => ask(port, words, self.password),
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
    start,
    stop,
    close,
  };
  return self;
}
