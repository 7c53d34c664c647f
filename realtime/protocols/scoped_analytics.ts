/** Scoped analytics at `/api/analytics/ws`: metrics as they change, as in PROTOCOL.md. */
import { z } from "zod";
import { ParleyError } from "../../protocol/errors.ts";
import type { ActivityTracker } from "../activity.ts";
import type { Connection } from "../connection.ts";
import type { Protocol } from "../protocol.ts";
import type { Scope } from "../scopes.ts";
import { command, createScopedProtocol, type Reply, type ScopedOptions } from "./scoped.ts";

export interface ScopedAnalyticsOptions extends ScopedOptions {
  activity: ActivityTracker;
}

const FAMILIES = ["engagement", "performance", "activity"] as const;
type Family = (typeof FAMILIES)[number];

/** The families of which this server measures something. */
const MEASURED: readonly Family[] = ["activity"];

const Metric = z.enum(FAMILIES, `must be one of ${FAMILIES.join(", ")}`);
const Metrics = z.array(Metric).min(1).max(20).transform((metrics) => [...new Set(metrics)]);
const Subscribe = z.object({ metrics: Metrics });
const Unsubscribe = z.object({ metrics: Metrics.optional() });

export function createScopedAnalyticsProtocol(options: ScopedAnalyticsOptions): Protocol {
  const { activity, now = () => new Date() } = options;

  async function subscribe(
    connection: Connection,
    { contextId }: Scope,
    { metrics }: z.output<typeof Subscribe>,
    reply: Reply,
  ): Promise<void> {
    const given = metrics.filter((metric) => MEASURED.includes(metric));
    const missing = metrics.filter((metric) => !MEASURED.includes(metric));
    if (given.length === 0) throw unavailable(missing);
    reply("subscribed", { metrics: given, unavailable: missing });
    await activity.follow(connection, contextId, (value) => {
      const timestamp = now().toISOString();
      const data = { metric: "activity", value, timestamp };
      connection.send(JSON.stringify({ type: "metric_update", timestamp, data }));
    });
    // The command is answered; what of it there is not is told beside the answer.
    if (missing.length > 0) connection.fail(unavailable(missing));
  }

  return createScopedProtocol({
    name: "scoped-analytics",
    needs: "nothing",
    arrive(connection, { contextId }, { inAddress }, reply) {
      if (inAddress) return;
      const { userId, userName: username, kind: role } = connection.principal!;
      reply("authenticated", { userId, username, role, contextId });
    },
    encode: () => null,
    commands: {
      subscribe: command(Subscribe, subscribe),
      unsubscribe: command(Unsubscribe, (connection, _scope, { metrics = FAMILIES }, reply) => {
        if (metrics.includes("activity")) activity.unfollow(connection);
        reply("unsubscribed", { metrics });
      }),
    },
  }, options);
}

function unavailable(metrics: readonly Family[]): ParleyError {
  const names = metrics.map((metric) => `"${metric}"`).join(", ");
  return new ParleyError("unavailable", `Cannot subscribe: ${names} is not measured here`, {
    fields: metrics.map((metric) => ({
      path: "metrics",
      message: `"${metric}" is not measured here`,
    })),
  });
}
