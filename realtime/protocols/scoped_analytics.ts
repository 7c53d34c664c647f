/** Scoped analytics at `/api/analytics/ws`: metrics as they change (docs/protocols/scoped.md). */
import { z } from "zod";
import { SubscribeMetrics, UnsubscribeMetrics } from "../../protocol/analytics.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Connection } from "../connection.ts";
import type { MetricSubscriptions } from "../metrics.ts";
import type { Protocol } from "../protocol.ts";
import type { Scope } from "../scopes.ts";
import { command, createScopedProtocol, type Reply, type ScopedOptions } from "./scoped.ts";

export interface ScopedAnalyticsOptions extends ScopedOptions {
  metrics: MetricSubscriptions;
}

/** The same as in the native protocol, but unknown members are ignored. */
const Subscribe = z.object(SubscribeMetrics.shape);
const Unsubscribe = z.object(UnsubscribeMetrics.shape);

export function createScopedAnalyticsProtocol(options: ScopedAnalyticsOptions): Protocol {
  const { metrics } = options;

  async function subscribe(
    connection: Connection,
    { contextId }: Scope,
    { metrics: requested }: z.output<typeof Subscribe>,
    reply: Reply,
  ): Promise<void> {
    let missing: string[] = [];
    await metrics.follow(connection, contextId, requested, (names) => {
      missing = [...new Set(requested)].filter((name) => !(names as string[]).includes(name));
      reply("subscribed", { metrics: names, unavailable: missing });
    });
    // The command was answered; the metrics that are not available are sent as an error besides.
    if (missing.length > 0) connection.fail(notOfContext(missing));
  }

  return createScopedProtocol({
    name: "scoped-analytics",
    needs: "nothing",
    onAuthenticated(connection, { contextId }, { inAddress }, reply) {
      if (inAddress) return;
      const { userId, userName: username, kind: role } = connection.principal!;
      reply("authenticated", { userId, username, role, contextId });
    },
    encode: ({ type, data }) => type === "metric_update" ? { type, data } : null,
    commands: {
      subscribe: command(Subscribe, subscribe),
      unsubscribe: command(Unsubscribe, (connection, _scope, { metrics: names }, reply) => {
        metrics.unfollow(connection, names);
        reply("unsubscribed", names === undefined ? {} : { metrics: names });
      }),
    },
  }, options);
}

function notOfContext(metrics: readonly string[]): ParleyError {
  const names = metrics.map((metric) => `"${metric}"`).join(", ");
  return new ParleyError("unavailable", `Cannot subscribe: ${names} is not measured of a context`, {
    fields: metrics.map((metric) => ({
      path: "metrics",
      message: `"${metric}" is not measured of a context`,
    })),
  });
}
