/** A whole Parley on a free port with a database of its own, as main.ts would start it. */
import { type Site } from "../../api/site.ts";
import { createParley } from "../../server.ts";
import { readSettings } from "../../settings.ts";
import { isPresent, POSTGRES_URL, testWith } from "./services.ts";
import { makeTempDir } from "./temp_dir.ts";
import { copyServerTemplate, makeDataDir, onServer } from "./template.ts";

export type EngineName = "pglite" | "postgres";
const ENGINES = ["pglite", "postgres"] as const;

export interface TestServer {
  /** "http://127.0.0.1:port" */
  url: string;
  engine: EngineName;
  env: Record<string, string>;
  errors: unknown[];
  /** Stops the server and keeps the database. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and database. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const ADMIN = { email: "ada@example.com", password: "correct horse battery" };

/** A database nobody else uses. */
export async function makeDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `parley_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await copyServerTemplate(name);
  // No test of a database like this stops Postgres, and its disk is not waited for.
  await onServer(`alter database ${name} set synchronous_commit = off`);
  const url = new URL(POSTGRES_URL);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) };
}

export async function startServer(
  engine: EngineName,
  env: Record<string, string> = {},
  site: Site | null = null,
): Promise<TestServer> {
  const dataDir = engine === "pglite" ? await makeDataDir() : await makeTempDir();
  const database = engine === "postgres" ? await makeDatabase() : null;
  const errors: unknown[] = [];
  const full: Record<string, string> = {
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    DATA_DIR: dataDir,
    DRAIN_MS: "0",
    ...(database === null ? {} : { DATABASE_URL: database.url }),
    ...env,
  };
  let port = 0;
  let running: { stop(): Promise<void> } | null = null;

  async function start(): Promise<void> {
    const parley = await createParley(readSettings(full), {
      site,
      onError: (error) => errors.push(error),
      passwordCost: 2 ** 10,
    });
    const server = Deno.serve(
      { port, hostname: "127.0.0.1", onListen: () => {} },
      (request, info) => parley.handle(request, (info.remoteAddr as Deno.NetAddr).hostname),
    );
    port = server.addr.port;
    running = {
      async stop() {
        await parley.stop();
        await server.shutdown();
      },
    };
  }

  async function stop(): Promise<void> {
    await running?.stop();
    running = null;
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    engine,
    env: full,
    errors,
    stop,
    restart: start,
    async close() {
      await stop();
      await database?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

type EngineTest = (server: TestServer, t: Deno.TestContext) => Promise<void>;

/** Runs it on the engine, with a server of its own that is closed after. */
function onEngine(
  engine: EngineName,
  name: string,
  fn: EngineTest,
  env: Record<string, string>,
): void {
  testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async (t) => {
    const server = await startServer(engine, env);
    try {
      await fn(server, t);
      if (server.errors.length > 0) throw server.errors[0];
    } finally {
      await server.close();
    }
  });
}

/** The same behaviour on both engines: where statements, locks or the order of commits matter. */
export function onBothEngines(
  name: string,
  fn: EngineTest,
  env: Record<string, string> = {},
): void {
  for (const engine of ENGINES) onEngine(engine, name, fn, env);
}

/**
 * Behaviour that does not depend on the engine: half of the files run on each, and all of them on
 * both with PARLEY_TEST_ALL_ENGINES=1. Without Postgres all run on the embedded one.
 */
export function onEitherEngine(
  name: string,
  fn: EngineTest,
  env: Record<string, string> = {},
): void {
  if (Deno.env.get("PARLEY_TEST_ALL_ENGINES") === "1") return onBothEngines(name, fn, env);
  const sum = [...Deno.mainModule.split("/").pop()!]
    .reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  onEngine(isPresent("postgres") ? ENGINES[sum % 2]! : "pglite", name, fn, env);
}
