/**
 * One answer to a scrape for all workers of one `deno serve --parallel`: whichever worker is asked
 * asks the others over a BroadcastChannel. What belongs to a worker has the label `worker`; what
 * belongs to the process is told once.
 */
import { AggregatorRegistry, type MetricObject, type Registry } from "prom-client";

export interface Workers {
  /** Everything in the text format. Who does not answer in time is left out. */
  scrape(): Promise<string>;
  close(): void;
}

type Post =
  | { kind: "hello" | "here" | "bye"; from: string }
  | { kind: "ask"; from: string; question: number }
  | { kind: "answer"; from: string; to: string; question: number; metrics: Metric[] };

type Metric = Omit<MetricObject, "collect" | "type"> & {
  type: string;
  values: { value: number; labels: Record<string, string | number> }[];
  aggregator: string;
};

const ANSWER_MS = 1000;

export function createWorkers(
  registry: Registry,
  options: { self: string; answerMs?: number; onError: (error: unknown) => void },
): Workers {
  const { self, answerMs = ANSWER_MS, onError } = options;
  const channel = new BroadcastChannel("parley metrics");
  /** All that said they are there, this one too; in the order of their names they are 1, 2, 3 … */
  const known = new Set([self]);
  const open = new Map<number, { left: Set<string>; take: (from: string, m: Metric[]) => void }>();
  let lastQuestion = 0;
  const post = (message: Post) => channel.postMessage(message);
  const own = async () => await registry.getMetricsAsJSON() as unknown as Metric[];

  async function answer(to: string, question: number): Promise<void> {
    post({ kind: "answer", from: self, to, question, metrics: await own() });
  }

  channel.onmessage = ({ data }) => {
    const message = data as Post;
    const { from, kind } = message;
    if (kind === "bye") known.delete(from);
    else known.add(from);
    if (kind === "hello") post({ kind: "here", from: self });
    if (kind === "ask") answer(from, message.question).catch(onError);
    if (kind === "answer" && message.to === self) {
      open.get(message.question)?.take(from, message.metrics);
    }
  };
  post({ kind: "hello", from: self });

  function ask(): Promise<Map<string, Metric[]>> {
    const found = new Map<string, Metric[]>();
    const left = new Set([...known].filter((name) => name !== self));
    if (left.size === 0) return Promise.resolve(found);
    const question = ++lastQuestion;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        open.delete(question);
        resolve(found);
      };
      const timer = setTimeout(done, answerMs);
      open.set(question, {
        left,
        take(from, metrics) {
          found.set(from, metrics);
          left.delete(from);
          if (left.size === 0) done();
        },
      });
      post({ kind: "ask", from: self, question });
    });
  }

  return {
    async scrape() {
      const [mine, others] = await Promise.all([own(), ask()]);
      const names = [...known].sort();
      const byName = new Map([[self, mine], ...others]);
      const parts = names.flatMap((name, i) => {
        const metrics = byName.get(name);
        return metrics === undefined ? [] : [metrics.map((metric) => labelled(metric, i + 1))];
      });
      const answered = { total: names.length, answered: parts.length };
      // Its types say another type of values than what getMetricsAsJSON() answers.
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

/** Whether the scrape is whole. */
function workersOf(counts: Record<string, number>): Metric {
  return {
    name: "parley_workers",
    help: "Workers of this process, and those that answered this scrape",
    type: "gauge",
    aggregator: "first",
    values: Object.entries(counts).map(([state, value]) => ({ value, labels: { state } })),
  };
}
