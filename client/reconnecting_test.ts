/** The common behaviour of the three clients, each against a server of its own protocol. */
import assert from "node:assert/strict";
import { WebSocketService } from "./chat_json.ts";
import { startChatJsonServer } from "./test_chat_json_server.ts";
import { makeClient } from "./test_client.ts";
import { startServer, until } from "./test_server.ts";
import { TopicsClient } from "./topics.ts";
import { startTopicsServer } from "./topics_test_server.ts";

interface Options {
  minDelayMs?: number;
  maxDelayMs?: number;
  connected?: () => void;
  waiting?: () => void;
}

/** A client, its server, and what the test knows of both. */
interface Rig {
  connect(): Promise<void>;
  close(): void;
  isConnected(): boolean;
  /** How many attempts began; each requests credentials. */
  attempts(): number;
  /** The waits that it scheduled, in milliseconds. */
  waits(): number[];
  /** The server refuses the connection, and closes it. */
  refuse(code: string, retryAfter: number | undefined, close: number): void;
  /** The server announces a restart, and waits for the client to leave. */
  restart(retryAfter: number): void;
  stop(): Promise<void>;
}

const MINUTE = 60_000;

/** The waits of new timers until `fn` resolves, in milliseconds. */
async function timersOf(fn: () => Promise<void>): Promise<number[]> {
  const { setTimeout } = globalThis;
  const waits: number[] = [];
  Object.assign(globalThis, {
    setTimeout(handler: () => void, ms = 0) {
      waits.push(ms);
      return setTimeout(handler, ms);
    },
  });
  try {
    await fn();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return waits;
}

Deno.test("a token is renewed before it expires, however wrong the device's clock is", async () => {
  const realNow = Date.now;
  for (const minutes of [-20, 0, 20]) {
    const expiresAt = new Date(realNow() + 15 * MINUTE).toISOString();
    const native = startServer();
    native.intercept = (command, peer) => {
      if (command.type !== "auth") return false;
      const me = { userId: "u", userName: "U", role: "agent", presence: [], expiresAt };
      native.reply(peer, command, me);
      return true;
    };
    const topics = startTopicsServer();
    topics.expiresAt = expiresAt;
    const one = makeClient(native);
    const other = new TopicsClient({ url: topics.url, credentials: () => ({ token: "t" }) });
    // The servers do not use it.
    Date.now = () => realNow() + minutes * MINUTE;
    try {
      for (const client of [one, other]) {
        const waits = await timersOf(() => client.connect());
        const renewals = waits.filter((ms) => ms > 13 * MINUTE && ms < 15 * MINUTE);
        assert.equal(renewals.length, 1, `${minutes} min: ${waits}`);
      }
    } finally {
      Date.now = realNow;
      one.close();
      other.disconnect();
      await native.stop();
      await topics.stop();
    }
  }
});

/** So long that only a reset of the backoff explains an attempt within a test. */
const SLOW = { minDelayMs: 60_000, maxDelayMs: 60_000 };

const waitsIn = (lines: string[]) =>
  lines.flatMap((line) => Number(/next attempt in (\d+) ms/.exec(line)?.[1] ?? []) || []);

function startNative(options: Options): Rig {
  const server = startServer();
  const lines: string[] = [];
  let asked = 0;
  const client = makeClient(server, {
    minDelayMs: options.minDelayMs ?? 8,
    maxDelayMs: options.maxDelayMs ?? 64,
    credentials: () => ({ token: `${++asked}` }),
    debug: (line) => lines.push(line),
  });
  client.on("state", (state) => {
    if (state === "connected") options.connected?.();
    if (state === "reconnecting") options.waiting?.();
  });
  return {
    connect: () => client.connect(),
    close: () => client.close(),
    isConnected: () => client.state === "connected",
    attempts: () => asked,
    waits: () => waitsIn(lines),
    refuse(code, retryAfter, close) {
      for (const peer of server.peers) {
        server.refuse(peer, { type: "" }, code, retryAfter);
        peer.close(close);
      }
    },
    restart: (retryAfter) =>
      server.peers.forEach((peer) => peer.event("reconnect", { retryAfter })),
    stop: () => server.stop(),
  };
}

function startChatJson(options: Options): Rig {
  const server = startChatJsonServer();
  const lines: string[] = [];
  let asked = 0;
  const service = new WebSocketService({
    url: server.url,
    reconnectDelay: options.minDelayMs ?? 8,
    maxReconnectDelay: options.maxDelayMs ?? 64,
    token: () => `${++asked}`,
    debug: true,
  });
  const { debug } = console;
  console.debug = (line: string) => void lines.push(line);
  service.onStateChange((state) => {
    if (state === "CONNECTED") options.connected?.();
    if (state === "RECONNECTING") options.waiting?.();
  });
  return {
    connect: () => service.connect(),
    close: () => service.disconnect(),
    isConnected: () => service.isConnected(),
    attempts: () => asked,
    waits: () => waitsIn(lines),
    refuse(code, retryAfter, close) {
      server.broadcast({ type: "error", payload: { code, message: code, retryAfter } });
      server.drop(close);
    },
    restart(retryAfter) {
      const message = "Server is restarting";
      server.broadcast({ type: "system", payload: { message, retryAfter } });
    },
    async stop() {
      console.debug = debug;
      await server.stop();
    },
  };
}

function startTopics(options: Options): Rig {
  const server = startTopicsServer();
  const lines: string[] = [];
  let asked = 0;
  const client = new TopicsClient({
    url: server.url,
    minDelayMs: options.minDelayMs ?? 8,
    maxDelayMs: options.maxDelayMs ?? 64,
    credentials: () => ({ token: `${++asked}` }),
    debug: (line) => lines.push(line),
  });
  client.on("state", (state) => {
    if (state === "live") options.connected?.();
    if (state === "polling") options.waiting?.();
  });
  return {
    connect: () => client.connect(),
    close: () => client.disconnect(),
    isConnected: () => client.isConnected(),
    attempts: () => asked,
    waits: () => waitsIn(lines),
    refuse(code, retryAfter, close) {
      server.broadcast({ type: "error", code, message: code, retryAfter });
      for (const peer of server.peers) peer.close(close);
    },
    restart: (retryAfter) => server.broadcast({ type: "reconnect", retryAfter }),
    stop: () => server.stop(),
  };
}

/** The events of a browser whose network is back and whose page is visible again. */
function resumeDevice() {
  for (const type of ["online", "pageshow"]) dispatchEvent(new Event(type));
}

for (
  const [name, start] of [
    ["native", startNative],
    ["chat JSON", startChatJson],
    ["topics", startTopics],
  ] as const
) {
  const withRig = async (options: Options, work: (rig: Rig) => Promise<void>) => {
    const rig = start(options);
    try {
      await work(rig);
    } finally {
      rig.close();
      await rig.stop();
    }
  };

  Deno.test(`${name}: no resume reconnects it before the time that the server named`, async () => {
    for (const retryAfter of [60_000, undefined]) {
      await withRig({}, async (rig) => {
        await rig.connect();
        rig.refuse("rate_limited", retryAfter, 1008);
        await until(() => rig.waits().length === 1, "it stays away");
        assert.ok(rig.waits()[0]! > 50_000, `${rig.waits()} ms`);
        // An attempt would request its credentials at once.
        resumeDevice();
        rig.connect().catch(() => {});
        assert.equal(rig.attempts(), 1);
      });
    }
  });

  Deno.test(`${name}: a refusal without 1008 names a time as well`, () =>
    withRig({}, async (rig) => {
      await rig.connect();
      rig.refuse("overloaded", 60_000, 3014);
      await until(() => rig.waits().length === 1, "it stays away");
      resumeDevice();
      assert.equal(rig.attempts(), 1);
    }));

  Deno.test(`${name}: after a code that forbids it, no resume reconnects it`, () =>
    withRig({}, async (rig) => {
      await rig.connect();
      rig.refuse("forbidden", undefined, 3503);
      await until(() => !rig.isConnected(), "it is over");
      resumeDevice();
      assert.deepEqual([rig.attempts(), rig.waits()], [1, []]);
    }));

  Deno.test(`${name}: without such a time a resume cuts the wait short`, () =>
    withRig(SLOW, async (rig) => {
      await rig.connect();
      rig.refuse("internal", undefined, 3011);
      await until(() => rig.waits().length === 1, "lost");
      resumeDevice();
      await until(() => rig.isConnected(), "back");
      assert.equal(rig.attempts(), 2);
    }));

  /**
   * Connects four times to a server that authenticates and closes; returns the waits after each.
   */
  const turnedAway = async (): Promise<number[]> => {
    const rig: Rig = start({ connected: () => rig.refuse("internal", undefined, 3011) });
    try {
      await rig.connect();
      await until(() => rig.waits().length === 4, "four connections");
      return rig.waits();
    } finally {
      rig.close();
      await rig.stop();
    }
  };

  Deno.test(`${name}: a server that authenticates and closes leads to longer and longer waits`, async () => {
    const waits = await turnedAway();
    // The longest first wait is 8 ms and a tenth, the shortest fourth one half of 64.
    assert.ok(waits[0]! < 10 && waits[3]! >= 32, `${waits} ms`);
  });

  Deno.test(`${name}: an announced restart is not a failure, and its time is the only wait`, () =>
    withRig(SLOW, async (rig) => {
      await rig.connect();
      rig.restart(20);
      await until(() => rig.attempts() === 2 && rig.isConnected(), "back");
    }));

  Deno.test(`${name}: closed by a handler during the loss, it stays closed`, async () => {
    let close: (() => void) | null = null;
    const waiting = () => {
      close?.();
      close = null;
    };
    await withRig({ waiting }, async (rig) => {
      await rig.connect();
      close = rig.close;
      rig.refuse("internal", undefined, 3011);
      await until(() => !rig.isConnected(), "lost");
      resumeDevice();
      // The first wait would be over by now.
      await turnedAway();
      assert.equal(rig.attempts(), 1);
    });
  });
}
