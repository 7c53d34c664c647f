/** The engine alone, and with socket.io on it, as the conformance tests expect them. */
import { Server } from "socket.io";
import { createEngine, type Engine, type EngineOptions, type EngineSocket } from "../mod.ts";

/** The official suites expect these values. */
export const PING_INTERVAL = 300;
export const PING_TIMEOUT = 200;
export const MAX_PAYLOAD = 1_000_000;
export const CONNECT_TIMEOUT = 1000;

export interface Harness {
  /** "http://127.0.0.1:port" and the engine's path. */
  url: string;
  engine: Engine;
  /** The server's side of every session that is open. */
  sockets: Map<string, EngineSocket>;
  /** Every error that the engine reported. */
  errors: unknown[];
  /** Fails if the engine reported an error, or if a session or a WebSocket is left. */
  close(): Promise<void>;
}

export function makeEngine(
  path: string,
  errors: unknown[],
  options: Partial<EngineOptions> = {},
): Engine {
  return createEngine({
    path,
    pingIntervalMs: PING_INTERVAL,
    pingTimeoutMs: PING_TIMEOUT,
    maxPayload: MAX_PAYLOAD,
    upgradeTimeoutMs: 10_000,
    maxBufferedBytes: 16 * 1024 * 1024,
    onError: (error) => errors.push(error),
    allow: () => Promise.resolve(null),
    cors: () => true,
    ...options,
  });
}

/** Sends back every message. */
export function echo(socket: EngineSocket): void {
  socket.on("data", (data) => socket.send(data));
}

/** socket.io as the official suite expects it. */
export function makeSocketIo(engine: Engine): Server {
  const io = new Server({ connectTimeout: CONNECT_TIMEOUT, serveClient: false });
  io.bind(engine);
  for (const name of ["/", "/custom"]) {
    io.of(name).on("connection", (socket) => {
      socket.emit("auth", socket.handshake.auth);
      socket.on("message", (...args) => socket.emit("message-back", ...args));
      socket.on("message-with-ack", (...args) => {
        const answer = args.pop();
        if (typeof answer === "function") answer(...args);
      });
    });
  }
  return io;
}

/** A heartbeat that is longer than any test. */
const STEADY = { pingIntervalMs: 25_000, pingTimeoutMs: 20_000 };

/** Serves an engine on a free port. */
export function serveEngine(
  onConnection: (socket: EngineSocket) => void = echo,
  options: Partial<EngineOptions> = {},
): Harness {
  const errors: unknown[] = [];
  const engine = makeEngine("/engine.io/", errors, { ...STEADY, ...options }).on(
    "connection",
    onConnection,
  );
  return harness(engine, "/engine.io/", errors, () => engine.close());
}

/** Serves socket.io on a free port. */
export function serveSocketIo(
  prepare: (io: Server) => void = () => {},
  options: Partial<EngineOptions> = {},
): Harness & { io: Server } {
  const errors: unknown[] = [];
  const engine = makeEngine("/socket.io/", errors, { ...STEADY, ...options });
  const io = makeSocketIo(engine);
  prepare(io);
  return { ...harness(engine, "/socket.io/", errors, () => io.close()), io };
}

function harness(
  engine: Engine,
  path: string,
  errors: unknown[],
  stop: () => void | Promise<void>,
): Harness {
  const sockets = new Map<string, EngineSocket>();
  engine.on("connection", (socket) => {
    sockets.set(socket.id, socket);
    socket.on("close", () => sockets.delete(socket.id));
  });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request, info) => engine.handle(request, info.remoteAddr.hostname),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}${path}`,
    engine,
    sockets,
    errors,
    async close() {
      await stop();
      await until(() => engine.lingering === 0, "A websocket is left");
      await server.shutdown();
      if (engine.clientsCount !== 0) throw new Error(`${engine.clientsCount} sessions are left`);
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** Resolves when the server holds a poll of this session, which its client cannot observe. */
export function held({ sockets }: Harness, sid: string): Promise<void> {
  return until(() => sockets.get(sid)?.transport.writable === true, "The poll has not arrived");
}

/** For a state that has no event to wait for. Fails after 30 seconds. */
export async function until(condition: () => boolean, failure: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(failure);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
