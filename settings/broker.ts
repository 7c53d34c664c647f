/** How nodes reach each other. */
import { z } from "zod";
import { int, setting, url } from "./define.ts";

export const broker = {
  kind: setting(
    "BROKER",
    z.enum(
      ["auto", "memory", "channel", "redis", "postgres"],
      'must be "auto", "memory", "channel", "redis" or "postgres"',
    ),
    "auto",
    "How nodes communicate: memory, channel (workers), redis or postgres; auto: redis with REDIS_URL, postgres on Deno Deploy, channel between workers",
  ),
  redisUrl: setting(
    "REDIS_URL",
    url(["redis:", "rediss:"]),
    undefined,
    "Redis server that passes events between nodes",
    { secret: true },
  ),
  nodeTimeoutMs: setting(
    "NODE_TIMEOUT_MS",
    int(500, 600_000),
    "5000",
    "Silence after which another node, and the people connected to it, count as gone",
  ),
  maxBytes: setting(
    "MAX_BROKER_BYTES",
    int(65_536, 1_073_741_824),
    "16777216",
    "Bytes of events that a node keeps for other nodes; above that events are lost, and clients recover",
  ),
};
