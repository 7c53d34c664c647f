import type { Broker } from "./realtime/broker.ts";
import { createChannelBroker } from "./realtime/broker_channel.ts";
import { createMemoryBroker } from "./realtime/broker_memory.ts";
import { createRedisBroker, RedisRefusedError } from "./realtime/broker_redis.ts";
import { type Settings, SettingsError } from "./settings.ts";

export type BrokerKind = "memory" | "channel" | "redis";

/**
 * @param parallel this is one of several workers of one process
 * @throws {SettingsError} when several nodes could not share what they have to share.
 */
export function brokerKind(settings: Settings, parallel: boolean): BrokerKind {
  const { BROKER, REDIS_URL, DATABASE_URL } = settings;
  const auto = REDIS_URL !== undefined ? "redis" : parallel ? "channel" : "memory";
  const kind = BROKER === "auto" ? auto : BROKER;
  if (parallel && kind === "memory") {
    throw new SettingsError(
      'Cannot start: setting BROKER is "memory": several workers need "channel" or "redis"',
    );
  }
  if (kind !== "memory" && DATABASE_URL === undefined) {
    throw new SettingsError(
      "Cannot start: setting DATABASE_URL is not set: several nodes need a Postgres server",
    );
  }
  return kind;
}

/**
 * A Redis that is away does not hold this up: the broker connects later.
 *
 * @throws {SettingsError} when Redis is there and refuses what REDIS_URL says.
 */
export async function openBroker(
  kind: BrokerKind,
  settings: Settings,
  identity: { name: string; node: string; onError: (error: unknown) => void },
): Promise<Broker> {
  const { MAX_BROKER_BYTES } = settings;
  if (kind === "channel") return createChannelBroker({ ...identity, maxKept: MAX_BROKER_BYTES });
  if (kind === "memory") return createMemoryBroker();
  try {
    return await createRedisBroker({
      ...identity,
      url: settings.REDIS_URL!,
      maxWaiting: MAX_BROKER_BYTES,
    });
  } catch (error) {
    if (!(error instanceof RedisRefusedError)) throw error;
    throw new SettingsError(`Cannot start: setting REDIS_URL: ${error.message}`, { cause: error });
  }
}
