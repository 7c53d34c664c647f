/** A Postgres cluster of a test's own, which may be stopped, crashed, frozen and filled up. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { migrate } from "../../db/migrate.ts";
import type { Database } from "../../db/types.ts";
import { POSTGRES_BIN } from "../support/services.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import type { Reaper } from "./reaper.ts";
import { freePort } from "./redis_server.ts";

export interface PostgresServer {
  readonly port: number;
  readonly dir: string;
  urlOf(database: string): string;
  /** The rows of one statement, over a connection of its own. */
  query<T = Record<string, unknown>>(statement: string, database?: string): Promise<T[]>;
  /** A connection of its own, whose end is nobody's failure. */
  connect(database?: string): Promise<pg.Client>;
  start(): Promise<void>;
  stop(mode: "fast" | "immediate"): Promise<void>;
  /** SIGSTOP for every process of it, and SIGCONT. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

const START_S = 60;

/** The server refuses to run as root, so there it runs as the user that its package made. */
async function ownUser(): Promise<{ uid: number; gid: number } | null> {
  if (Deno.uid() !== 0) return null;
  const line = (await Deno.readTextFile("/etc/passwd")).split("\n")
    .find((entry) => entry.startsWith("postgres:"));
  if (line === undefined) throw new Error("Cannot start Postgres as root: no user postgres");
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** The direct children of a process. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      // After the name in brackets, which may have spaces: the state, then the parent.
      if (Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]) === pid) {
        children.push(Number(name));
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return children;
}

/** To all of them that are there. */
export function signalAll(pids: number[], signal: Deno.Signal): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}

export async function startPostgresServer(
  reaper: Reaper,
  /** A folder for it, which stays; otherwise a temporary one. */
  given?: string,
): Promise<PostgresServer> {
  const bin = POSTGRES_BIN;
  if (bin === null) throw new Error("Cannot start Postgres: initdb is not there");
  const user = await ownUser();
  const dir = given ?? await makeTempDir();
  if (given === undefined) await reaper.guard(dir);
  if (user !== null) await Deno.chown(dir, user.uid, user.gid);
  const port = freePort();
  const data = `${dir}/data`;

  async function run(program: string, args: string[]): Promise<void> {
    const { code } = await new Deno.Command(`${bin}/${program}`, {
      args,
      cwd: dir,
      ...(user ?? {}),
      // The server that pg_ctl leaves behind would keep pipes open.
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn().status;
    if (code === 0) return;
    const log = await Deno.readTextFile(`${dir}/log`).catch(() => "");
    throw new Error(`${program} ended with ${code}: ${log.slice(-2000)}`);
  }

  const postmaster = () => Number(Deno.readTextFileSync(`${data}/postmaster.pid`).split("\n")[0]);
  const everybody = () => {
    const first = postmaster();
    return [first, ...childrenOf(first)];
  };
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;

  async function connect(database = "postgres"): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: urlOf(database) });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  const options = {
    listen_addresses: "127.0.0.1",
    port: `${port}`,
    unix_socket_directories: dir,
    shared_buffers: "32MB",
    max_connections: "100",
    autovacuum_naptime: "10min",
  };
  const self: PostgresServer = {
    port,
    dir,
    urlOf,
    connect,
    async query<T>(statement: string, database?: string) {
      const client = await connect(database);
      try {
        return (await client.query(statement)).rows as T[];
      } finally {
        await client.end();
      }
    },
    async start() {
      const given = Object.entries(options).map(([name, value]) => `-c ${name}=${value}`);
      const log = ["-l", `${dir}/log`];
      await run("pg_ctl", [
        ...["-D", data, "-w", "-t", `${START_S}`, ...log, "-o", given.join(" "), "start"],
      ]);
      await reaper.guard(postmaster());
    },
    stop: (mode) => run("pg_ctl", ["-D", data, "-w", "-m", mode, "stop"]),
    freeze: () => signalAll(everybody(), "SIGSTOP"),
    thaw: () => signalAll(everybody(), "SIGCONT"),
    async close() {
      try {
        const pids = everybody();
        signalAll(pids, "SIGKILL");
        while (pids.some((pid) => isThere(pid))) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      } catch {
        // It is stopped.
      }
      if (given === undefined) await Deno.remove(dir, { recursive: true });
    },
  };
  try {
    await run("initdb", ["-D", data, "-A", "trust", "-U", "postgres", "-N", "--no-instructions"]);
    await self.start();
  } catch (error) {
    await self.close();
    throw error;
  }
  return self;
}

/** Makes a database with the newest schema. */
export async function migrateDatabase(postgres: PostgresServer, name: string): Promise<void> {
  await postgres.query(`create database ${name}`);
  const pool = new pg.Pool({ connectionString: postgres.urlOf(name), max: 1 });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  await migrate(db);
  await db.destroy();
}

/** Neither gone nor a zombie that nobody has collected. */
function isThere(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
