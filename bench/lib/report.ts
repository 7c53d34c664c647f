/** Medians, spreads and Markdown tables. */

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p / 100 * sorted.length) - 1))]!;
}

/** "412 (398 to 431)": the median and the range of the repetitions. */
export function spread(values: readonly number[], digits = 0): string {
  const show = (value: number) => number(value, digits);
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

/** "0.48 × (0.45 to 0.52)": ratios of values that were measured in turns, pair by pair. */
export function pairs(values: readonly number[], baseline: readonly number[]): string {
  const ratios = values.map((value, i) => value / baseline[i]!);
  const show = (value: number) => number(value, 2);
  return `${show(median(ratios))} × (${show(Math.min(...ratios))} to ${show(Math.max(...ratios))})`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

export function heading(title: string): void {
  console.log(`\n### ${title}\n`);
}

/** Prints whether a budget is kept. */
export function verdict(what: string, value: string, budget: string, kept: boolean): void {
  console.log(`\n${kept ? "Kept" : "MISSED"}: ${what} ${value}, budget ${budget}.`);
}
