/** `GET /metrics` in Prometheus' text format, and metrics that are read at each scrape. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Metrics } from "../domain/metrics.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { BrokerStats } from "../realtime/broker.ts";
import { isForwarded, isPrivateAddress } from "../realtime/address.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Api } from "./env.ts";
import type { ApiServices } from "./services.ts";
import { watchProcess } from "./process_metrics.ts";

type MetricsServices = Pick<
  ApiServices,
  "metrics" | "metricsToken" | "workers" | "dataDir" | "realtime" | "version" | "engine"
>;

/** Adds the route, and the metrics whose values are read at each scrape. */
export function metricsRoute(app: Api, services: MetricsServices): void {
  const { metrics, metricsToken: token, version, engine } = services;
  watchRealtime(metrics, services.realtime);
  watchProcess(metrics, services.dataDir);
  metrics.watch(
    "parley_info",
    "Version and database engine of this process; always 1",
    () => [{ labels: { version, engine }, value: 1 }],
    ["version", "engine"],
    "gauge",
    "process",
  );

  app.get("/metrics", async (c) => {
    const allowed = token === undefined
      // Behind a proxy that is not trusted, every request comes from a private address.
      ? isPrivateAddress(c.get("peer").address) && !isForwarded(c.req.raw)
      : equalSecrets(c.req.header("authorization") ?? "", `Bearer ${token}`);
    if (!allowed) {
      throw token === undefined
        ? new ParleyError("forbidden", "Cannot read metrics from this address: set METRICS_TOKEN")
        : new ParleyError("unauthenticated", "Cannot read metrics: the token is not METRICS_TOKEN");
    }
    c.header("content-type", metrics.registry.contentType);
    c.header("cache-control", "no-store");
    return c.body(await (services.workers?.scrape() ?? metrics.registry.metrics()));
  });
}

function watchRealtime(metrics: Metrics, realtime: Pick<Realtime, "stats" | "traffic">): void {
  const { watch } = metrics;
  const stats = () => realtime.stats();
  watch(
    "parley_connections",
    "Open connections by protocol and state (pending: not authenticated yet)",
    () =>
      realtime.traffic().byProtocol.flatMap(({ protocol, pending, agents, visitors }) => [
        { labels: { protocol, state: "pending" }, value: pending },
        { labels: { protocol, state: "agent" }, value: agents },
        { labels: { protocol, state: "visitor" }, value: visitors },
      ]),
    ["protocol", "state"],
  );
  watch(
    "parley_frames_received_total",
    "Frames from clients",
    () =>
      realtime.traffic().byProtocol.map(({ protocol, received }) => ({
        labels: { protocol },
        value: received,
      })),
    ["protocol"],
    "counter",
  );
  watch(
    "parley_frames_sent_total",
    "Frames to clients",
    () =>
      realtime.traffic().byProtocol.map(({ protocol, sent }) => ({
        labels: { protocol },
        value: sent,
      })),
    ["protocol"],
    "counter",
  );
  const one = (name: string, help: string, read: () => number, kind?: "counter") =>
    watch(name, help, () => [{ value: read() }], [], kind);
  one("parley_users_online", "People with a connection", () => stats().authenticatedUsers);
  one("parley_rooms", "Rooms with a member on this node", () => stats().rooms);
  one(
    "parley_queue_bytes",
    "Bytes that wait for slow readers",
    () => realtime.traffic().queueBytes,
  );
  one(
    "parley_lingering_sockets",
    "Sockets that were ended and whose peer does not let go",
    () => stats().lingering,
  );
  one(
    "parley_unauthenticated_sockets",
    "Sockets and Engine.IO sessions that count as not authenticated",
    () => stats().unauthenticated,
  );
  watch("parley_broker_connected", "Whether other nodes can be reached: 1, or 0", () => {
    const { nodesConnected } = stats();
    // null: this process is the only node.
    return nodesConnected === null ? [] : [{ value: nodesConnected ? 1 : 0 }];
  });
  const trouble = (name: string, help: string, which: keyof BrokerStats) =>
    watch(
      name,
      help,
      () => {
        const { broker } = stats();
        return broker === null ? [] : [{ value: broker[which] }];
      },
      [],
      "counter",
    );
  trouble("parley_broker_outages_total", "Times when other nodes could not be reached", "outages");
  trouble("parley_broker_dropped_total", "What could not be told to other nodes", "dropped");
  one("parley_nodes", "Nodes that this one knows of, itself among them", () => stats().nodes.count);
  one(
    "parley_node_silence_seconds",
    "Time since the other node was heard that has been silent longest; 0: there is none",
    () => stats().nodes.silenceMs / 1000,
  );
  one("parley_slow_readers_total", "Readers let go", () => stats().slowClosed, "counter");
  one("parley_broadcasts_total", "Broadcasts to rooms", () => stats().broadcasts, "counter");
  one("parley_deliveries_total", "Events written", () => stats().deliveries, "counter");
}

/** Compares digests, so that the time does not depend on where two secrets differ. */
function equalSecrets(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
