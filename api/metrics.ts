/** `GET /metrics` in Prometheus' text format, and what is read at each scrape. */
import { createHash, timingSafeEqual } from "node:crypto";
import process from "node:process";
import type { Metrics } from "../domain/metrics.ts";
import { ParleyError } from "../protocol/errors.ts";
import { isForwarded, isPrivateAddress } from "../realtime/address.ts";
import type { Realtime } from "../realtime/face.ts";
import type { Api, ApiServices } from "./context.ts";

type MetricsServices = Pick<
  ApiServices,
  "metrics" | "metricsToken" | "realtime" | "version" | "engine"
>;

/** Adds the route, and the metrics that are read from what the process knows anyway. */
export function metricsRoute(app: Api, services: MetricsServices): void {
  const { metrics, metricsToken: token, version, engine } = services;
  watchRealtime(metrics, services.realtime);
  watchProcess(metrics);
  metrics.watch(
    "parley_info",
    "Version and database engine of this process; always 1",
    () => [{ labels: { version, engine }, value: 1 }],
    ["version", "engine"],
  );

  app.get("/metrics", async (c) => {
    const allowed = token === undefined
      // Behind a proxy that is not on the list everybody seems to come from inside.
      ? isPrivateAddress(c.get("peer").address) && !isForwarded(c.req.raw)
      : same(c.req.header("authorization") ?? "", `Bearer ${token}`);
    if (!allowed) {
      throw token === undefined
        ? new ParleyError("forbidden", "Cannot read metrics from this address: set METRICS_TOKEN")
        : new ParleyError("unauthenticated", "Cannot read metrics: the token is not METRICS_TOKEN");
    }
    c.header("content-type", metrics.registry.contentType);
    c.header("cache-control", "no-store");
    return c.body(await metrics.registry.metrics());
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
  one("parley_slow_readers_total", "Readers let go", () => stats().slowClosed, "counter");
  one("parley_broadcasts_total", "Broadcasts to rooms", () => stats().broadcasts, "counter");
  one("parley_deliveries_total", "Events written", () => stats().deliveries, "counter");
}

function watchProcess({ watch }: Metrics): void {
  const started = Date.now() / 1000 - performance.now() / 1000;
  watch("process_start_time_seconds", "Start, in seconds since the epoch", () => [{
    value: started,
  }]);
  watch("process_resident_memory_bytes", "Resident memory", () => [{
    value: Deno.memoryUsage().rss,
  }]);
  watch("process_heap_bytes", "JavaScript heap in use", () => [{
    value: Deno.memoryUsage().heapUsed,
  }]);
  watch(
    "process_cpu_seconds_total",
    "User and system time",
    () => {
      const { user, system } = process.cpuUsage();
      return [{ value: (user + system) / 1e6 }];
    },
    [],
    "counter",
  );
}

/** Compares digests: the time says nothing of where two secrets differ. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
