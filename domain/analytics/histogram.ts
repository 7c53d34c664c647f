/**
 * Histograms whose counts can be added: fixed buckets, eight for each doubling, so that a percentile
 * differs from the true one by at most 4.5 %. In the unit of what is measured.
 */

const PER_DOUBLING = 8;
/** Smaller values share one bucket: a tenth of a millisecond or second makes no difference. */
const SMALLEST = 0.1;
/** Larger values share the last bucket: 2^30 tenths are three years of seconds. */
const LAST = PER_DOUBLING * 30;

/** The number of the bucket of a value, 0 for the smallest. */
export function bucketOf(value: number): number {
  if (!(value > SMALLEST)) return 0;
  return Math.min(LAST, Math.floor(Math.log2(value / SMALLEST) * PER_DOUBLING) + 1);
}

/** The value that represents a bucket: the geometric mean of its limits. */
export function valueOf(bucket: number): number {
  return bucket <= 0 ? 0 : SMALLEST * 2 ** ((bucket - 0.5) / PER_DOUBLING);
}

/** @param counts of each bucket. @param q from 0 to 1. @returns null where nothing was counted. */
export function quantile(counts: ReadonlyMap<number, number>, q: number): number | null {
  const buckets = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  // The same rank as percentile_disc: the first value that at least a share of q does not exceed.
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= rank) return valueOf(bucket);
  }
  return valueOf(buckets.at(-1)![0]);
}

/** A histogram of buckets such as `7,9,7`. */
export function countBuckets(text: string): Map<number, number> {
  const counts = new Map<number, number>();
  eachNumber(text, (bucket) => counts.set(bucket, (counts.get(bucket) ?? 0) + 1));
  return counts;
}

/** The sum of histograms in the text form of the database, such as `{"7": 2, "9": 1},{"7": 1}`. */
export function readHistograms(text: string): Map<number, number> {
  const sum = new Map<number, number>();
  let bucket: number | null = null;
  eachNumber(text, (n) => {
    if (bucket !== null) sum.set(bucket, (sum.get(bucket) ?? 0) + n);
    bucket = bucket === null ? n : null;
  });
  return sum;
}

const ZERO = 48;
const NINE = 57;

/** Calls back with each whole number of a text; parsing JSON would be much slower. */
function eachNumber(text: string, on: (n: number) => void): void {
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) continue;
    let n = 0;
    for (; code >= ZERO && code <= NINE; code = text.charCodeAt(++at)) n = n * 10 + code - ZERO;
    on(n);
  }
}
