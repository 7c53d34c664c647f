/** Which broker a node uses, and opening it. */
import { createBrokerLog } from "../db/broker_log.ts";
import type { OpenDatabase } from "../db/database.ts";
import { DatabaseUnavailable } from "../db/database_error.ts";
import type { Broker } from "../realtime/broker.ts";
import { createChannelBroker } from "../realtime/broker_channel.ts";
import { createMemoryBroker } from "../realtime/broker_memory.ts";
import { createPostgresBroker } from "../realtime/broker_postgres.ts";
import { createRedisBroker, RedisRefusedError } from "../realtime/broker_redis.ts";
import { type Settings, SettingsError } from "../settings.ts";

export type BrokerKind = "memory" | "channel" | "redis" | "postgres";

/** One writes and one reads, so that a broadcast does not wait for a query. */
const LOG_CONNECTIONS = 2;

/**
 * @param parallel this is one of several workers of one process
 * @throws {SettingsError} when several nodes would not be connected.
 */
export function brokerKind(settings: Settings, parallel: boolean): BrokerKind {
  const { kind: chosen, redisUrl } = settings.broker;
  // On Deno Deploy there may be several instances at any time, with only the database in common.
  const shared = settings.onDeploy ? "postgres" : parallel ? "channel" : "memory";
  const kind = chosen !== "auto" ? chosen : redisUrl !== undefined ? "redis" : shared;
  if (settings.onDeploy && (kind === "memory" || kind === "channel")) {
    throw new SettingsError(
      `Cannot start on Deno Deploy: setting BROKER is "${kind}": several instances may run at any ` +
        'time and need "redis" or "postgres"',
    );
  }
  if (parallel && kind === "memory") {
    throw new SettingsError(
      'Cannot start: setting BROKER is "memory": several workers need "channel", "redis" or "postgres"',
    );
  }
  if (kind !== "memory" && settings.database.url === undefined) {
    throw new SettingsError(
      "Cannot start: setting DATABASE_URL is not set: several nodes need a Postgres server",
    );
  }
  return kind;
}

/**
 * Does not wait for a Redis that is away: the broker connects later.
 *
 * @throws {SettingsError} when Redis is there and refuses what REDIS_URL says.
 */
export async function openBroker(
  kind: BrokerKind,
  { redisUrl, maxBytes }: Settings["broker"],
  identity: { name: string; node: string; onError: (error: unknown) => void },
  database: Pick<OpenDatabase, "apart" | "listen">,
): Promise<Broker> {
  if (kind === "channel") return createChannelBroker({ ...identity, maxKept: maxBytes });
  if (kind === "memory") return createMemoryBroker();
  if (kind === "postgres") {
    const { name: installation, node, onError } = identity;
    const db = database.apart(LOG_CONNECTIONS);
    const log = createBrokerLog({ db, listen: database.listen, installation, node });
    return await createPostgresBroker({
      log,
      node,
      maxKept: maxBytes,
      onError(error) {
        // An outage is reported where the database was opened.
        if (!(error instanceof DatabaseUnavailable)) onError(error);
      },
    });
  }
  try {
    return await createRedisBroker({
      ...identity,
      url: redisUrl!,
      maxWaiting: maxBytes,
    });
  } catch (error) {
    if (!(error instanceof RedisRefusedError)) throw error;
    throw new SettingsError(`Cannot start: setting REDIS_URL: ${error.message}`, { cause: error });
  }
}
