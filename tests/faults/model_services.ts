/** The database and Redis of a model test, and what happens to them in it. */
import { migrateDatabase, type PostgresServer, startPostgresServer } from "./postgres_server.ts";
import type { Random } from "./random.ts";
import { startReaper } from "./reaper.ts";
import { startRedisServer } from "./redis_server.ts";
import { type ServerProcess, startServerProcess } from "./server_process.ts";

export interface Services {
  server: ServerProcess;
  /** Does something to one of them, and undoes it. @returns its name; null: there are none */
  disturb(random: Random): Promise<string | null>;
  close(): Promise<void>;
}

/** How often each. */
const MOVES = {
  endConnections: 4,
  restartFast: 2,
  restartImmediate: 2,
  freezePostgres: 2,
  killRedisClients: 3,
  freezeRedis: 2,
  restartRedis: 2,
};

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The embedded database, to which nothing can happen but with its process. */
export async function embedded(env: Record<string, string>): Promise<Services> {
  const server = await startServerProcess("pglite", env);
  return { server, disturb: () => Promise.resolve(null), close: () => server.close() };
}

/** A Postgres cluster and a Redis server that nobody else uses. */
export async function ownServers(env: Record<string, string>): Promise<Services> {
  const reaper = startReaper();
  const ends: (() => Promise<void>)[] = [() => reaper.close()];
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const postgres = await startPostgresServer(reaper);
    ends.push(() => postgres.close());
    const redis = await startRedisServer();
    ends.push(() => redis.close());
    await migrateDatabase(postgres, "parley_model");
    const server = await startServerProcess("pglite", {
      ...env,
      DATABASE_URL: postgres.urlOf("parley_model"),
      REDIS_URL: redis.url,
      JWT_SECRET: "the same secret after every death",
    });
    ends.push(() => server.close());
    return {
      server,
      close,
      async disturb(random) {
        const move = random.weighted(MOVES);
        const ms = random.int(100, 1500);
        if (move === "endConnections") await endConnections(postgres);
        else if (move === "restartFast" || move === "restartImmediate") {
          await postgres.stop(move === "restartFast" ? "fast" : "immediate");
          await later(ms / 3);
          await postgres.start();
        } else if (move === "freezePostgres") {
          postgres.freeze();
          await later(ms);
          postgres.thaw();
        } else if (move === "killRedisClients") {
          await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
          await redis.command("CLIENT", "KILL", "TYPE", "normal");
        } else if (move === "freezeRedis") {
          redis.freeze();
          await later(ms);
          redis.thaw();
        } else {
          await redis.stop();
          await later(ms / 3);
          await redis.start();
        }
        return move;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function endConnections(postgres: PostgresServer): Promise<void> {
  await postgres.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()`);
}
