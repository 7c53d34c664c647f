/**
 * One scrape for all workers of one `deno serve --parallel`: the worker that gets the request asks
 * the others over a BroadcastChannel. Metrics of a worker have the label `worker`; metrics of the
 * process appear once.
 */
import { AggregatorRegistry, type MetricObject, type Registry } from "prom-client";

export interface Workers {
  /** All metrics in the text format, without workers that do not respond in time. */
  scrape(): Promise<string>;
  close(): void;
}

type Post =
  | { kind: "hello" | "here" | "bye"; from: string }
  | { kind: "request"; from: string; id: number }
  | { kind: "reply"; from: string; to: string; id: number; metrics: Metric[] };

type Metric = Omit<MetricObject, "collect" | "type"> & {
  type: string;
  values: { value: number; labels: Record<string, string | number> }[];
  aggregator: string;
};

const REPLY_MS = 1000;

export function createWorkers(
  registry: Registry,
  options: { self: string; replyMs?: number; onError: (error: unknown) => void },
): Workers {
  const { self, replyMs = REPLY_MS, onError } = options;
  const channel = new BroadcastChannel("parley metrics");
  /** All known workers, this one included; in the order of their names they are 1, 2, 3 … */
  const known = new Set([self]);
  const open = new Map<number, { onReply: (from: string, m: Metric[]) => void }>();
  let lastId = 0;
  const post = (message: Post) => channel.postMessage(message);
  const own = async () => await registry.getMetricsAsJSON() as unknown as Metric[];

  async function reply(to: string, id: number): Promise<void> {
    post({ kind: "reply", from: self, to, id, metrics: await own() });
  }

  channel.onmessage = ({ data }) => {
    const message = data as Post;
    const { from, kind } = message;
    if (kind === "bye") known.delete(from);
    else known.add(from);
    if (kind === "hello") post({ kind: "here", from: self });
    if (kind === "request") reply(from, message.id).catch(onError);
    if (kind === "reply" && message.to === self) {
      open.get(message.id)?.onReply(from, message.metrics);
    }
  };
  post({ kind: "hello", from: self });

  function requestOthers(): Promise<Map<string, Metric[]>> {
    const found = new Map<string, Metric[]>();
    const left = new Set([...known].filter((name) => name !== self));
    if (left.size === 0) return Promise.resolve(found);
    const id = ++lastId;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        open.delete(id);
        resolve(found);
      };
      const timer = setTimeout(done, replyMs);
      open.set(id, {
        onReply(from, metrics) {
          found.set(from, metrics);
          left.delete(from);
          if (left.size === 0) done();
        },
      });
      post({ kind: "request", from: self, id });
    });
  }

  return {
    async scrape() {
      const [mine, others] = await Promise.all([own(), requestOthers()]);
      const names = [...known].sort();
      const byName = new Map([[self, mine], ...others]);
      const parts = names.flatMap((name, i) => {
        const metrics = byName.get(name);
        return metrics === undefined ? [] : [metrics.map((metric) => labelled(metric, i + 1))];
      });
      const answered = { total: names.length, answered: parts.length };
      // The library's types do not match what getMetricsAsJSON() returns.
      const all = [...parts, [workersOf(answered)]] as unknown as object[];
      return await AggregatorRegistry.aggregate(all).metrics();
    },
    close() {
      post({ kind: "bye", from: self });
      channel.close();
    },
  };
}

function labelled(metric: Metric, worker: number): Metric {
  if (metric.aggregator === "first") return metric;
  const values = metric.values.map((value) => ({
    ...value,
    labels: { ...value.labels, worker: String(worker) },
  }));
  return { ...metric, values };
}

/** Shows whether the scrape is complete. */
function workersOf(counts: Record<string, number>): Metric {
  return {
    name: "parley_workers",
    help: "Workers of this process, and those that answered this scrape",
    type: "gauge",
    aggregator: "first",
    values: Object.entries(counts).map(([state, value]) => ({ value, labels: { state } })),
  };
}
