/** The cost of one check of a rate limit. */
import { KeyedLimiter, TokenBucket } from "../../domain/rate_limit.ts";
import { heading, median, spread, table, verdict } from "../lib/report.ts";

const TAKES = 2_000_000;
const REPETITIONS = 5;
const KEYS = 10_000;

export function limiter(): Promise<void> {
  heading("limiter: one take");
  const clock = Date.now;
  const granting = new TokenBucket(1e9, 60_000, clock());
  const refusing = new TokenBucket(100, 60_000, clock());
  const keyed = new KeyedLimiter(100);
  const keys = Array.from({ length: KEYS }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const cases: [string, (i: number) => number][] = [
    ["bucket of a connection and the clock, granted", () => granting.take(clock())],
    ["bucket of a connection and the clock, refused", () => refusing.take(clock())],
    [`by key, among ${KEYS} addresses`, (i) => keyed.take(keys[i % KEYS]!)],
  ];
  const rows: string[][] = [];
  let worst = 0;
  for (const [name, take] of cases) {
    const times: number[] = [];
    let refused = 0;
    for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
      const start = performance.now();
      for (let i = 0; i < TAKES; i++) if (take(i) > 0) refused++;
      // The first repetition is the warm-up.
      if (repetition > 0) times.push((performance.now() - start) / TAKES * 1e6);
    }
    worst = Math.max(worst, median(times));
    rows.push([name, spread(times), `${Math.round(refused / TAKES / (REPETITIONS + 1) * 100)} %`]);
  }
  console.log(table(["limit", "ns", "refused"], rows));
  verdict("a take", `${Math.round(worst)} ns`, "well under 1,000 ns", worst < 500);
  return Promise.resolve();
}
