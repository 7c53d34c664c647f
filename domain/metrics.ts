/**
 * Metrics for operators in Prometheus' units: seconds, bytes, counts since the start. Each server has
 * its own registry, so that several in one process do not add up. Values that are counted elsewhere
 * (open sockets, queues, memory) are read at each scrape.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { OpenDatabase } from "../db/database.ts";

export type Metrics = ReturnType<typeof createMetrics>;

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const DURATION_SECONDS = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1];
const RECEIVERS = [1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000];
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10];
const BATCH = [1, 2, 5, 10, 25, 50, 100, 250, 500];

/** A new set of metrics, all at zero. docs/operations.md lists them. */
export function createMetrics() {
  const registers = [new Registry()];
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ) => new Histogram({ name, help, buckets, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers });

  return {
    registry: registers[0]!,
    /** Sockets that ended, by close code and by who closed: "server" or "peer". */
    closes: counter("parley_closes_total", "Ended connections by close code and side", [
      "code",
      "by",
    ]),
    /** Frames and calls refused because of a rate, by the setting that is the limit. */
    refusals: counter("parley_rate_limit_refusals_total", "Refusals because of a rate limit", [
      "limit",
    ]),
    /** Refused handshakes by reason: the page's origin, the version, … */
    handshakes: counter("parley_handshakes_refused_total", "Refused handshakes by reason", [
      "reason",
    ]),
    /** Sign-ins by outcome: "succeeded", "failed", "refused" (too many), "reused" (a copied token). */
    signIns: counter("parley_sign_ins_total", "Sign-ins by outcome", ["outcome"]),
    /** Refusals and failures of any kind, by the code that the client got. Protocol "http" is REST. */
    errors: counter("parley_errors_total", "Errors told to clients by code and protocol", [
      "code",
      "protocol",
    ]),
    /** By the pattern of the route, never by the URL, which has ids and may have tokens. */
    requests: histogram(
      "parley_http_request_seconds",
      "Time to answer an HTTP request, by method, route and class of status",
      REQUEST_SECONDS,
      ["method", "route", "status"],
    ),
    /** Of group commits: "messages" are all changes of conversations, "documents" are edits. */
    batchSize: histogram(
      "parley_commit_batch_size",
      "Changes that one transaction stored together",
      BATCH,
      ["what"],
    ),
    batchWait: histogram(
      "parley_commit_wait_seconds",
      "Time that the oldest change of a batch waited for its transaction",
      LATENCY_SECONDS,
      ["what"],
    ),
    /** Runs of scheduled jobs by kind and result: "done", "retried", "failed" (not tried again). */
    jobs: counter("parley_jobs_total", "Runs of scheduled jobs by kind and result", [
      "kind",
      "result",
    ]),
    gaps: counter(
      "parley_node_gaps_total",
      "Times when broadcasts of other nodes may have been lost, and clients were sent to recover",
    ),
    nodesGone: counter(
      "parley_nodes_gone_total",
      "Other nodes that are gone, by how: said goodbye, or fell silent",
      ["how"],
    ),
    /** Joins by what the client got: "recovered", "snapshot" (it was not recovered), "fresh". */
    recoveries: counter("parley_joins_total", "Joins of conversations by outcome", ["outcome"]),
    /** From reading a message to its acknowledgement, which is after the commit. */
    ack: histogram(
      "parley_ack_seconds",
      "Time from reading a message to its acknowledgement",
      LATENCY_SECONDS,
    ),
    broadcastSize: histogram(
      "parley_broadcast_receivers",
      "Members of a room that a broadcast was written to on this node",
      RECEIVERS,
    ),
    broadcastDuration: histogram(
      "parley_broadcast_seconds",
      "Time to encode one broadcast and hand it to every member's writer",
      DURATION_SECONDS,
    ),
    query: histogram(
      "parley_database_query_seconds",
      "Time of database queries",
      LATENCY_SECONDS,
    ),
    /** Statements that failed because of the database, by `Trouble`. */
    databaseTrouble: counter(
      "parley_database_trouble_total",
      "Statements and connections that failed because of the database, by kind",
      ["kind"],
    ),
    eventLoopDelay: histogram(
      "parley_event_loop_delay_seconds",
      "How late a timer of this process fires",
      LATENCY_SECONDS,
    ),
    /** Adds a metric whose values are read at each scrape, one for each set of labels. */
    watch<L extends string>(
      name: string,
      help: string,
      read: () => Samples<L> | Promise<Samples<L>>,
      labelNames: L[] = [],
      kind: "gauge" | "counter" = "gauge",
      /** `process`: the same for all workers of the process, so one of them reports it. */
      of: "worker" | "process" = "worker",
    ): void {
      const common = {
        name,
        help,
        labelNames,
        registers,
        aggregator: of === "process" ? "first" as const : "sum" as const,
      };
      if (kind === "counter") {
        new Counter({
          ...common,
          async collect() {
            const samples = await read();
            this.reset();
            for (const { labels = {}, value } of samples) this.inc(labels, value);
          },
        });
        return;
      }
      new Gauge({
        ...common,
        async collect() {
          const samples = await read();
          this.reset();
          for (const { labels = {}, value } of samples) this.set(labels, value);
        },
      });
    },
  };
}

/** Adds metrics of the database and its connections. */
export function watchDatabase(
  { watch }: Pick<Metrics, "watch">,
  { availability, pool }: Pick<OpenDatabase, "availability" | "pool">,
): void {
  watch("parley_database_up", "1: the database can be reached and takes changes", () => [{
    value: Number(availability.state === "up"),
  }]);
  watch(
    "parley_database_connections",
    "Connections for requests by state (waiting: requests that wait for one)",
    () => {
      const now = pool();
      if (now === null) return [];
      return [
        { labels: { state: "busy" }, value: now.size - now.idle },
        { labels: { state: "idle" }, value: now.idle },
        { labels: { state: "waiting" }, value: now.waiting },
      ];
    },
    ["state"],
  );
}
type Samples<L extends string> = Iterable<{
  labels?: Partial<Record<L, string>>;
  value: number;
}>;

/** How often the delay of the event loop is measured, in milliseconds. */
const MEASURE_MS = 250;

/** Measures how late a timer fires, until the returned function is called. */
export function watchEventLoop({ eventLoopDelay }: Pick<Metrics, "eventLoopDelay">): () => void {
  let due = performance.now() + MEASURE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    eventLoopDelay.observe(Math.max(0, now - due) / 1000);
    due = now + MEASURE_MS;
  }, MEASURE_MS);
  return () => clearInterval(timer);
}
