/**
 * One attacker with sockets that send one message in endless fragments, while honest clients go on:
 * what it costs them before, during and after, and whether anything is lost. The server is a process
 * of its own under a memory limit, and is started again when it ends, as a supervisor would.
 *
 * `deno run -A tests/faults/fragment_flood.ts` runs it for five minutes, on this machine alone.
 */
import { ParleyClient } from "../../client/mod.ts";
import type { MessageList } from "../../protocol/rest.ts";
import { call, login, widgetKey } from "../support/http.ts";
import type { EngineName } from "../support/server.ts";
import { clientFrame, OPCODE } from "./frames.ts";
import { openRaw, type RawClient } from "./raw_client.ts";
import { type ServerProcess, startServerProcess } from "./server_process.ts";

export interface FloodOptions {
  engine: EngineName;
  honest: number;
  /** Milliseconds between two messages of one honest client. */
  everyMs: number;
  sockets: number;
  /** Bytes a second of all the attacker's sockets together. */
  bytesPerSecond: number;
  memoryLimit: number;
  beforeMs: number;
  duringMs: number;
  /** The attack ends before `duringMs` when the process ended so often; default: it does not. */
  untilEnds?: number;
  afterMs: number;
}

export interface Phase {
  sent: number;
  /** Milliseconds from writing a message to its acknowledgement, over every reconnection. */
  p50: number;
  p99: number;
  max: number;
}

export interface FloodReport {
  before: Phase;
  during: Phase;
  after: Phase;
  /** Messages that were acknowledged and are not stored, or stored twice. */
  lost: number;
  twice: number;
  /** Ends of the process, by exit code. */
  ends: number[];
  /** Bytes that the attacker got rid of. */
  flooded: number;
  /** Upgrades of the attacker's that were refused. */
  refused: number;
  /** With which codes the attacker's sockets were told to go, and how many. */
  told: Record<number, number>;
  /** What the server wrote of its memory. */
  lines: string[];
  peakMemory: number;
}

const ATTACKER = "203.0.113.66";
const PART = 64 * 1024;
const MIB = 1024 * 1024;
/** Within which the last acknowledgements and a last start have to come. */
const SETTLE_MS = 60_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes its address with it, as behind a proxy that is trusted. */
function socketFrom(address: string): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const headers = { "x-forwarded-for": address };
      super(url, { protocols, headers } as unknown as string[]);
    }
  };
}

export async function fragmentFlood(options: FloodOptions): Promise<FloodReport> {
  const server = await startServerProcess(options.engine, {
    TRUSTED_PROXIES: "127.0.0.1",
    MEMORY_LIMIT_BYTES: String(options.memoryLimit),
    LIMIT_MESSAGES_PER_MINUTE: "1000",
    DRAIN_MS: "1000",
  });
  const ends: number[] = [];
  let over = false;
  const supervising = (async () => {
    while (!over) {
      const code = await server.ended;
      if (over) return;
      ends.push(code);
      await server.start();
    }
  })();
  let peakMemory = 0;
  const watching = setInterval(() => {
    try {
      peakMemory = Math.max(peakMemory, server.memory());
    } catch {
      // Between two runs.
    }
  }, 200);
  try {
    const people = await admitAll(server, options.honest);
    const stop = new AbortController();
    const latencies: number[][] = [[], [], []];
    let phase = 0;
    const acknowledged = new Map<string, string[]>();
    const talking = people.map(async (person, i) => {
      await pause(options.everyMs * i / people.length);
      const under: Promise<void>[] = [];
      for (let n = 0; !stop.signal.aborted; n++) {
        const mine = phase;
        const started = performance.now();
        under.push(
          person.client.send({ content: `${i}:${n}` }).then(({ content, conversationId }) => {
            latencies[mine]!.push(performance.now() - started);
            const list = acknowledged.get(conversationId) ?? [];
            acknowledged.set(conversationId, [...list, content]);
          }),
        );
        await pause(options.everyMs);
      }
      await Promise.all(under);
    });
    await pause(options.beforeMs);
    phase = 1;
    const attack = startAttack(server, options);
    const until = performance.now() + options.duringMs;
    const isEnough = () => ends.length >= (options.untilEnds ?? Infinity);
    while (performance.now() < until && !isEnough()) await pause(50);
    const { flooded, refused, told } = await attack.end();
    phase = 2;
    await pause(options.afterMs);
    stop.abort();
    await withDeadline(Promise.all(talking), "the last acknowledgements");
    for (const { client } of people) client.close();
    const { lost, twice } = await compare(server, acknowledged);
    const [before, during, after] = latencies.map(toPhase);
    return {
      before: before!,
      during: during!,
      after: after!,
      lost,
      twice,
      ends,
      flooded,
      refused,
      told,
      lines: server.errors.join("").split("\n").filter((line) => line.includes("Memory is ")),
      peakMemory,
    };
  } finally {
    over = true;
    clearInterval(watching);
    await server.close();
    await supervising.catch(() => {});
  }
}

async function admitAll(server: ServerProcess, count: number) {
  const { token } = await login(server);
  const key = await widgetKey(server, token);
  const people = [];
  for (let i = 0; i < count; i++) {
    const address = `198.18.${i >> 8}.${i & 255}`;
    const { body } = await call<{ sessionId: string }>(server, "POST", "/api/sessions", {
      body: { widgetKey: key },
      headers: { "x-forwarded-for": address },
    });
    const client = new ParleyClient({
      url: server.url,
      credentials: () => ({ sessionId: body.sessionId }),
      WebSocket: socketFrom(address),
      maxOutbox: 100_000,
      minDelayMs: 200,
      maxDelayMs: 2000,
    });
    people.push({ client });
  }
  await Promise.all(people.map(({ client }) => client.connect()));
  return people;
}

/** Opens its sockets again as often as it can, and never obeys a close. */
function startAttack(server: ServerProcess, { sockets, bytesPerSecond }: FloodOptions) {
  const part = new Uint8Array(PART).fill(120);
  const first = clientFrame(OPCODE.text, part, { fin: false });
  const more = clientFrame(OPCODE.continuation, part, { fin: false });
  const every = PART * sockets / bytesPerSecond * 1000;
  let over = false;
  let flooded = 0;
  let refused = 0;
  const told: Record<number, number> = {};
  const open = new Set<RawClient>();

  async function flood(): Promise<void> {
    while (!over) {
      let client: RawClient | undefined;
      try {
        client = await openRaw(server.url, {
          closes: false,
          pongs: true,
          forget: true,
          headers: { "x-forwarded-for": ATTACKER },
        });
        open.add(client);
        client.closed.then(({ code }) => told[code] = (told[code] ?? 0) + 1, () => {});
        let due = performance.now();
        for (let frame = first; !over; frame = more) {
          await client.write(frame);
          flooded += PART;
          due += every;
          await pause(Math.max(0, due - performance.now()));
        }
      } catch (error) {
        if ((error as Error).name === "HandshakeError") refused++;
        await pause(200);
      }
      client?.destroy();
    }
  }
  const running = Array.from({ length: sockets }, flood);
  return {
    async end() {
      over = true;
      for (const client of open) client.destroy();
      await withDeadline(Promise.all(running), "the end of the attack");
      return { flooded, refused, told };
    },
  };
}

/** What was acknowledged, against what is stored. */
async function compare(server: ServerProcess, acknowledged: Map<string, string[]>) {
  const deadline = Date.now() + SETTLE_MS;
  let token: string | undefined;
  while (token === undefined) {
    try {
      token = (await login(server)).token;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(200);
    }
  }
  let lost = 0;
  let twice = 0;
  for (const [id, contents] of acknowledged) {
    const stored = new Map<string, number>();
    for (let cursor: string | null = ""; cursor !== null;) {
      const path: string = `/api/conversations/${id}/messages?limit=100${
        cursor && `&before=${cursor}`
      }`;
      const { body }: { body: MessageList } = await call(server, "GET", path, { token });
      for (const { content } of body.items) stored.set(content, (stored.get(content) ?? 0) + 1);
      cursor = body.nextCursor;
    }
    lost += contents.filter((content) => !stored.has(content)).length;
    twice += [...stored.values()].filter((count) => count > 1).length;
  }
  return { lost, twice };
}

function toPhase(latencies: number[]): Phase {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? NaN);
  return { sent: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function withDeadline<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), SETTLE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) {
  const seconds = Number(Deno.args[0] ?? 300);
  const rate = Number(Deno.args[1] ?? 12.5) * 1e6;
  const report = await fragmentFlood({
    engine: "postgres",
    honest: 200,
    everyMs: 2000,
    sockets: 50,
    bytesPerSecond: rate,
    memoryLimit: 1024 * MIB,
    beforeMs: 20_000,
    duringMs: seconds * 1000,
    afterMs: 20_000,
  });
  console.log(JSON.stringify(report, null, 2));
}
